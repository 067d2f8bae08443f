"""Why a time is not offered: the rules that stand against it, each by name.

It looks at one start as `flows.slots` does at a whole month, and finds nothing exactly where that
lists the start. What it says is for whoever runs the business, who asks about the rules they made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from flows.hours import DAY, Calendar, Interval, Stretch, instant, moment
from flows.slots import Need, first_on_grid

_TAKEN: Final = {
    "booking": "booked",
    "hold": "held",
    "offer": "on_offer",
    "time_off": "time_off",
    "external": "external",
    "session": "booked",
}


class Claimed(NamedTuple):
    """Time that somebody has: from, to (epoch seconds), "visit" or "buffer", and what for."""

    start: int
    end: int
    part: str
    kind: str


class Reason(NamedTuple):
    """A rule that a start breaks, and the time that has to do with it, where there is such."""

    rule: str
    start: int | None = None
    end: int | None = None


def untimely(
    calendar: Calendar, at: int, *, now: int, earliest: int, latest: int
) -> Iterator[Reason]:
    """What is wrong with a start whoever does it: it is over, too soon, too far, or comes again."""
    if at <= now:
        yield Reason("past")
    elif at < earliest:
        yield Reason("lead", end=earliest)
    if at > latest:
        yield Reason("horizon", end=latest + 1)
    if any(low < at < high for low, high in calendar.repeated(at, at)):
        yield Reason("second_coming")


def not_at_work(calendar: Calendar, staff_id: int, need: Need, at: int) -> Iterator[Reason]:
    """What of somebody's hours stands against a start: closed, a break, time off, the grid."""
    around = calendar.stretches(staff_id, at, at)
    inside = next((one for one in around if one.start <= at < one.stop), None)
    if inside is None:
        yield _closed(calendar, staff_id, at, around)
    else:
        if at + need.length > inside.end:
            cause = _closed(calendar, staff_id, inside.end, around)
            yield cause if cause.rule == "break" else Reason("too_long", inside.end)
        if (at - first_on_grid(inside.anchor, need)) % need.grid:
            yield Reason("grid", inside.anchor)
    for start, end in calendar.away(staff_id):
        if start < at + need.length and at < end:
            yield Reason("time_off", start, end)


def in_the_way(need: Need, claims: Iterable[Claimed], at: int) -> Iterator[Reason]:
    """Which of somebody's claims a visit would meet, and whether with a buffer only."""
    for claim in claims:
        if claim.part == "seat":
            continue  # the group that it is in has the time
        meets_visit = _meets(need.work, at, claim)
        if claim.part == "visit" and meets_visit:
            yield Reason(_TAKEN[claim.kind], claim.start, claim.end)
        elif meets_visit or (claim.part == "visit" and _meets(need.buffers, at, claim)):
            yield Reason("buffer", claim.start, claim.end)


def skipped(at: datetime) -> bool:
    """Tell whether a local time is one that its zone's clocks skip."""
    again = moment(int(at.timestamp())).astimezone(at.tzinfo)
    return again.replace(tzinfo=None) != at.replace(tzinfo=None, fold=0)


def _meets(parts: Sequence[Interval], at: int, claim: Claimed) -> bool:
    return any(at + low < claim.end and claim.start < at + high for low, high in parts)


def _closed(calendar: Calendar, staff_id: int, at: int, around: Sequence[Stretch]) -> Reason:
    """Why nobody works at a moment that is in none of the stretches around it."""
    zone = calendar.zone_of(staff_id)
    local = moment(at).astimezone(zone)
    today, second = local.toordinal(), local.hour * 3600 + local.minute * 60 + local.second
    for day, wall in ((today, second), (today - 1, second + DAY)):
        work, breaks = calendar.pattern(staff_id, day)
        if any(start <= wall < end for start, end in work):
            for near in (day - 1, day, day + 1):
                _, breaks = calendar.pattern(staff_id, near)
                shift = (day - near) * DAY
                for start, end in breaks:
                    if start <= wall + shift < end:
                        found = (instant(near, start, zone), instant(near, end, zone))
                        return Reason("break", *found)
    if today in calendar.holidays:
        return Reason("holiday")
    before = max((one.end for one in around if one.end <= at), default=None)
    after = min((one.start for one in around if one.start > at), default=None)
    return Reason("closed", before, after)
