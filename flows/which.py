"""Which visit is to be moved, and when it is to be instead: "move tuesday to wednesday"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from flows import asides
from flows import keywords as k
from flows.asking import today, words
from flows.cards import visit_time
from flows.draft import NO_WISH, Order
from flows.machine import Context, Step
from flows.model import Visit, Wish
from flows.ordering import Choosing, ask_staff, go_on
from flows.plain import plain
from flows.values import valueclass
from flows.when_tokens import BRIEF, MONTHS, WEEKDAYS, has, read
from flows.wishes import Wished, understand

_MOST_WORDS: Final = 24
_DAY: Final = timedelta(days=1)
_WEEK: Final = 7 * _DAY
_DIFFERS: Final = ("LATER", "EARLIER")
_UNITS: Final = ("DAY", "WEEK", "HOUR", "MINUTE", "HALF_HOUR")
_STOPS: Final = ",.;?!"


@valueclass(frozen=True, slots=True)
class Named:
    """A day or a time that was named; of a weekday, which one of them is left open."""

    wish: Wish = NO_WISH
    weekday: bool = False


@valueclass(frozen=True, slots=True)
class Move:
    """The visit that is meant, by when it is now, and when it is to be; None: that is not said."""

    which: Named
    to: Wished | None = None
    to_weekday: bool = False
    services: tuple[int, ...] = ()
    said: str = ""  # where to, as it was said
    sure: bool = True  # else it may be the time that it is to be moved to
    asked: bool = False  # it is asked in so many words: "move …"


def move_in(raw: str, bare: str, ctx: Context) -> Move | None:
    """Read which visit is to be moved and where to; None where a text does not say which."""
    said = raw.split()[:_MOST_WORDS]
    moves = not asides.MOVES.whole.isdisjoint(bare.split())
    if not (moves or _refuses(raw) or asides.INSTEAD_OF.has(plain(raw))):
        return None
    if tells(raw, ctx, *_DIFFERS):
        return None  # flows.relative reads by how much
    for first, second, swapped in _halves(said, moves=moves):
        now, then = (second, first) if swapped else (first, second)
        which, to = _named(now, ctx), _heard(then, ctx)
        if which is None or to is None or not (moves or swapped or _refuses(now)):
            continue
        told = understand(now, ctx)
        services = told.services if told is not None else ()
        if _is_introduced(first.split(), ctx) and (which.wish.day is None or to.wish.day is None):
            continue  # "to tuesday to 3 pm" is one time
        return Move(which, to, _is_weekday(then, ctx), services, then, asked=moves)
    wished = understand(raw, ctx) if moves and not _is_introduced([*said, ""], ctx) else None
    if wished is None or wished.wish.day is None:
        return None
    which = Named(Wish(wished.wish.day), _is_weekday(raw, ctx))
    to = None if wished.wish == which.wish else wished
    return Move(which, to, services=wished.services, sure=_is_theirs(said, ctx))


def shifted_visit(raw: str, ctx: Context) -> Named:
    """Return the day of the visit that is to be later or earlier: "my tuesday visit an hour"."""
    said = raw.split()[:_MOST_WORDS]
    for end in range(1, len(said) + 1):
        text = " ".join(said[:end])
        if tells(text, ctx, *_DIFFERS, *_UNITS):
            break
        wished = understand(text, ctx)
        if wished is not None and wished.wish.day is not None:
            return Named(Wish(wished.wish.day), _is_weekday(text, ctx))
    return Named()


def meant(visits: Sequence[Visit], which: Named, ctx: Context) -> tuple[Visit, ...]:
    """Return those of somebody's visits that are at the time which was named.

    Where a weekday was named and none is on the next one, those of any such day.
    """
    fits = [visit for visit in visits if _is_at(visit, which.wish, ctx)]
    day = which.wish.day
    if not fits and which.weekday and day is not None:
        fits = [
            visit
            for visit in visits
            if (on := _day_of(visit, ctx)).weekday() == day.weekday()
            and _is_at(visit, replace(which.wish, day=on), ctx)
        ]
    return tuple(fits)


def placed(wish: Wish, visit: Visit, ctx: Context) -> Wish:
    """Return a wish whose weekday is the one that is meant of a visit: of its week, or the next."""
    on = _day_of(visit, ctx)
    return replace(wish, day=on if wish.day is None else weekday_from(on, wish.day, ctx))


def weekday_from(on: date, named: date, ctx: Context) -> date:
    """Return the day that is meant by a weekday: in the week of a day, or in the next."""
    day = on + (named.weekday() - on.weekday()) * _DAY
    return day if day >= today(ctx) and day != on else day + _WEEK


def is_not_today(wished: Wished | None, raw: str, ctx: Context) -> bool:
    """Tell whether a weekday is named that is today's: nobody calls today so who moves a visit."""
    return wished is not None and wished.wish.day == today(ctx) and _is_weekday(raw, ctx)


