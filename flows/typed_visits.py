"""What customers type of visits that they have: see, move, cancel them, add to them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flows import asides, wishing
from flows import keywords as k
from flows import wording as t
from flows.adding import asks_for_more, asks_to_add
from flows.asking import words
from flows.draft import Draft, order_of
from flows.in_view import visit_in_view
from flows.machine import Context, State, Step
from flows.manage import ChoosingVisit, ViewingVisit, open_visit, open_visits
from flows.model import Wish
from flows.plain import plain
from flows.relative import relative
from flows.remarks import asks
from flows.several import booked_after, in_turn
from flows.which import Move, Named, is_not_today, move_in, tells, weekday_from
from flows.wishes import Wished, understand

_SAME_DAY: Final = timedelta()
"""Later or earlier than a visit, by nobody knows how much."""


def added(state: State, raw: str, bare: str, ctx: Context) -> Step[State] | None:
    """Add a service to the visit that is in front of them, or to one that they have."""
    adds, booked = asks_to_add(raw), visit_in_view(state)
    more = booked is not None and asks_for_more(raw)
    if not (more or (adds and ctx.customer.visit_ahead)):
        return None
    if asides.RELATIVES.has(bare) or k.SEVERAL_PEOPLE.has(bare):
        return None
    wished = understand(raw, ctx) or Wished()
    if isinstance(state, Draft) and not (adds and _is_of_another_day(state, wished, bare, ctx)):
        return None
    if not wished.services and not (adds and not asides.VISIT.whole.isdisjoint(bare.split())):
        return None
    if wished.says_when and not adds:
        return None  # another visit, on another day
    if booked is not None and not wished.says_when:
        return open_visit(booked, "add", adding=wished.services)
    which = Move(Named(Wish(wished.wish.day)), sure=False)
    return open_visits("add", move=which, adding=wished.services)


def _is_of_another_day(state: Draft, wished: Wished, bare: str, ctx: Context) -> bool:
    """Tell whether "my thursday visit" is named while something is booked for another day."""
    day = wished.wish.day
    if day is None or asides.VISIT.whole.isdisjoint(bare.split()):
        return False
    return day != order_of(state, wishing.held_wish(ctx, state)).wish.day


def about_visits(state: State, raw: str, bare: str, ctx: Context) -> Step[State] | None:
    """Show, move or cancel a visit."""
    moved = _moved(state, raw, bare, ctx)
    if moved is not None:
        return moved
    first, others = booked_after(raw, ctx)
    if k.CANCEL_VISIT.has(bare) or _cancels_one(state, first, k.bare(first), ctx):
        return in_turn(open_visits("cancel", wished=understand(first, ctx)), others)
    differs = relative(state, raw, bare, ctx) or _differs(state, raw, bare, ctx)
    if differs is not None:
        return differs
    said = bare.split()
    moves = k.MOVE_IT.has(bare) or (
        not asides.MOVES.whole.isdisjoint(said) and not asides.VISIT.whole.isdisjoint(said)
    )
    if (moves and not isinstance(state, Draft)) or k.CHANGE_VISIT.has(bare):
        return _changed(understand(raw, ctx), raw, ctx)
    return open_visits() if k.VISITS.has(bare) or asides.BOOKED.has(bare) else None


def _moved(state: State, raw: str, bare: str, ctx: Context) -> Step[State] | None:
    """Move the visit that is named by its day or time; of what is being booked, change the wish."""
    move = move_in(raw, bare, ctx)
    if move is None:
        return None
    theirs = ctx.customer.visit_ahead and move.asked and not _is_of_draft(state, move, ctx)
    if isinstance(state, Draft) and not theirs and not k.CHANGE_VISIT.has(bare):
        return _corrected(state, move, ctx) if move.said else None
    known = ctx.customer.visit_ahead or k.CHANGE_VISIT.has(bare)
    return open_visits("change", move=move) if known or move.asked else None


def _is_of_draft(state: State, move: Move, ctx: Context) -> bool:
    """Tell whether the day that is to be another is that of what is being booked."""
    if not isinstance(state, Draft):
        return False
    day, named = order_of(state, wishing.held_wish(ctx, state)).wish.day, move.which.wish.day
    if day is None or named is None:
        return named is None
    return day == named or (move.which.weekday and day.weekday() == named.weekday())


def _corrected(state: Draft, move: Move, ctx: Context) -> Step[State] | None:
    """Take the day or time that is named second for what is being booked."""
    text, now = move.said, order_of(state, wishing.held_wish(ctx, state)).wish.day
    if move.to_weekday and move.to is not None and move.to.wish.day is not None and now:
        text = f"{text} {weekday_from(now, move.to.wish.day, ctx).isoformat()}"
    return wishing.wish(state, text, k.bare(text), ctx)


def _cancels_one(state: State, raw: str, bare: str, ctx: Context) -> bool:
    """Tell whether a visit that they have is to be cancelled, by its day or its service."""
    if isinstance(state, Draft):
        return False
    cancels = bare.split(" ")[0] in k.CANCEL.whole
    cannot = ctx.customer.visit_ahead and asides.CANNOT.has(bare)  # "tuesday doesn't work anymore"
    if not (cancels or cannot):
        return False
    wished = understand(raw, ctx)
    return wished is not None and (wished.says_when or (cancels and bool(wished.services)))


def _differs(state: State, raw: str, bare: str, ctx: Context) -> Step[State] | None:
    """Move a visit that they have to another time or person, where no time is named."""
    if isinstance(state, Draft) or not ctx.customer.visit_ahead or k.BOOK.has(bare):
        return None
    wished = understand(raw, ctx) or Wished()
    said = bare.split()
    moves = not asides.MOVES.whole.isdisjoint(said)
    if wished.services:
        return _other_service(state, raw, bare, ctx, wished)
    if k.PRICE.has(bare) and (asides.ITS.has(bare) or not asides.ITS.whole.isdisjoint(said)):
        return open_visits()  # what they have says how long it takes and what it costs
    if wished.stranger or asides.INSTEAD_OF.has(bare):
        return None
    booked = visit_in_view(state)
    instead = not asides.INSTEAD.whole.isdisjoint(said)
    if wished.says_when:
        changes = instead and not wished.staff_id
        return _changed(wished, raw, ctx) if changes else None
    step = open_visit(booked, "change") if booked is not None else open_visits("change")
    other = k.OTHER_PERSON.has(bare) or wished.not_by is not None
    if other or (wished.staff_id and (instead or moves)):
        return _with(step, by=wished.staff_id or 0)
    differs = k.LATER.has(bare) or k.EARLIER.has(bare) or k.OTHER_TIME.has(bare)
    if differs or (asks(raw) and tells(raw, ctx, "LATER", "EARLIER")):
        return _with(step, shift=_SAME_DAY)
    return step if k.OTHER_DAY.has(bare) else None


def _other_service(
    state: State, raw: str, bare: str, ctx: Context, wished: Wished
) -> Step[State] | None:
    """Say that another service is another visit; a service and a time are the visit's new time."""
    moves = not asides.MOVES.whole.isdisjoint(bare.split())
    if moves and wished.says_when:
        return _changed(wished, raw, ctx)
    said = raw.split()
    to = [at for at, word in enumerate(said) if plain(word) in asides.MOVES_TO.whole]
    target = understand(" ".join(said[to[-1] :]), ctx) if moves and to else None
    if asides.INSTEAD_OF.has(bare) or asides.MAKE_IT.has(bare):
        target = wished
    if target is None or not target.services:
        return None
    text = raw if target is wished else " ".join(said[to[-1] :])
    intro = words(ctx)(t.OTHER_SERVICE_OTHER_VISIT)
    return wishing.wish(state, text, k.bare(text), ctx, intro=intro)


def _changed(wished: Wished | None, raw: str, ctx: Context) -> Step[State]:
    """Move a visit to the time that is named."""
    step = open_visits("change", wished=wished)
    return _with(step, weekday=is_not_today(wished, raw, ctx))


def _with(step: Step[ViewingVisit] | Step[ChoosingVisit], **known: object) -> Step[State]:
    return Step(step.state.model_copy(update=known), step.effects, step.ask)
