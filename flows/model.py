"""The nouns of the trade: companies, what they offer, who does it, and the time it takes.

Instants are aware datetimes in UTC; local wall time appears only with the zone it is meant in.
Money is an integer in the currency's minor unit (cents).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Literal, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from flows.areas import Area
from flows.values import valueclass

MORNING, AFTERNOON, EVENING = PARTS = ("morning", "afternoon", "evening")
"""The parts of a day, in order."""
NOON, EVENING_BEGINS = time(12), time(17)
"""Where the afternoon and the evening begin."""


def part_of(at: time) -> str:
    """Return the part of the day that a local time of day is in."""
    if at < NOON:
        return MORNING
    return AFTERNOON if at < EVENING_BEGINS else EVENING


WaitlistPolicy: TypeAlias = Literal[
    "first_come", "best_fit", "highest_value", "everyone_at_once", "staff_picks"
]
"""Who is offered a time that came free: whoever waits longest; whose visit fills it best; whose
visit is worth most; all at once, and the first to answer has it; whom the staff choose, as long as
the time is kept for their choice."""

NoShowRule: TypeAlias = Literal["off", "unconfirmed", "unattended"]
"""Who is taken to have stayed away when nobody says: nobody; who was asked whether they will come
and never answered; everybody of whom nobody noted that they came."""


class Policy(BaseModel):
    """A company's rules, from `companies.settings`; what is not set there has the default here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    lead_minutes: int = Field(default=60, ge=0)
    horizon_days: int = Field(default=30, ge=1, le=730)
    grid_minutes: int = Field(default=15, ge=1, le=1440)
    cancel_notice_minutes: int = Field(default=24 * 60, ge=0)
    hold_minutes: int = Field(default=5, ge=1, le=120)
    offer_minutes: int = Field(default=15, ge=1, le=24 * 60)
    person_minutes: int = Field(default=12 * 60, ge=1)
    quiet_from: time = time(21, 0)
    quiet_until: time = time(9, 0)
    # 0: there is no such reminder, or nobody is asked whether they are still there.
    first_reminder_minutes: int = Field(default=24 * 60, ge=0, le=14 * 24 * 60)
    second_reminder_minutes: int = Field(default=2 * 60, ge=0, le=14 * 24 * 60)
    ask_rating: bool = True
    suggest_usual: bool = True
    no_show_rule: NoShowRule = "off"
    no_show_minutes: int = Field(default=2 * 60, ge=0, le=2 * 24 * 60)  # after the visit's end
    idle_minutes: int = Field(default=15, ge=0, le=12 * 60)
    waitlist_policy: WaitlistPolicy = "first_come"
    pick_minutes: int = Field(default=30, ge=2, le=24 * 60)  # for staff to pick, then first come
    waitlist_queue_alert: int = Field(default=50, ge=1)
    waitlist_expiry_alert_percent: int = Field(default=30, ge=1, le=100)
    messages_per_second: int = Field(default=80, ge=1)
    gap_free: bool = False  # show first what leaves no gaps between visits


@valueclass(frozen=True, slots=True)
class Company:
    """A business: the tenant that everything else belongs to."""

    id: int
    name: str
    vertical: str
    timezone: str
    locale: str
    currency: str
    country_code: str
    phone_number_id: str
    phone: str | None = None
    address: str | None = None
    policy: Policy = field(default_factory=Policy)

    @property
    def zone(self) -> ZoneInfo:
        """Return the company's time zone."""
        return ZoneInfo(self.timezone)


@valueclass(frozen=True, slots=True)
class Service:
    """What can be booked; minutes and price are the usual ones, staff may have their own."""

    id: int
    name: str
    minutes: int
    price_minor: int
    description: str | None = None
    category: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)  # language -> name
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    lead_minutes: int | None = None
    horizon_days: int | None = None
    grid_minutes: int | None = None
    grid_offset_minutes: int = 0
    processing: tuple[int, int] | None = None  # from and to, in minutes: the staff are free then
    capacity: int = 1  # above one, customers share the time
    resources: tuple[int, ...] = ()  # of each of these it takes one unit

    def name_in(self, locale: str) -> str:
        """Return the service's name in a language, or the one it was entered with."""
        return self.names.get(locale) or self.names.get(locale.split("_")[0]) or self.name


