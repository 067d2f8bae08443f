"""What customers say in passing: that they are unhappy, glad; and whom they talk to."""

from __future__ import annotations

from flows import asides
from flows import keywords as k
from flows import wording as t
from flows import wording_unasked as unasked
from flows.again import ask_again
from flows.asking import Asking, Idle, buttons, shown, words
from flows.cards import notice_rule
from flows.draft import Confirming, Draft
from flows.effects import Record, Say
from flows.formats import fit
from flows.greeting import at_menu
from flows.machine import Context, State, Step
from flows.manage import open_visits
from flows.menu import aside
from flows.person import called
from flows.places import Joining, Offered
from flows.plain import plain
from flows.replies import CallUs, CarryOn, Reply, StartBooking, TalkToUs


def remark(state: State, bare: str, ctx: Context) -> Step[State] | None:
    """Answer a remark in its own tone; what was going on stays open."""
    w = words(ctx)
    beside = _beside(state, bare, ctx)
    if beside is not None:
        return beside
    if asides.COMPLAINT.has(bare):
        pairs = ((t.TALK_TO_US, TalkToUs()), (unasked.NO_THANKS, CarryOn()))
        say = Say(w(unasked.THANKS_BAD), buttons(w, *pairs))
        return shown(_open(state), say, Record("complained"))
    if asides.BOT.has(bare):
        return aside(state, ctx, w(t.A_BOT, company=fit(ctx.catalog.company.name, t.NAME)))
    if k.SEE_YOU.has(bare) and not isinstance(state, Draft):
        return aside(state, ctx, w(t.SEE_YOU_THEN))
    if k.COMING.has(bare) and not isinstance(state, Draft) and ctx.customer.visit_ahead:
        return open_visits()
    if k.NEVER_MIND.has(bare) and not isinstance(state, Draft | Joining):
        return at_menu(ctx, w(t.NO_MATTER))
    return None


def _beside(state: State, bare: str, ctx: Context) -> Step[State] | None:
    """Answer whoever stands at the door, waits for us, or asks us to wait for them."""
    w = words(ctx)
    if asides.AT_DOOR.has(bare) or asides.DATA.has(bare):
        return called(ctx)  # nobody but a person can do anything about it
    if asides.LOST.has(bare) or asides.NO_BOOKING.has(bare):
        return ask_team(state, ctx)
    if asides.WHAT_IF.has(bare):
        about = not asides.NOTICE.whole.isdisjoint(bare.split())
        return aside(state, ctx, notice_rule(ctx)) if about else ask_team(state, ctx)
    if asides.TIME_LEFT.has(bare) and isinstance(state, Confirming | Offered):
        return ask_again(state, ctx)
    reminds = asides.REMIND.has(bare) and not k.VISITS.has(bare)
    if reminds and ctx.catalog.company.policy.first_reminder_minutes:
        return aside(state, ctx, w(t.WILL_REMIND))
    if asides.WAIT.has(bare):
        return aside(state, ctx, w(t.NO_HURRY))
    return None


def ask_team(state: State, ctx: Context) -> Step[State]:
    """Say that this is one for the team, and offer to ask them; what was going on stays open."""
    w, phone = words(ctx), ctx.catalog.company.phone
    on = (t.BOOK_A_VISIT, StartBooking()) if isinstance(state, Idle) else (t.CARRY_ON, CarryOn())
    pairs: list[tuple[t.Message, Reply]] = [(t.TALK_TO_US, TalkToUs())]
    pairs += [(t.CALL_US, CallUs())] if phone else []
    return shown(_open(state), Say(w(t.FOR_THE_TEAM), buttons(w, *pairs, on)))


def asks(raw: str) -> bool:
    """Tell whether a text that nothing was made of asks something."""
    said = plain(raw).split()
    if not any(word.isalpha() and len(word) > 2 for word in said):
        return False
    begins = (" ".join(said[:n]) in asides.ASKING.whole for n in (1, 2, 3))
    return raw.rstrip().endswith("?") or (len(said) > 2 and any(begins))


def _open(state: State) -> Asking:
    return state if isinstance(state, Asking) else Idle()