def _is_theirs(said: Sequence[str], ctx: Context) -> bool:
    """Tell "my friday visit", which they have, from "on friday", which may be when it is to be."""
    following = (word for before, word in pairwise(said) if plain(before) in asides.MINE.whole)
    heard = (understand(word, ctx) for word in following)
    return any(wished is not None and wished.says_when for wished in heard)


def shifted(now: datetime, shift: timedelta) -> Wish:
    """Return the time that is so much later than now; by nobody knows how much: on that day."""
    if not shift:
        return Wish(now.date())
    return Wish((now + shift).date(), (now + shift).time())


def by_another(ctx: Context, order: Order, staff_id: int, now: datetime) -> Step[Choosing]:
    """Have somebody else do a visit, at its time if that is free; 0: who is asked."""
    if not staff_id:
        return ask_staff(ctx, replace(order, wish=NO_WISH, not_by=None))
    wish = order.wish if order.wish != NO_WISH else Wish(now.date(), now.time())
    return go_on(ctx, replace(order, staff_id=staff_id, wish=wish))


def _halves(said: Sequence[str], *, moves: bool) -> Iterator[tuple[str, str, bool]]:
    """Cut a text where "to" stands, or "instead of", which says it the other way round."""
    plains = [plain(word) for word in said]
    for at in range(1, len(said)):
        for length in (2, 1):
            if " ".join(plains[at : at + length]) in asides.INSTEAD_OF.whole:
                yield " ".join(said[:at]), " ".join(said[at + length :]), True
                return
    for at in range(1, len(said)):
        if plains[at] in asides.MOVES_TO.whole:
            yield " ".join(said[:at]), k.moved_to(" ".join(said[at:])), False
    for at in range(1, len(said)):  # "can't do tuesday, how about wednesday": nothing joins them
        if not moves or said[at - 1][-1:] in _STOPS:
            yield " ".join(said[:at]), " ".join(said[at:]), False


def _named(text: str, ctx: Context) -> Named | None:
    wished = understand(text, ctx)
    if wished is None or wished.wish == NO_WISH:
        return None
    return Named(wished.wish, _is_weekday(text, ctx))


def _heard(text: str, ctx: Context) -> Wished | None:
    wished = understand(text, ctx)
    return wished if wished is not None and (wished.says_when or wished.same_time) else None


def _refuses(text: str) -> bool:
    return asides.CANNOT.has(plain(text))


def _is_introduced(said: Sequence[str], ctx: Context) -> bool:
    """Tell whether what is named in a text stands after a "to": it is where to move."""
    for at, word in enumerate(said[:-1]):
        if plain(word) in asides.MOVES_TO.whole:
            wished = understand(k.moved_to(" ".join(said[at:])), ctx)
            if wished is not None and wished.says_when:
                return True
    return False


def tells(text: str, ctx: Context, *codes: str) -> bool:
    """Tell whether a text has a word with one of the codes of time."""
    tokens = read(text, words(ctx).language)
    return any(has(tokens, at, *codes) for at in range(len(tokens)))


def _is_weekday(text: str, ctx: Context) -> bool:
    """Tell whether a text names a day by the weekday alone: which week is open."""
    tokens = read(text, words(ctx).language)
    places = range(len(tokens))
    dated = any(tokens[at].kind in ("date", "ordinal") for at in places)
    closer = any(has(tokens, at, "NEXT", "THIS", "WEEK", *MONTHS) for at in places)
    return not dated and not closer and any(has(tokens, at, *WEEKDAYS, *BRIEF) for at in places)


def _is_at(visit: Visit, wish: Wish, ctx: Context) -> bool:
    start = visit_time(ctx, visit, visit.start)
    named = Wish(start.date(), start.time())
    return (
        wish.day in (None, named.day)
        and wish.at in (None, named.at)
        and wish.part in (None, named.part_of_day)
    )


def _day_of(visit: Visit, ctx: Context) -> date:
    return visit_time(ctx, visit, visit.start).date()