@valueclass(frozen=True, slots=True)
class Shift:
    """A stretch of local wall time in a weekly pattern.

    An end that is not after its start is on the next day.
    """

    weekday: int  # ISO: Monday is 1
    starts: time
    ends: time
    kind: str = "work"  # or "break"


@valueclass(frozen=True, slots=True)
class DatedShift:
    """A stretch on one date: instead of the weekly pattern, on top of it, or cut out of it."""

    day: date
    kind: str  # "replace", "add" or "break"
    starts: time | None = None
    ends: time | None = None


@valueclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of time, start included and end not."""

    start: datetime
    end: datetime


@valueclass(frozen=True, slots=True)
class StaffOffer:
    """What one service takes and costs when done by one staff member."""

    minutes: int
    price_minor: int


@valueclass(frozen=True, slots=True)
class Staff:
    """Who does the work, when, and which services."""

    id: int
    name: str
    timezone: str | None = None
    offers: Mapping[int, StaffOffer] = field(default_factory=dict)  # service id -> offer
    shifts: tuple[Shift, ...] = ()
    dated_shifts: tuple[DatedShift, ...] = ()
    time_off: tuple[Span, ...] = ()
    most_visits_a_day: int | None = None
    weight: int = 1  # whoever has twice the weight gets twice the visits for anyone


@valueclass(frozen=True, slots=True)
class Resource:
    """So many rooms, chairs or bays that are alike; a visit takes one unit."""

    id: int
    name: str
    units: int = 1


@valueclass(frozen=True)
class Catalog:
    """All that a conversation reads about one business, as of one version of it."""

    company: Company
    services: tuple[Service, ...]  # active ones, in the order to show
    staff: tuple[Staff, ...]  # active ones, in the order to show
    holidays: frozenset[date] = frozenset()
    flags: Mapping[str, bool] = field(default_factory=dict)
    version: int = 0
    resources: tuple[Resource, ...] = ()  # active ones
    areas: tuple[Area, ...] = ()  # active ones: where the business comes to
    area: Area | None = None  # the one that it is seen from (flows.areas)
    # What is worked out from this catalogue once (flows.hours): lives and dies with it.
    memo: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def service_by_id(self) -> Mapping[int, Service]:
        """Map the id of every active service to it."""
        return {service.id: service for service in self.services}

    @cached_property
    def staff_by_id(self) -> Mapping[int, Staff]:
        """Map the id of every active staff member to them."""
        return {person.id: person for person in self.staff}

    @cached_property
    def resource_by_id(self) -> Mapping[int, Resource]:
        """Map the id of every active resource to it."""
        return {resource.id: resource for resource in self.resources}

    def staff_for(self, service_id: int) -> tuple[Staff, ...]:
        """Return who does a service, in the order to show."""
        return self._teams.get(service_id, ())

    @cached_property
    def _teams(self) -> Mapping[int, tuple[Staff, ...]]:
        done = {service_id for person in self.staff for service_id in person.offers}
        return {id_: tuple(one for one in self.staff if id_ in one.offers) for id_ in done}

    @cached_property
    def bookable_services(self) -> tuple[Service, ...]:
        """Return the services that somebody does."""
        return tuple(service for service in self.services if service.id in self._teams)

    @cached_property
    def prices(self) -> Mapping[int, tuple[int, int]]:
        """Map every bookable service to what it costs at least and at most, in minor units."""
        cost = {id_: [p.offers[id_].price_minor for p in team] for id_, team in self._teams.items()}
        return {id_: (min(all_), max(all_)) for id_, all_ in cost.items()}

    @cached_property
    def opening(self) -> tuple[time, time]:
        """Return the local times between which somebody works on some day of the week."""
        work = [shift for person in self.staff for shift in person.shifts if shift.kind == "work"]
        if not work or any(shift.ends <= shift.starts for shift in work):
            return time.min, time.max
        return min(shift.starts for shift in work), max(shift.ends for shift in work)

    @cached_property
    def area_by_id(self) -> Mapping[int, Area]:
        """Map the id of every active area to it."""
        return {area.id: area for area in self.areas}

    @property
    def timezone(self) -> str:
        """Return the name of the zone whose clock customers are told."""
        return self.company.timezone if self.area is None else self.area.timezone

    @cached_property
    def zone(self) -> ZoneInfo:
        """Return the zone whose clock customers are told: the company's, or their area's."""
        return self.company.zone if self.area is None else self.area.zone


@valueclass(frozen=True, slots=True)
class Usual:
    """What a customer usually books, learned from their completed visits; local to the company."""

    service_id: int
    staff_id: int
    weekday: int  # ISO: Monday is 1
    at: time
    visits: int
    last_visit: datetime
    confidence: float  # how much of what they did was just this: 0 to 1
    gap_days: float | None = None  # between visits, on average
    next_on: date | None = None


@valueclass(frozen=True, slots=True)
class Customer:
    """Who books, as far as a conversation needs to know.

    Of regulars alone it is known what they usually book; of them and of whoever types, whether a
    visit of theirs is ahead.
    """

    id: int
    name: str | None = None
    locale: str | None = None
    opted_out: bool = False
    marketing_off: bool = False
    usual: Usual | None = None
    visit_ahead: bool = False


NOBODY = Customer(0)
"""Who the desk is with."""


@valueclass(frozen=True, slots=True)
class Piece:
    """One service of a visit that has several, which follow each other."""

    service_id: int
    staff_id: int
    start: datetime
    end: datetime
    price_minor: int
    service_name: str = ""
    staff_name: str = ""


@valueclass(frozen=True, slots=True)
class Slot:
    """A time somebody can be booked for a service.

    A visit of several services has `pieces`, in order: the slot names the first service and who
    does it, and is as long and costs as much as all of them.
    """

    service_id: int
    staff_id: int
    start: datetime
    end: datetime
    price_minor: int
    popular: bool = False
    snug: bool = True  # leaves no gap between visits, where the business cares
    pieces: tuple[Piece, ...] = ()

    @property
    def also(self) -> tuple[int, ...]:
        """Return the services that follow the first."""
        return tuple(piece.service_id for piece in self.pieces[1:])


@valueclass(frozen=True, slots=True)
class FreeDay:
    """A local date with free times.

    `busy_part` names the part of day that has the fewest left, if one stands out.
    """

    day: date
    times: int
    busy_part: str | None = None  # "morning", "afternoon", "evening"


@valueclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for, as far as they said it; local to the company."""

    day: date | None = None
    at: time | None = None
    part: str | None = None  # "morning", "afternoon", "evening"

    @property
    def part_of_day(self) -> str | None:
        """Return the part of the day that is wished for, or that the time is in."""
        return self.part if self.at is None else part_of(self.at)


@valueclass(frozen=True, slots=True)
class Hold:
    """A slot kept for one conversation until a moment."""

    id: UUID
    slot: Slot
    until: datetime


@valueclass(frozen=True, slots=True)
class Visit:
    """A booking as its customer sees it."""

    id: UUID
    code: str
    service_id: int
    staff_id: int
    start: datetime
    end: datetime
    status: str
    price_minor: int
    currency: str
    timezone: str
    service_name: str
    staff_name: str
    moves: int = 0  # how often it was moved
    confirmed: bool = False  # its customer has said that they will come
    rating: int | None = None  # 1 to 5
    reminded_at: datetime | None = None  # by the first reminder
    area_id: int | None = None  # where it takes place, of a business that comes
    pieces: tuple[Piece, ...] = ()  # of a visit of several services, each with its names

    @property
    def also(self) -> tuple[int, ...]:
        """Return the services that follow the first."""
        return tuple(piece.service_id for piece in self.pieces[1:])

    def starts_within(self, span: timedelta, now: datetime) -> bool:
        """Tell whether the visit starts less than `span` from now."""
        return self.start - now < span
