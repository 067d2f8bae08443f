"""A salon in memory for the tests of flows: what storage would answer, without a database.

Searching and booking have their own tests against PostgreSQL; this is the smallest calendar that a
conversation can be played against, with a clock that only moves when it is told to.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flows import effects as fx
from flows import events as ev
from flows.areas import Area, seen_from
from flows.hours import second_of
from flows.model import (
    Catalog,
    Company,
    FreeDay,
    Hold,
    Piece,
    Service,
    Slot,
    Staff,
    Usual,
    Visit,
    Wish,
    part_of,
)
from flows.nearest import Option, anytime, nearest, soonest
from tests.support.engaged import busy
from tests.support.lumi import LUMI, SERVICES, STAFF
from tests.support.queue import Queue
from tests.support.regulars import note, usual_of

Services = tuple[int, ...]
"""The services of a visit, in turn."""


def _services(
    ask: fx.FindEarliest | fx.FindDays | fx.FindTimes | fx.FindNearest | fx.HoldSlot,
) -> Services:
    return (ask.service_id, *ask.also)


@dataclass
class Salon:
    """The business and its calendar; `now` is the clock."""

    now: datetime = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # Friday, 10:00 in New York
    company: Company = LUMI
    services: tuple[Service, ...] = SERVICES
    staff: tuple[Staff, ...] = STAFF
    areas: tuple[Area, ...] = ()
    areas_of: dict[int, int] = field(default_factory=dict)  # by conversation
    popular: frozenset[time] = frozenset()
    visits: dict[UUID, tuple[int, Visit]] = field(default_factory=dict)  # with whose it is
    holds: dict[int, Hold] = field(default_factory=dict)  # by conversation
    taken: list[tuple[int, datetime, datetime]] = field(default_factory=list)  # by others
    booked_holds: dict[UUID, UUID] = field(default_factory=dict)
    unreachable: set[int] = field(default_factory=set)  # customers, by conversation
    with_person: dict[int, datetime] = field(default_factory=dict)
    queue: Queue = field(init=False)
    _made: int = 0
    _catalog: Catalog | None = None

    def __post_init__(self) -> None:
        self.queue = Queue(self)

    @property
    def catalog(self) -> Catalog:
        """The business as conversations know it."""
        if self._catalog is None:
            self._catalog = Catalog(self.company, self.services, self.staff, areas=self.areas)
        return self._catalog

    def change(self, **what: object) -> None:
        """Change the company, services or staff."""
        for name, value in what.items():
            setattr(self, name, value)
        self._catalog = None

    @property
    def zone(self) -> ZoneInfo:
        """The salon's time zone."""
        return self.company.zone

    def seen_by(self, who: int) -> Catalog:
        """The business on the clock of a customer's area."""
        return seen_from(self.catalog, self.areas_of.get(who))

    def answer(self, ask: fx.Ask, who: int) -> ev.Answer:  # noqa: C901 - one case per ask
        """Answer what a flow asks for one conversation."""
        match ask:
            case fx.FindEarliest():
                return self._earliest(ask, who)
            case fx.FindDays():
                return self._days(ask, who)
            case fx.FindTimes(_, staff_id, day, moving, _, but):
                slots = self._slots(_services(ask), staff_id, day, who, moving, but)
                return ev.TimesFound(day, tuple(slots))
            case fx.FindNearest():
                return ev.NearestFound(self._nearest(ask, who))
            case fx.HoldSlot():
                return self._hold(ask, who)
            case fx.BookSlot(hold):
                return self._book(hold, who)
            case fx.FindVisits(past):
                return self._visits(who, past=past)
            case fx.FindVisit(booking_id):
                owner, visit = self.visits.get(booking_id, (0, None))
                return ev.VisitFound(visit if owner == who else None)
            case fx.CancelVisit(booking_id):
                return self._cancel(booking_id, who)
            case fx.MoveVisit(booking_id, hold):
                return self._move(booking_id, hold, who)
            case fx.ConfirmVisit() | fx.CompleteVisit() | fx.RateVisit() | fx.NoteLate():
                return note(self, ask, who)
            case _:
                return self.queue.answer(ask, who)

    def new_id(self) -> UUID:
        """Another id."""
        self._made += 1
        return UUID(int=5000 + self._made)

    def free(self, service_id: int, staff_id: int | None, *, kept: bool = True) -> list[Slot]:
        """All that is free, whoever asks; unless `kept`, also what is kept for staff to choose."""
        if not kept:
            chosen, self.queue.kept = self.queue.kept, []
            found = self.free(service_id, staff_id)
            self.queue.kept = chosen
            return found
        days = (self._slots((service_id,), staff_id, day, 0, None) for day in self._dates())
        return [slot for of_day in days for slot in of_day]

    def works(self, slot: Slot) -> bool:
        """Tell whether somebody works at a time, busy or not."""
        nobody = replace(self, taken=[], visits={}, holds={})
        services = (slot.service_id, *slot.also)
        return nobody._free(slot.staff_id, services, slot.start, 0, None) is not None

    def book(self, who: int, service_id: int, staff_id: int, start: datetime) -> Visit:
        """Give a customer a visit, whatever the rules say."""
        offer = self.catalog.staff_by_id[staff_id].offers[service_id]
        end = start + timedelta(minutes=offer.minutes)
        slot = Slot(service_id, staff_id, start, end, offer.price_minor)
        return self._made_visit(slot, who)

    def usual(self, who: int) -> Usual | None:
        """What a customer usually books, as storage would have learned it."""
        return usual_of([visit for owner, visit in self.visits.values() if owner == who])

    def ahead(self, who: int) -> tuple[Visit, ...]:
        """A customer's visits to come."""
        return self._visits(who, past=False).upcoming

    # --- searching ---

    def _free(
        self, staff_id: int, services: Services, start: datetime, who: int, moving: UUID | None
    ) -> Slot | None:
        someone = self.catalog.staff_by_id.get(staff_id)
        if someone is None or services[0] not in someone.offers:
            return None
        pieces, end = [], start
        for id_ in services:  # one person does all of it here, if they can
            able = [one for one in (someone, *self.catalog.staff) if id_ in one.offers]
            if not able:
                return None
            offer = able[0].offers[id_]
            begin, end = end, end + timedelta(minutes=offer.minutes)
            pieces.append(Piece(id_, able[0].id, begin, end, offer.price_minor))
        policy, wall = self.company.policy, start.astimezone(self.zone)
        soonest = self.now + timedelta(minutes=policy.lead_minutes)
        last = self.now.astimezone(self.zone).date() + timedelta(days=policy.horizon_days)
        minutes = wall.hour * 60 + wall.minute
        works = any(
            shift.weekday == wall.isoweekday()
            and shift.starts <= wall.time()
            and end <= datetime.combine(wall.date(), shift.ends, self.zone)
            for shift in someone.shifts
        )
        if not works or start < soonest or wall.date() > last or minutes % policy.grid_minutes:
            return None
        for piece in pieces:
            for begin, over in busy(self, piece.staff_id, who, moving):
                if begin < piece.end and piece.start < over:
                    return None
        return Slot(
            services[0],
            staff_id,
            start,
            end,
            sum(piece.price_minor for piece in pieces),
            wall.time() in self.popular,
            pieces=tuple(pieces) if len(services) > 1 else (),
        )

    def _team(self, services: Services, staff_id: int | None, but: int | None = None) -> list[int]:
        team = [person.id for person in self.catalog.staff_for(services[0])]
        return [id_ for id_ in team if staff_id in (None, id_) and id_ != but]

    def _slots(
        self,
        services: Services,
        staff_id: int | None,
        day: date,
        who: int,
        moving: UUID | None,
        but: int | None = None,
    ) -> list[Slot]:
        found: dict[datetime, Slot] = {}
        step = timedelta(minutes=self.company.policy.grid_minutes)
        reads = self.seen_by(who).zone
        days = [day] if reads == self.zone else [day + timedelta(days=by) for by in (-1, 0, 1)]
        shifts = [
            (id_, theirs, shift)
            for id_ in self._team(services, staff_id, but)
            for theirs in days
            for shift in self.catalog.staff_by_id[id_].shifts
            if shift.weekday == theirs.isoweekday()
        ]
        for id_, theirs, shift in shifts:
            at = datetime.combine(theirs, shift.starts, self.zone).astimezone(UTC)
            closes = datetime.combine(theirs, shift.ends, self.zone).astimezone(UTC)
            while at < closes:
                new = at not in found and at.astimezone(reads).date() == day
                slot = self._free(id_, services, at, who, moving) if new else None
                if slot is not None:
                    found[at] = slot
                at += step
        return [found[at] for at in sorted(found)]

    def _dates(self) -> list[date]:
        today = self.now.astimezone(self.zone).date()
        return [today + timedelta(days=n) for n in range(self.company.policy.horizon_days + 1)]

    def _earliest(self, ask: fx.FindEarliest, who: int) -> ev.EarliestFound:
        found, what = [], _services(ask)
        for id_ in self._team(what, None, ask.but):
            days = (self._slots(what, id_, day, who, None) for day in self._dates())
            found += next(([slots[0]] for slots in days if slots), [])
        return ev.EarliestFound(ask.service_id, tuple(found))

    def _days(self, ask: fx.FindDays, who: int) -> ev.DaysFound:
        days: list[FreeDay] = []
        for day in self._dates():
            slots = self._slots(_services(ask), ask.staff_id, day, who, ask.moving, ask.but)
            if day >= ask.from_day and slots:
                days.append(FreeDay(day, len(slots), self._busy_part(ask, day, who, slots)))
        return ev.DaysFound(tuple(days[: ask.limit]), more=len(days) > ask.limit)

    def _busy_part(self, ask: fx.FindDays, day: date, who: int, slots: list[Slot]) -> str | None:
        """Name the part of a day of whose times at most a third are left."""
        nobody = replace(self, taken=[], visits={}, holds={})
        empty = nobody._slots(_services(ask), ask.staff_id, day, who, None)
        reads = self.seen_by(who).zone
        possible = Counter(part_of(slot.start.astimezone(reads).time()) for slot in empty)
        left = Counter(part_of(slot.start.astimezone(reads).time()) for slot in slots)
        return next((part for part, n in possible.items() if left[part] * 3 <= n), None)

    def _nearest(self, ask: fx.FindNearest, who: int) -> tuple[Slot, ...]:
        options: dict[Option, Slot] = {}
        for day in self._dates():
            of_day: dict[int, Option] = {}  # by whom was wished for, or else by anyone
            for id_ in dict.fromkeys((ask.staff_id, None)):
                for slot in self._slots(_services(ask), id_, day, who, ask.moving, ask.but):
                    second = second_of(slot.start.astimezone(self.seen_by(who).zone).time())
                    if second not in of_day:
                        start = int(slot.start.timestamp())
                        option = Option(start, day.toordinal(), second, slot.staff_id)
                        of_day[second], options[option] = option, slot
        liked = {second_of(at) for at in self.popular}
        if ask.soonest and ask.wish == Wish():
            picked = soonest(list(options), limit=ask.limit)
        elif ask.wish.day is None:
            picked = anytime(list(options), popular=liked, limit=ask.limit)
        else:
            day_number = ask.wish.day.toordinal()
            picked = nearest(
                options,
                ask.wish,
                day=day_number,
                staff_id=ask.staff_id,
                popular=liked,
                limit=ask.limit,
            )
        return tuple(options[option] for option in picked)

    # --- booking ---

    def _hold(self, ask: fx.HoldSlot, who: int) -> ev.SlotHeld | ev.SlotTaken:
        self.holds.pop(who, None)
        for id_ in self._team(_services(ask), ask.staff_id, ask.but):
            slot = self._free(id_, _services(ask), ask.start, who, ask.moving)
            if slot is not None:
                self._made += 1
                self.holds[who] = Hold(UUID(int=self._made), slot, ask.until)
                return ev.SlotHeld(self.holds[who])
        return ev.SlotTaken()

    def _book(self, hold: Hold, who: int) -> ev.SlotBooked | ev.SlotTaken:
        before = self.booked_holds.get(hold.id)
        if before is not None:
            return ev.SlotBooked(self.visits[before][1])
        slot = hold.slot
        if not self._still_offered(slot):
            return ev.SlotTaken()
        services = (slot.service_id, *slot.also)
        if self._free(slot.staff_id, services, slot.start, who, None) is None:
            return ev.SlotTaken()
        visit = self._made_visit(slot, who)
        self.booked_holds[hold.id] = visit.id
        self.holds.pop(who, None)
        return ev.SlotBooked(visit, self.queue.waits(who, slot.service_id))

    def _made_visit(self, slot: Slot, who: int) -> Visit:
        self._made += 1
        known = self.catalog
        visit = Visit(
            id=UUID(int=1000 + self._made),
            code=f"LUMI{self._made}",
            service_id=slot.service_id,
            staff_id=slot.staff_id,
            start=slot.start,
            end=slot.end,
            status="confirmed",
            price_minor=slot.price_minor,
            currency=self.company.currency,
            timezone=self.seen_by(who).timezone,
            service_name=known.service_by_id[slot.service_id].name,
            staff_name=known.staff_by_id[slot.staff_id].name,
            pieces=self._named(slot),
            area_id=self.areas_of.get(who),
        )
        self.visits[visit.id] = (who, visit)
        return visit

    def _named(self, slot: Slot) -> tuple[Piece, ...]:
        services, staff = self.catalog.service_by_id, self.catalog.staff_by_id
        names = [(services[one.service_id].name, staff[one.staff_id].name) for one in slot.pieces]
        return tuple(
            replace(piece, service_name=service, staff_name=person)
            for piece, (service, person) in zip(slot.pieces, names, strict=True)
        )

    def _still_offered(self, slot: Slot) -> bool:
        known = self.catalog
        return slot.service_id in known.service_by_id and slot.staff_id in known.staff_by_id

    def _visits(self, who: int, *, past: bool) -> ev.VisitsFound:
        mine = sorted(
            (visit for owner, visit in self.visits.values() if owner == who),
            key=lambda visit: visit.start,
        )
        ahead = [v for v in mine if v.start > self.now and v.status == "confirmed"]
        over = [v for v in reversed(mine) if v.start <= self.now] if past else []
        waiting = self.queue.waits(who) is not None
        return ev.VisitsFound(tuple(ahead), tuple(over), waiting)

    def _cancel(self, booking_id: UUID, who: int) -> ev.VisitCancelled | ev.VisitGone:
        owner, visit = self.visits.get(booking_id, (0, None))
        if owner != who or visit is None or visit.status != "confirmed":
            return ev.VisitGone()
        visit = replace(visit, status="cancelled")
        self.visits[booking_id] = (who, visit)
        return ev.VisitCancelled(visit)

    def _move(
        self, booking_id: UUID, hold: Hold, who: int
    ) -> ev.VisitMoved | ev.VisitGone | ev.SlotTaken:
        owner, visit = self.visits.get(booking_id, (0, None))
        if owner != who or visit is None or visit.status != "confirmed":
            return ev.VisitGone()
        slot, services = hold.slot, (hold.slot.service_id, *hold.slot.also)
        if self._free(slot.staff_id, services, slot.start, who, booking_id) is None:
            return ev.SlotTaken()
        visit = replace(
            visit,
            pieces=self._named(slot),
            price_minor=slot.price_minor,
            staff_id=slot.staff_id,
            start=slot.start,
            end=slot.end,
            timezone=self.seen_by(who).timezone,
            area_id=self.areas_of.get(who, visit.area_id),
            staff_name=self.catalog.staff_by_id[slot.staff_id].name,
            moves=visit.moves + 1,
            confirmed=False,
            reminded_at=None,
        )
        self.visits[booking_id] = (who, visit)
        self.holds.pop(who, None)
        return ev.VisitMoved(visit)
