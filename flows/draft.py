"""What is known of a visit that is being booked or moved, one state per question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from flows.asking import Asking
from flows.model import Hold, Wish
from flows.values import valueclass

NO_WISH = Wish()


@valueclass(frozen=True, slots=True)
class Before:
    """Where a visit that is being moved is now."""

    booking_id: UUID
    start: datetime
    staff_id: int
    ends: datetime | None = None  # where a service is added to it


@valueclass(frozen=True, slots=True)
class Order:
    """All that is known so far; staff None is anyone once `who_known`."""

    service_id: int | None = None
    staff_id: int | None = None
    who_known: bool = False
    wish: Wish = NO_WISH
    from_day: date | None = None
    moving: UUID | None = None
    before: Before | None = None  # where that visit is now
    also: tuple[int, ...] = ()  # services that follow in the same visit
    anytime: bool = False  # some good times are what they wish for
    soonest: bool = False  # or the next ones
    not_by: int | None = None  # whom they do not want
    engaged: tuple[datetime, datetime] | None = None  # when they have the visit that this is beside


class ChoosingArea(Asking):
    """Where to? What was wanted before that had to be asked is kept."""

    step: Literal["where.choosing_area"] = "where.choosing_area"
    order: Order = Order()
    tapped: datetime | None = None  # the moment that they had picked
    waiting: Mapping[str, Any] | None = None  # waitlist.joining

    @property
    def moving(self) -> UUID | None:
        """Return the visit that is being moved, if one is."""
        return self.order.moving


class ChoosingService(Asking):
    """Which service? A person or a time may be known already."""

    step: Literal["booking.choosing_service"] = "booking.choosing_service"
    staff_id: int | None = None
    who_known: bool = False
    wish: Wish = NO_WISH
    from_day: date | None = None
    only: tuple[int, ...] = ()  # the services that what they wrote may mean
    offset: int = 0
    anytime: bool = False
    soonest: bool = False
    not_by: int | None = None


class ChoosingStaff(Asking):
    """By whom?"""

    step: Literal["booking.choosing_staff"] = "booking.choosing_staff"
    service_id: int
    also: tuple[int, ...] = ()
    moving: UUID | None = None
    before: Before | None = None
    offset: int = 0
    not_by: int | None = None


class ChoosingDay(Asking):
    """On which day?"""

    step: Literal["booking.choosing_day"] = "booking.choosing_day"
    service_id: int
    also: tuple[int, ...] = ()
    staff_id: int | None = None
    moving: UUID | None = None
    before: Before | None = None
    from_day: date
    missed: Wish = NO_WISH  # what they wanted and could not have
    not_by: int | None = None


class ChoosingTime(Asking):
    """At what time: of `day`, or nearest to the wish where that is None."""

    step: Literal["booking.choosing_time"] = "booking.choosing_time"
    service_id: int
    also: tuple[int, ...] = ()
    staff_id: int | None = None
    moving: UUID | None = None
    before: Before | None = None
    day: date | None = None
    wish: Wish = NO_WISH
    page: int = 0
    start: datetime | None = None  # the time that is being held, and
    who: int | None = None  # who it would be, where anyone was asked for
    tapped: bool = False  # the wish was one of our rows, not typed
    missed: Wish = NO_WISH  # what they wanted and could not have
    not_by: int | None = None
    engaged: tuple[datetime, datetime] | None = None


class Confirming(Asking):
    """Shall it be booked, or moved?"""

    step: Literal["booking.confirming"] = "booking.confirming"
    staff_id: int | None = None  # who was asked for
    moving: UUID | None = None
    before: Before | None = None
    hold: Hold
    not_by: int | None = None


Draft = ChoosingArea | ChoosingService | ChoosingStaff | ChoosingDay | ChoosingTime | Confirming


def order_of(state: Draft, held: Wish = NO_WISH) -> Order:
    """Return what a state knows; `held` is the time that is held, as local wall time."""
    match state:
        case ChoosingArea():
            return state.order
        case ChoosingService():
            known = Order(None, state.staff_id, state.who_known, state.wish, state.from_day)
            known = replace(known, anytime=state.anytime, soonest=state.soonest)
            return replace(known, not_by=state.not_by)
        case ChoosingStaff(service_id=id_, not_by=not_by):
            known = Order(id_, moving=state.moving, before=state.before, also=state.also)
            return replace(known, not_by=not_by)
        case ChoosingDay():
            order = Order(state.service_id, from_day=state.from_day, also=state.also)
        case ChoosingTime():
            day = state.wish.day if state.day is None else state.day
            order = Order(state.service_id, wish=replace(state.wish, day=day), also=state.also)
            order = replace(order, engaged=state.engaged)
        case _:
            slot = state.hold.slot
            order = Order(slot.service_id, wish=held, also=slot.also)
    return replace(
        order,
        staff_id=state.staff_id,
        who_known=True,
        moving=state.moving,
        before=state.before,
        not_by=state.not_by,
    )
