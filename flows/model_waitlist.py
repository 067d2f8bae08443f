"""The nouns of the waitlist: what is wanted, a place in the queue, who waits, and an offer."""

from __future__ import annotations

from datetime import date, datetime

from flows.model import Slot, Span
from flows.values import valueclass


@valueclass(frozen=True, slots=True)
class Wanted:
    """What somebody waits for: local days from first to last, a part of the day, by whom.

    No part is any time, no staff member anyone, or anyone `but` whom they do not want.
    """

    first: date
    last: date
    part: str | None = None
    staff_id: int | None = None
    but: int | None = None


@valueclass(frozen=True, slots=True)
class Place:
    """Somebody's place on the waitlist, as they see it; the first in line has position 1.

    In line are those who may want the same time of the same person, whatever visit they wait for:
    whoever waits for other days or other people is not before them.
    """

    id: int
    service_id: int
    wanted: tuple[Wanted, ...]
    position: int
    ends: datetime


@valueclass(frozen=True, slots=True)
class Waiter:
    """Somebody's place on the waitlist, as whoever gives out free time sees it.

    `declined` are starts that they do not want, in epoch seconds: (staff id, first, last).
    `engaged` is when they are not free themselves: visits of other kinds, what is on offer to them.
    """

    id: int
    customer_id: int
    conversation_id: int
    service_id: int
    wanted: tuple[Wanted, ...]
    joined: datetime
    flexible: bool = False
    offered: bool = False  # they have an offer for this place that they have not answered
    silent: bool = False  # they opted out, or cannot be reached
    person_until: datetime | None = None
    declined: tuple[tuple[int, int, int], ...] = ()
    engaged: tuple[Span, ...] = ()
    area_id: int | None = None  # by whose clock their wishes are meant


@valueclass(frozen=True, slots=True)
class Kept:
    """A time that came free and is nobody's until a moment: staff choose whom it is offered to."""

    slot: Slot
    until: datetime


@valueclass(frozen=True, slots=True)
class Offer:
    """A time to be kept for whoever of these answers first, until a moment."""

    slot: Slot
    until: datetime
    waiters: tuple[Waiter, ...]
