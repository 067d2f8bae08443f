"""The desk: each company's conversation with nobody, for what concerns no single customer.

Its events come through the inbox and its turns are taken like any other, one at a time, so that two
decisions about the same thing cannot be made at once. It says nothing: it tells conversations.

Above all it gives out time that came free. Whatever happens, it looks at everything that is free
and at everybody who waits, so that a look that was missed is made up for by the next one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from flows.effects import Alert, ArmTimer, CancelTimer, Effect, FindWaiters, OfferTimes, Tell
from flows.events import (
    Event,
    OfferPicked,
    PlaceOffered,
    TimeFreed,
    TimerFired,
    TimesOffered,
    WaitersFound,
)
from flows.machine import Context, State, Step
from flows.matching import SENSIBLE, fitting, plan
from flows.model import Slot
from flows.model_waitlist import Kept, Offer

LOOK: Final = "desk:look"
"""The timer that makes the desk look again."""
UNENDED: Final = timedelta(minutes=6)
"""An offer that has been over for so long was not ended by its customer's conversation."""
ROUNDS: Final = 3
"""How often it looks within a turn, when what it would offer was taken from under its hands."""
CHOICE: Final = timedelta(minutes=2)
"""Staff are not asked to choose in less time than this."""
ENOUGH_OFFERS: Final = 10
"""Of fewer offers than this nobody can say how many are answered."""


class Resting(State):
    """Nothing is to be decided; what operators were alerted of, and when it looks again."""

    step: Literal["desk.resting"] = "desk.resting"
    look_at: datetime | None = None
    long_queue: bool = False
    silence: bool = False
    kept: tuple[Kept, ...] = ()  # for staff to choose whom it is offered to
    left: tuple[Kept, ...] = ()  # they did not, so it goes to whoever came first


class Deciding(State):
    """Who is offered what is free?"""

    step: Literal["desk.deciding"] = "desk.deciding"
    resting: Resting = Resting()
    only: int | None = None
    round: int = 1
    more: bool = False


def rest(state: State, event: Event, ctx: Context) -> Step[Resting | Deciding] | None:
    """Look around when something may have come free; take note of the rest."""
    resting = state if isinstance(state, Resting) else Resting()
    match event:
        case TimeFreed():
            return _look(Deciding(resting=resting))
        case TimerFired(key=key):  # or the end of a hold, which may leave its time to others
            looked = resting.model_copy(update={"look_at": None}) if key == LOOK else resting
            return _look(Deciding(resting=looked))
        case OfferPicked(waitlist_id):
            return _look(Deciding(resting=resting, only=waitlist_id))
        case _:
            return Step(resting)


def decide(state: Deciding, event: Event, ctx: Context) -> Step[Resting | Deciding] | None:
    """Give out what is free, and tell those whom it concerns."""
    match event:
        case WaitersFound():
            return _give_out(state, event, ctx)
        case TimesOffered():
            return _offered(state, event, ctx)
        case _:
            return rest(state.resting, event, ctx)


def _look(state: Deciding) -> Step[Deciding]:
    return Step(state, ask=FindWaiters(picked=state.only is not None))


def _give_out(state: Deciding, found: WaitersFound, ctx: Context) -> Step[Resting | Deciding]:
    resting, effects = _alerts(_without_the_past(state.resting, ctx.now), found, ctx)
    effects += [Tell(to, lost, f"lost:{lost.offer_id}:{to}") for to, lost in found.lost]
    planned = plan(ctx.catalog, found.waiters, found.free, now=ctx.now, only=state.only)
    offers, keep = planned.offers, tuple[Kept, ...]()
    if ctx.catalog.company.policy.waitlist_policy == "staff_picks" and state.only is None:
        offers, keep = _for_staff(resting, planned.offers, ctx)
        if keep:
            choices = len(fitting(ctx.catalog, found.waiters, found.free, now=ctx.now))
            effects.append(Alert("choices", choices, 1))
    due = min(filter(None, (planned.look_at, found.look_at)), default=None)
    if offers:  # should nobody end them, this look will
        over = max(offer.until for offer in offers) + UNENDED
        due = min(due or over, over)
    resting, timer = _look_again(resting, due, keep)
    effects += timer
    if not offers and not keep:
        return Step(resting, tuple(effects))
    deciding = state.model_copy(update={"resting": resting, "more": planned.more})
    return Step(deciding, tuple(effects), OfferTimes(offers, keep, picked=state.only is not None))


