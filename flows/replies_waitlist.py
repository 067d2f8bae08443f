"""What the buttons and list rows of the waitlist mean; see `flows.replies`.

A part of the day is its number, 0 is any; whoever is not wanted comes last.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, TypeAlias
from uuid import UUID

from flows.model import PARTS
from flows.values import valueclass


@valueclass(frozen=True, slots=True)
class StartWaiting:
    """[Join the waitlist]: for a service if it is known, by anyone or somebody."""

    form: ClassVar = "wait:start"
    service_id: int | None
    staff_id: int | None
    but: int | None = None


@valueclass(frozen=True, slots=True)
class MoreWaitServices:
    """(More services) that one can wait for, from an offset on."""

    form: ClassVar = "wait:services"
    offset: int


@valueclass(frozen=True, slots=True)
class PickWaitDay:
    """[Pick a day], or (Later dates), from a day on."""

    form: ClassVar = "wait:pick"
    service_id: int
    staff_id: int | None
    from_day: date
    but: int | None = None


@valueclass(frozen=True, slots=True)
class WaitOn:
    """The days to wait for, first and last."""

    form: ClassVar = "wait:days"
    service_id: int
    staff_id: int | None
    first: date
    last: date
    but: int | None = None


@valueclass(frozen=True, slots=True)
class WaitFor:
    """All that is waited for."""

    form: ClassVar = "wait:for"
    service_id: int
    staff_id: int | None
    first: date
    last: date
    part: int
    but: int | None = None


@valueclass(frozen=True, slots=True)
class WaitAnyway:
    """(None of these suit): wait although there is time."""

    form: ClassVar = "wait:anyway"
    service_id: int
    staff_id: int | None
    first: date
    last: date
    part: int
    but: int | None = None


@valueclass(frozen=True, slots=True)
class ListPlaces:
    """[Waitlist]: what they wait for."""

    form: ClassVar = "wait:list"


@valueclass(frozen=True, slots=True)
class ShowPlace:
    """One of the places in that list."""

    form: ClassVar = "wait:show"
    waitlist_id: int


@valueclass(frozen=True, slots=True)
class LeaveList:
    """[Leave the list]."""

    form: ClassVar = "wait:leave"
    waitlist_id: int


@valueclass(frozen=True, slots=True)
class TakeIt:
    """[Take it]: the time on offer, as it was offered."""

    form: ClassVar = "wait:take"
    waitlist_id: int
    offer_id: UUID
    service_id: int
    who: int
    start: datetime


@valueclass(frozen=True, slots=True)
class PassOn:
    """[Pass]: not this one."""

    form: ClassVar = "wait:pass"
    waitlist_id: int
    offer_id: UUID


OfWaitlist: TypeAlias = (
    StartWaiting
    | MoreWaitServices
    | PickWaitDay
    | WaitOn
    | WaitFor
    | WaitAnyway
    | ListPlaces
    | ShowPlace
    | LeaveList
    | TakeIt
    | PassOn
)


def part_number(part: str | None) -> int:
    """Return the number of a part of the day."""
    return 0 if part is None else PARTS.index(part) + 1


def part_named(number: int) -> str | None:
    """Return the part of the day with this number."""
    return PARTS[number - 1] if 0 < number <= len(PARTS) else None
