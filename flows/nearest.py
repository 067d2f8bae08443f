"""Which free times to offer to somebody who wished for another one.

The closer to the wish, the better; what "close" means has an order of its own (`Closeness`). A few
of each kind are taken before more of one kind, so that the answer is a choice and not the same
hour in quarters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import IntEnum
from itertools import groupby
from typing import Final, NamedTuple

from flows.hours import DAY, second_of
from flows.model import AFTERNOON, EVENING, EVENING_BEGINS, MORNING, NOON, Wish

HOUR: Final = 3_600
_PARTS: Final = {
    MORNING: (0, second_of(NOON)),
    AFTERNOON: (second_of(NOON), second_of(EVENING_BEGINS)),
    EVENING: (second_of(EVENING_BEGINS), DAY),
}
_ABOUT: Final = HOUR // 2
_A_DAY: Final = 4
_USUAL_HOURS: Final = (10 * HOUR, 14 * HOUR, 18 * HOUR)
"""What "anytime" means where nothing is known about popular times."""


class Closeness(IntEnum):
    """How a free time relates to a wish, best first."""

    WISH = 0
    SAME_DAY_AND_STAFF = 1  # within two hours
    NEXT_DAY_SAME_TIME_AND_STAFF = 2
    SAME_DAY = 3
    SAME_TIME_WITHIN_THREE_DAYS = 4
    NEXT_WEEK = 5  # the same weekday
    OTHER = 6


class Option(NamedTuple):
    """A free time: its epoch second, the local date as ordinal and the second of that day.

    It is `snug` where it leaves no gap between visits, or where the business does not care.
    """

    start: int
    day: int
    second: int
    staff_id: int
    snug: bool = True


def nearest(
    options: Iterable[Option],
    wish: Wish,
    *,
    day: int,
    staff_id: int | None,
    popular: Collection[int] = (),
    limit: int,
) -> list[Option]:
    """The options nearest to a wish for a local date, best first; `popular` are seconds of the day.

    Of those that are equally close on a day, the ones that leave no gap come first. Whoever names
    no time of day gets popular times first.
    """
    ranked = sorted((_rank(option, wish, day, staff_id, popular), option) for option in options)
    if len(ranked) <= limit:
        return [option for _, option in ranked]
    chosen = []
    for closeness, same in groupby(ranked, key=lambda entry: entry[0][0]):
        most = limit if closeness == Closeness.WISH else max(1, limit // 3)
        chosen += list(same)[:most]
    chosen = chosen[:limit]
    if len(chosen) < limit:
        taken = set(chosen)
        rest = [entry for entry in ranked if entry not in taken]
        chosen = sorted(chosen + rest[: limit - len(chosen)])
    return [option for _, option in chosen]


def anytime(
    options: Sequence[Option], *, popular: Collection[int] = (), limit: int
) -> list[Option]:
    """Free times for somebody who does not mind when: up to three a day, spread over it.

    Popular times where there are such, otherwise those around ten, two and six o'clock; only such
    as leave no gap, where there are any.
    """
    chosen: list[Option] = []
    for _, group in groupby(sorted(options), key=lambda option: option.day):
        all_ = list(group)
        of_day = [option for option in all_ if option.snug] or all_
        liked = [option for option in of_day if option.second in popular]
        chosen += liked[:3] if liked else _spread(of_day)
        if len(chosen) >= limit:
            break
    return chosen[:limit]


def soonest(options: Sequence[Option], *, limit: int) -> list[Option]:
    """The next free times: a few a day, apart by more than some minutes."""
    chosen: list[Option] = []
    for _, group in groupby(sorted(options), key=lambda option: option.day):
        of_day: list[Option] = []
        for option in group:
            apart = not of_day or option.start - of_day[-1].start > _ABOUT
            if apart and len(of_day) < _A_DAY:
                of_day.append(option)
        chosen += of_day
        if len(chosen) >= limit:
            break
    return chosen[:limit]


def _spread(options: Sequence[Option]) -> list[Option]:
    closest = {min(options, key=lambda option: abs(option.second - hour)) for hour in _USUAL_HOURS}
    return sorted(closest)


def _rank(
    option: Option, wish: Wish, day: int, staff_id: int | None, popular: Collection[int]
) -> tuple[int, int, bool, int, bool, bool]:
    days, off = abs(option.day - day), _off(option.second, wish)
    same_staff = staff_id is None or option.staff_id == staff_id
    closeness = _closeness(option.day - day, off, same_staff=same_staff)
    liked = wish.at is None and option.second in popular
    return closeness, days, not option.snug, off, not same_staff, not liked


def _closeness(days: int, off: int, *, same_staff: bool) -> Closeness:
    same_time = off <= _ABOUT
    if days == 0 and same_staff and off <= 2 * HOUR:
        return Closeness.SAME_DAY_AND_STAFF if off else Closeness.WISH
    if days == 1 and same_staff and same_time:
        return Closeness.NEXT_DAY_SAME_TIME_AND_STAFF
    if days == 0:
        return Closeness.SAME_DAY
    if abs(days) <= 3 and same_time:
        return Closeness.SAME_TIME_WITHIN_THREE_DAYS
    return Closeness.NEXT_WEEK if days == 7 else Closeness.OTHER


def _off(second: int, wish: Wish) -> int:
    """How many seconds a time of day is off the one wished for."""
    if wish.at is not None:
        return abs(second - second_of(wish.at))
    low, high = _PARTS.get(wish.part or "", (0, DAY))
    return max(low - second, second - high + 1, 0)