def _without_the_past(resting: Resting, now: datetime) -> Resting:
    """Forget choices that are made or past; what nobody chose in time is left to all."""
    over = tuple(one for one in resting.kept if one.until <= now)
    left = tuple(one for one in (*resting.left, *over) if one.slot.start > now)
    kept = tuple(one for one in resting.kept if one.until > now)
    return resting.model_copy(update={"kept": kept, "left": left})


def _for_staff(
    resting: Resting, offers: tuple[Offer, ...], ctx: Context
) -> tuple[tuple[Offer, ...], tuple[Kept, ...]]:
    """Tell what is offered at once from what staff may choose about, and until when.

    After them there must be time to ask who waits: what starts too soon for that does not wait.
    """
    policy = ctx.catalog.company.policy
    at_once: list[Offer] = []
    keep: list[Kept] = []
    for offer in offers:
        asking = timedelta(minutes=policy.offer_minutes) + SENSIBLE
        until = min(ctx.now + timedelta(minutes=policy.pick_minutes), offer.slot.start - asking)
        left = any(_meet(offer.slot, one.slot) for one in resting.left)
        if left or until - ctx.now < CHOICE:
            at_once.append(offer)
        else:
            keep.append(Kept(offer.slot, until))
    return tuple(at_once), tuple(keep)


def _look_again(
    resting: Resting, due: datetime | None, keep: tuple[Kept, ...]
) -> tuple[Resting, list[Effect]]:
    """Look again by then, or when the first of what is kept for staff is not any more."""
    due = min((*filter(None, (due,)), *(one.until for one in (*resting.kept, *keep))), default=None)
    if due == resting.look_at:
        return resting, []
    timer = CancelTimer(LOOK) if due is None else ArmTimer(LOOK, "desk_looks", due)
    return resting.model_copy(update={"look_at": due}), [timer]


def _meet(one: Slot, other: Slot) -> bool:
    same = one.staff_id == other.staff_id
    return same and one.start < other.end and other.start < one.end


def _offered(state: Deciding, event: TimesOffered, ctx: Context) -> Step[Resting | Deciding]:
    effects: list[Effect] = []
    for offer_id, offer in event.offers:
        for waiter in offer.waiters:
            told = PlaceOffered(
                waiter.id, offer_id, offer.slot, offer.until, shared=len(offer.waiters) > 1
            )
            effects.append(Tell(waiter.conversation_id, told, f"offer:{offer_id}:{waiter.id}"))
    taken = [offer.slot for _, offer in event.offers]
    kept = [one for one in state.resting.kept if not any(_meet(one.slot, it) for it in taken)]
    resting = state.resting.model_copy(update={"kept": (*kept, *event.kept)})
    if event.lost and state.round < ROUNDS:
        again = state.model_copy(update={"resting": resting, "round": state.round + 1})
        return Step(again, tuple(effects), FindWaiters(picked=state.only is not None))
    if event.lost or state.more:
        effects.append(Tell(None, TimeFreed(), f"more:{ctx.turn}"))
    return Step(resting, tuple(effects))


def _alerts(resting: Resting, found: WaitersFound, ctx: Context) -> tuple[Resting, list[Effect]]:
    """Tell operators once that the queue is long or offers are not answered, and once that not."""
    policy, effects = ctx.catalog.company.policy, list[Effect]()
    waiting, limit = len(found.waiters), policy.waitlist_queue_alert
    if (waiting > limit) != resting.long_queue:
        effects.append(Alert("queue", waiting, limit, over=waiting > limit))
        resting = resting.model_copy(update={"long_queue": waiting > limit})
    offers, most = found.answered + found.silent, policy.waitlist_expiry_alert_percent
    percent = 100 * found.silent // offers if offers else 0
    silence = offers >= ENOUGH_OFFERS and percent > most
    if silence != resting.silence:
        effects.append(Alert("silence", percent, most, over=silence))
        resting = resting.model_copy(update={"silence": silence})
    return resting, effects
