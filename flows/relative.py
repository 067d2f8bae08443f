"""Wishes that say how something is to differ: later, an hour earlier, another day or person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from flows import asides
from flows import keywords as k
from flows.asking import local, words
from flows.draft import (
    NO_WISH,
    ChoosingArea,
    ChoosingDay,
    ChoosingService,
    ChoosingStaff,
    ChoosingTime,
    Confirming,
    Draft,
    Order,
    order_of,
)
from flows.machine import Context, State, Step
from flows.manage import open_visits
from flows.model import PARTS, Usual, Wish
from flows.ordering import Choosing, ask_nearest, ask_staff, go_on
from flows.picking import pick_day, pick_times
from flows.replies import MoreDays, MoreTimes
from flows.when_shift import pushed_by, shift_in
from flows.when_tokens import Token, has, read
from flows.which import Move, shifted_visit
from flows.wishes import understand

_STEP: Final = timedelta(hours=2)
"""How much later "later" is than a time that is in front of them."""
_WEEK: Final = timedelta(days=7)


def relative(state: State, raw: str, bare: str, ctx: Context) -> Step[State] | None:
    """Go on from what is in front of them, or from the visit that they have."""
    shift = _shift(raw, bare, ctx)
    if not isinstance(state, Draft):
        return _of_a_visit(raw, bare, ctx, shift)
    if isinstance(state, ChoosingArea | ChoosingService):
        return None
    if k.OTHER_PERSON.has(bare):
        return ask_staff(ctx, replace(_order(state, ctx), staff_id=None, wish=NO_WISH))
    if isinstance(state, ChoosingStaff):
        return None
    if k.OTHER_DAY.has(bare):
        return go_on(ctx, replace(_order(state, ctx), wish=NO_WISH, from_day=None))
    if k.OTHER_TIME.has(bare) and not isinstance(state, ChoosingDay):
        return _other_times(state, ctx)
    if shift is not None:
        return _shifted(state, ctx, shift)
    way = _way(raw, bare, ctx)
    return _along(state, ctx, way) if way else None


def _way(raw: str, bare: str, ctx: Context) -> int:
    """Tell whether a text asks for what is later (1) or earlier (-1), and for nothing else."""
    if k.LATER.has(bare):
        return 1
    if k.EARLIER.has(bare):
        return -1
    tokens = read(raw, words(ctx).language)
    way = next((n for n in (1, -1) if _tells_way(tokens, n)), 0)
    return way if way and understand(raw, ctx) is None else 0


def as_usual(known: Usual, raw: str, ctx: Context) -> Step[Choosing] | None:
    """Look for the usual at another time than usual: "like last time but later"."""
    tokens = read(raw, words(ctx).language)
    way = next((n for n in (1, -1) if _tells_way(tokens, n)), 0)
    shift = shift_in(tokens) or way * _STEP
    if not way or abs(shift) >= timedelta(days=1):
        return None
    at = datetime.combine(ctx.now.date(), known.at) + shift
    order = Order(known.service_id, known.staff_id, who_known=True, wish=Wish(at=at.time()))
    return go_on(ctx, order)


def _tells_way(tokens: Sequence[Token], way: int) -> bool:
    return any(has(tokens, at, "LATER" if way > 0 else "EARLIER") for at in range(len(tokens)))


def _of_a_visit(raw: str, bare: str, ctx: Context, shift: timedelta | None) -> Step[State] | None:
    """Move a visit that they have by so much, or to the same time of another day."""
    another = k.BOOK.has(bare) or asides.RELATIVES.has(bare)
    if k.SAME_TIME.has(bare) and ctx.customer.visit_ahead and not another:
        return open_visits("change", wished=understand(raw, ctx))
    moves = ctx.customer.visit_ahead or k.CHANGE_VISIT.has(bare) or k.MOVE_IT.has(bare)
    if shift is None or not moves:
        return None
    return open_visits("change", shift=shift, move=Move(shifted_visit(raw, ctx)))


def _shift(raw: str, bare: str, ctx: Context) -> timedelta | None:
    """Read by how much it is to differ, if a word in the text says that it is to."""
    if not asides.MOVES.whole.isdisjoint(bare.split()):
        pushed = pushed_by(read(raw, words(ctx).language))
        if pushed is not None:
            return -pushed if not asides.SOONER.whole.isdisjoint(bare.split()) else pushed
    if k.DIFFERS.isdisjoint(bare.split()):
        return None
    return shift_in(read(raw, words(ctx).language))


def _order(state: Draft, ctx: Context) -> Order:
    return order_of(state, _held(state, ctx))


def _held(state: Draft, ctx: Context) -> Wish:
    if not isinstance(state, Confirming):
        return NO_WISH
    start = local(ctx, state.hold.slot.start)
    return Wish(start.date(), start.time())


def _along(state: ChoosingDay | ChoosingTime | Confirming, ctx: Context, way: int) -> Step[State]:
    """Show what comes after, or before, what is in front of them."""
    order = _order(state, ctx)
    what = (order.service_id or 0, order.staff_id)
    if isinstance(state, ChoosingDay):
        first = max(state.from_day + way * _WEEK, local(ctx, ctx.now).date())
        return pick_day(ctx, MoreDays(*what, first, order.moving, order.also), order)
    if order.wish.at is not None:
        return _shifted(state, ctx, way * _STEP)
    parts = PARTS if way > 0 else PARTS[::-1]
    part = order.wish.part
    following = parts[-1] if part is None else parts[min(parts.index(part) + 1, len(parts) - 1)]
    if order.wish.day is None or following == part:
        return _other_times(state, ctx)
    return go_on(ctx, replace(order, wish=replace(order.wish, part=following)))


def _other_times(state: ChoosingTime | Confirming, ctx: Context) -> Step[State]:
    """Show more times of the day that is in front of them."""
    order = _order(state, ctx)
    page = state.page + 1 if isinstance(state, ChoosingTime) else 0
    if order.service_id is None or order.wish.day is None:
        return go_on(ctx, replace(order, wish=NO_WISH))
    what = (order.service_id, order.staff_id)
    more = MoreTimes(*what, order.wish.day, page, order.moving, order.also)
    return pick_times(ctx, more, order)


def _shifted(state: Draft, ctx: Context, shift: timedelta) -> Step[State]:
    """Look around the time that is so much later or earlier."""
    order = _order(state, ctx)
    if order.wish.day is None:
        return go_on(ctx, order)
    if order.wish.at is None:
        return go_on(ctx, replace(order, wish=Wish(order.wish.day + shift, part=order.wish.part)))
    at = datetime.combine(order.wish.day, order.wish.at) + shift
    wish = Wish(at.date(), at.time())
    if abs(shift) == _STEP:  # about so much
        return ask_nearest(ctx, replace(order, wish=wish))
    return go_on(ctx, replace(order, wish=wish))
