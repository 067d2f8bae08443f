"""What customers say in passing: that they are unhappy, glad; and whom they talk to."""

from __future__ import annotations

from flows import keywords as k
from flows import wording as t
from flows import wording_unasked as unasked
from flows.asking import Asking, Idle, buttons, shown, words
from flows.draft import Draft
from flows.effects import Record, Say
from flows.formats import fit
from flows.greeting import at_menu
from flows.machine import Context, State, Step
from flows.manage import open_visits
from flows.menu import aside
from flows.places import Joining
from flows.replies import CarryOn, TalkToUs


def remark(state: State, bare: str, ctx: Context) -> Step[State] | None:
    """Answer a remark in its own tone; what was going on stays open."""
    w = words(ctx)
    if k.COMPLAINT.has(bare):
        pairs = ((t.TALK_TO_US, TalkToUs()), (unasked.NO_THANKS, CarryOn()))
        say = Say(w(unasked.THANKS_BAD), buttons(w, *pairs))
        return shown(_open(state), say, Record("complained"))
    if k.BOT.has(bare):
        return aside(state, ctx, w(t.A_BOT, company=fit(ctx.catalog.company.name, t.NAME)))
    if k.SEE_YOU.has(bare) and not isinstance(state, Draft):
        return aside(state, ctx, w(t.SEE_YOU_THEN))
    if k.COMING.has(bare) and not isinstance(state, Draft) and ctx.customer.visit_ahead:
        return open_visits()
    if k.NEVER_MIND.has(bare) and not isinstance(state, Draft | Joining):
        return at_menu(ctx, w(t.NO_MATTER))
    return None


def _open(state: State) -> Asking:
    return state if isinstance(state, Asking) else Idle()
