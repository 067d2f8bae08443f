"""Yes and no, however they are put; and the choice of whoever does not mind."""

from __future__ import annotations

from dataclasses import replace

from flows import asides
from flows import keywords as k
from flows.asking import today
from flows.draft import NO_WISH, ChoosingDay, ChoosingStaff, ChoosingTime, Confirming, order_of
from flows.machine import Context, State, Step
from flows.ordering import Choosing, go_on
from flows.picking import pick_slot
from flows.plain import plain
from flows.replies import MoreDays, PickSlot, decode


def agrees(raw: str) -> bool:
    """Tell whether a text says yes and nothing else: "yes please thank you so much"."""
    text = k.spelt(plain(raw))
    if k.NO.is_all_of(text, asides.MILD, k.YES):
        return False
    return k.YES.has(k.bare(raw)) or k.YES.is_all_of(text, asides.MILD, k.THANKS)


def refuses(raw: str) -> bool:
    """Tell whether a text says no and nothing else."""
    return k.NO.has(k.bare(raw)) or k.NO.is_all_of(k.spelt(plain(raw)), asides.MILD)


def any_will_do(state: State, ctx: Context, *, last: bool) -> Step[Choosing] | None:
    """Choose somebody, a day or a time: of times the first that is offered, or the last."""
    match state:
        case ChoosingStaff():
            return go_on(ctx, replace(order_of(state), who_known=True))
        case ChoosingDay():
            return go_on(ctx, replace(order_of(state), wish=NO_WISH, from_day=None, anytime=True))
        case ChoosingTime():
            replies = [decode(id_) for id_, _ in state.offered]
            slots = [reply for reply in replies if isinstance(reply, PickSlot)]
            return pick_slot(ctx, slots[-1 if last else 0], order_of(state)) if slots else None
        case _:
            return None


def extreme(state: State, bare: str, ctx: Context) -> Step[Choosing] | None:
    """Take the earliest or the latest time of the day that is in front of them."""
    if not isinstance(state, ChoosingTime) or state.day is None:
        return None
    if k.LAST_ONE.has(bare):
        return any_will_do(state, ctx, last=True)
    first = k.FIRST_ONE.has(bare) or asides.EARLIEST.has(bare)
    return any_will_do(state, ctx, last=False) if first else None


def nothing_fits(state: State, ctx: Context) -> Step[Choosing] | None:
    """Look at other days for whom no time fits, and at later ones for whom no day does."""
    match state:
        case ChoosingTime() | Confirming():
            return go_on(ctx, replace(order_of(state), wish=NO_WISH, from_day=None))
        case ChoosingDay():
            more = [decode(id_) for id_, _ in state.offered]
            later = [reply.from_day for reply in more if isinstance(reply, MoreDays)]
            first = later[0] if later else today(ctx)
            return go_on(ctx, replace(order_of(state), wish=NO_WISH, from_day=first))
        case _:
            return None
