"""Who is offered which free time: the desk's rules, as a plan of offers.

Time that came free is given out all at once. Waiters come in the order of the company's policy;
each gets the first of the times that they wish for, of which nothing has been given to somebody
before them, so that a long free stretch serves several. Nobody is offered two times that overlap,
or a time that they declined, or one at which they have another visit.

An offer is open for `offer_minutes`, shorter where the visit starts soon. At night only what
cannot wait for the morning is offered; what waits is looked at again when the night is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from flows.areas import seen_from
from flows.hours import Calendar, DayBounds, calendar_of, epoch, moment
from flows.model import PARTS, Catalog, Policy, Slot
from flows.model_waitlist import Offer, Waiter, Wanted
from flows.slots import Need, need_of, within
from flows.values import valueclass

Free = Mapping[int, Mapping[int, Sequence[range]]]
"""Starts that are free, in epoch seconds: service id -> staff id -> ranges."""

SENSIBLE: Final = timedelta(minutes=10)
"""Between the last moment to answer and the visit: nobody flies."""
LEAST: Final = timedelta(minutes=2)
"""A time is not offered for less than this."""
MOST: Final = 25
"""How many offers are made in one go."""
_MORNING_NEEDS: Final = timedelta(hours=1)
"""What is offered in the morning must leave so much before it is too late to book."""


class Opening(NamedTuple):
    """A free start of somebody; `room` is how long they are free around it, in seconds.

    One that is `odd` leaves a rest before it that no visit of this kind fits into.
    """

    odd: bool
    start: int
    staff_id: int
    room: int


@valueclass(frozen=True, slots=True)
class Plan:
    """What to offer now, and when to look again; `more`: there is more than fits in one go."""

    offers: tuple[Offer, ...] = ()
    look_at: datetime | None = None
    more: bool = False


def plan(
    catalog: Catalog,
    waiters: Sequence[Waiter],
    free: Free,
    *,
    now: datetime,
    only: int | None = None,
) -> Plan:
    """Give out what is free; with `only`, to this waiter alone, whatever policy and night say."""
    return _Round(catalog, free, now, only).plan(waiters)


def fitting(
    catalog: Catalog, waiters: Sequence[Waiter], free: Free, *, now: datetime
) -> list[tuple[Waiter, Slot]]:
    """Return for every waiter whom something would fit the first time that does, in their order."""
    round_ = _Round(catalog, free, now, None)
    found = []
    for waiter in sorted(waiters, key=_by_arrival):
        if waiter.offered:
            continue
        opening = next(iter(round_.openings(waiter)), None)
        if opening is not None:
            found.append((waiter, round_.slot(waiter, opening)))
    return found


def answer_by(start: datetime, now: datetime, policy: Policy) -> datetime | None:
    """Return until when an offer is open; None when the visit starts too soon for one."""
    until = min(now + timedelta(minutes=policy.offer_minutes), start - SENSIBLE)
    return until if until - now >= LEAST else None


def quiet_until(now: datetime, policy: Policy, catalog: Catalog) -> datetime | None:
    """Return when the night is over; None by day."""
    local = now.astimezone(catalog.zone)
    begins, ends, at = policy.quiet_from, policy.quiet_until, local.time()
    if begins < ends:
        quiet, days = begins <= at < ends, 0
    else:
        quiet, days = begins != ends and (at >= begins or at < ends), int(at >= begins)
    if not quiet:
        return None
    over = datetime.combine(local.date() + timedelta(days=days), ends, catalog.zone)
    return max(over.astimezone(now.tzinfo), now)


def starts_of(wanted: Wanted, calendar: Calendar) -> Iterator[tuple[int, int]]:
    """Return the stretches in which a wished visit may start: from, and before, by day."""
    for day in range(wanted.first.toordinal(), wanted.last.toordinal() + 1):
        bounds = calendar.bounds(day)
        yield _bounds_of(bounds, wanted.part)


def _bounds_of(bounds: DayBounds, part: str | None) -> tuple[int, int]:
    if part is None:
        return bounds.start, bounds.end
    at = PARTS.index(part)
    return bounds[at], bounds[at + 1]


def _by_arrival(waiter: Waiter) -> tuple[datetime, int]:
    return waiter.joined, waiter.id


@dataclass(slots=True)
class _Round:
    """One going through the list: what is free, and what of it has been given away already."""

    catalog: Catalog
    free: Free
    now: datetime
    only: int | None
    given: dict[int, list[tuple[int, int, str]]] = field(default_factory=dict)  # by staff
    kept: dict[int, list[tuple[datetime, datetime]]] = field(default_factory=dict)  # by customer
    later: list[datetime] = field(default_factory=list)  # when to look again
    known: dict[object, list[Opening]] = field(default_factory=dict)  # by wishes

    @property
    def policy(self) -> Policy:
        return self.catalog.company.policy

    def plan(self, waiters: Sequence[Waiter]) -> Plan:
        mine = [one for one in waiters if not one.offered and self.only in (None, one.id)]
        reachable = [one for one in mine if self._may_be_asked(one)]
        offers: list[Offer] = []
        more = False
        for waiter in self._in_order(reachable):
            if any(waiter in offer.waiters for offer in offers):
                continue
            found = self._first(waiter)
            if found is None:
                continue
            if len(offers) == MOST:
                more = True
                break
            slot, until = found
            together: tuple[Waiter, ...] = (waiter,)
            if self.policy.waitlist_policy == "everyone_at_once" and self.only is None:
                asked = {one for offer in offers for one in offer.waiters}
                others = [one for one in reachable if one not in asked]
                together = tuple(self._who_else(slot, others))
            self._give(slot, together)
            offers.append(Offer(slot, until, together))
        return Plan(tuple(offers), min(self.later, default=None), more)

    def _may_be_asked(self, waiter: Waiter) -> bool:
        if waiter.silent:
            return False
        if waiter.person_until is not None and waiter.person_until > self.now:
            self.later.append(waiter.person_until)
            return False
        return True

    def _in_order(self, waiters: Sequence[Waiter]) -> list[Waiter]:
        match self.policy.waitlist_policy:
            case "best_fit":
                ranked = [
                    (self._waste(opening, waiter), waiter.flexible, *_by_arrival(waiter), waiter)
                    for waiter in waiters
                    if (opening := self._tightest(waiter)) is not None
                ]
                return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:-1])]
            case "highest_value":
                return sorted(waiters, key=lambda one: (-self._worth(one), *_by_arrival(one)))
            case _:
                return sorted(waiters, key=_by_arrival)

    def _worth(self, waiter: Waiter) -> int:
        return self.catalog.prices.get(waiter.service_id, (0, 0))[1]

    def _tightest(self, waiter: Waiter) -> Opening | None:
        openings = self.openings(waiter)
        return min(openings, key=lambda one: self._waste(one, waiter), default=None)

    def _waste(self, opening: Opening, waiter: Waiter) -> int:
        return opening.room - self._need(waiter.service_id, opening.staff_id).length

    def _first(self, waiter: Waiter) -> tuple[Slot, datetime] | None:
        """Return the first time that can be offered to somebody now, and until when."""
        openings: Iterable[Opening] = self.openings(waiter)
        if self.policy.waitlist_policy == "best_fit":
            openings = sorted(openings, key=lambda one: (self._waste(one, waiter), one))
        night_over = quiet_until(self.now, self.policy, self._seen_by(waiter))
        lead = timedelta(minutes=self.policy.lead_minutes)
        for opening in openings:
            slot = self.slot(waiter, opening)
            until = answer_by(slot.start, self.now, self.policy)
            if until is None:
                continue
            can_wait = night_over and slot.start - lead - night_over >= _MORNING_NEEDS
            if night_over and can_wait and self.only is None:
                self.later.append(night_over)
                continue
            return slot, until
        return None

    def _who_else(self, slot: Slot, waiters: Sequence[Waiter]) -> Iterator[Waiter]:
        """Return all whom this very time fits, in their order."""
        at = epoch(slot.start)
        for waiter in sorted(waiters, key=_by_arrival):
            if waiter.service_id == slot.service_id and any(
                (one.start, one.staff_id) == (at, slot.staff_id) for one in self.openings(waiter)
            ):
                yield waiter

    def openings(self, waiter: Waiter) -> Iterator[Opening]:
        """Return what a waiter wishes for and can have, the earliest first."""
        key = (waiter.service_id, waiter.wanted, waiter.area_id)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = list(self._wished(waiter))
        return (one for one in found if self._can_have(waiter, one))

    def _wished(self, waiter: Waiter) -> Iterator[Opening]:
        """Return what is free of somebody's wishes, day by day."""
        service = self.free.get(waiter.service_id)
        if not service:
            return
        lengths = {id_: self._need(waiter.service_id, id_).length for id_ in service}
        repeated = calendar_of(self._seen_by(waiter)).repeated
        for (low, high), team in sorted(self._spans(waiter).items()):
            again = repeated(low, high - 1)
            yield from sorted(
                Opening((start - times[0]) % length > 0, start, staff_id, room)
                for staff_id in team
                if staff_id in lengths
                for length in [lengths[staff_id]]
                for times in service[staff_id]
                for room in [times[-1] - times[0] + length]
                for part in within([times], low, high)
                for start in part
                if not any(before < start < after for before, after in again)
            )

    def _spans(self, waiter: Waiter) -> dict[tuple[int, int], list[int]]:
        """Return when the visit may start, by whom; whoever has left counts as anyone."""
        team = [person.id for person in self.catalog.staff_for(waiter.service_id)]
        calendar = calendar_of(self._seen_by(waiter))
        spans: dict[tuple[int, int], list[int]] = {}
        for wanted in waiter.wanted:
            named = wanted.staff_id is not None and wanted.staff_id in self.catalog.staff_by_id
            who = [id_ for id_ in team if id_ == wanted.staff_id or not named]
            who = [id_ for id_ in who if id_ != wanted.but]
            for span in starts_of(wanted, calendar):
                known = spans.setdefault(span, [])
                known += [id_ for id_ in who if id_ not in known]
        return spans

    def _seen_by(self, waiter: Waiter) -> Catalog:
        """Return the catalogue on the clock by which a waiter's days and nights are meant."""
        return seen_from(self.catalog, waiter.area_id)

    def _can_have(self, waiter: Waiter, opening: Opening) -> bool:
        start, staff_id = opening.start, opening.staff_id
        if any(who == staff_id and first <= start <= last for who, first, last in waiter.declined):
            return False
        need = self._need(waiter.service_id, staff_id)
        begins, ends = moment(start), moment(start + need.length)
        taken = [(span.start, span.end) for span in waiter.engaged]
        taken += self.kept.get(waiter.customer_id, [])
        if any(begins < high and low < ends for low, high in taken):
            return False
        parts, given = need.parts(start), self.given.get(staff_id, [])
        return not any(_collide(part, other) for part in parts for other in given)

    def _give(self, slot: Slot, waiters: Iterable[Waiter]) -> None:
        need = self._need(slot.service_id, slot.staff_id)
        self.given.setdefault(slot.staff_id, []).extend(need.parts(epoch(slot.start)))
        for waiter in waiters:
            self.kept.setdefault(waiter.customer_id, []).append((slot.start, slot.end))

    def slot(self, waiter: Waiter, opening: Opening) -> Slot:
        offer = self.catalog.staff_by_id[opening.staff_id].offers[waiter.service_id]
        start = moment(opening.start)
        end = start + timedelta(minutes=offer.minutes)
        return Slot(waiter.service_id, opening.staff_id, start, end, offer.price_minor)

    def _need(self, service_id: int, staff_id: int) -> Need:
        service = self.catalog.service_by_id[service_id]
        offer = self.catalog.staff_by_id[staff_id].offers[service_id]
        return need_of(service, offer, self.policy)


def _collide(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and "visit" in (one[2], other[2])
