"""A search for free times: what the hours allow less what is claimed, with one query.

Hours are in memory (`flows.hours`); PostgreSQL is asked only for what is taken.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final
from uuid import UUID

from flows.hours import DayBounds, calendar_of, moment
from flows.model import Catalog, Piece, Service, Slot
from flows.slots import (
    FREE,
    Busy,
    by_turns,
    free_starts,
    need_of,
    offered_between,
)
from flows.values import valueclass
from flows.visits import NOTHING, Board, Plan, Stage, Taken, unit_of
from storage import queries
from storage.taken import Look, Looker

_Q = queries.of("taken")

NEVER: Final = (0, -1)
_MOST_KEPT: Final = 20_000
_MOST_PLANS: Final = 1_000

_Who = tuple[int | None, int | None]  # somebody, and who is not wanted
_Offers = dict[int, tuple[timedelta, int]]
_Plans = dict[tuple[tuple[int, ...], _Who], Plan]
_Capacities = dict[tuple[tuple[int, ...], _Who, int, int], tuple[int, int, int]]


@valueclass(frozen=True)
class Free:
    """People's free starts, in the order of the catalogue, and what says whose turn it is.

    They are counted, assigned or listed when somebody asks for that.
    """

    staff_ids: Sequence[int] = ()
    taken: Taken = NOTHING
    weights: Mapping[int, int] | None = None
    board: Board | None = None

    @cached_property
    def starts(self) -> Mapping[int, Sequence[range]]:
        """Everybody's free starts."""
        board = self.board
        return {} if board is None else {id_: board.free(id_) for id_ in self.staff_ids}

    def at(self, start: int, order: Iterable[int]) -> list[int]:
        """Those in `order` who are free at a start."""
        board = self.board
        return [] if board is None else [id_ for id_ in order if board.has(id_, start)]

    def firsts(self) -> Iterator[tuple[int, int]]:
        """The first start of everybody who has one, with who that is."""
        if self.board is not None:
            for staff_id in self.staff_ids:
                at = self.board.first(staff_id)
                if at is not None:
                    yield at, staff_id

    def counts(self, days: Mapping[int, DayBounds]) -> Iterable[tuple[int, tuple[int, int, int]]]:
        """How many different starts the parts of days have, of days with some; in order."""
        return () if self.board is None else self.board.counts(self.staff_ids, days)

    def assigned(self, order: Sequence[int], low: int, high: int) -> Mapping[int, int]:
        """Every start in [low, high), in order, by the first in `order` who is free then."""
        return {} if self.board is None else self.board.assigned(order, low, high)

    def visits(self, low: int, high: int) -> dict[int, int]:
        """How many visits people have in [low, high), where turns were asked for."""
        begins = self.taken.begins.items()
        return {id_: bisect_left(all_, high) - bisect_left(all_, low) for id_, all_ in begins}

    def order(self, low: int, high: int) -> list[int]:
        """Whose turn it is for a visit in [low, high), which is a day."""
        visits = self.visits(low, high)
        return by_turns(self.staff_ids, visits, self.taken.last_booked, self.weights or {})


class Search:
    """What is searched for: a service, by somebody or by anyone who does it.

    Days and times of day are those of the clock that the catalogue is seen from (flows.areas).
    `earliest` and `latest` are the first and the last epoch second at which a visit may start, on
    the local dates `first_day` and `last_day` (ordinals). `also` are services that follow the first
    at once, by the same person or by others; `but` does not do the first one for anyone.
    A service or a person that is not in the catalogue (any more) leaves `needs` empty.
    """

    __slots__ = (
        "_look",
        "_moving",
        "_now",
        "_who",
        "also",
        "calendar",
        "catalog",
        "conversation_id",
        "earliest",
        "first_day",
        "last_day",
        "latest",
        "needs",
        "plan",
        "service_id",
    )

    def __init__(
        self,
        look: Looker,
        catalog: Catalog,
        service_id: int,
        staff_id: int | None,
        *,
        now: datetime,
        conversation_id: int | None,
        moving: UUID | None = None,
        also: tuple[int, ...] = (),
        but: int | None = None,
    ) -> None:
        self._look, self._now, self._who = look, now, (staff_id, but)
        self.conversation_id, self._moving = conversation_id, moving
        self.catalog, self.service_id, self.also = catalog, service_id, also
        self.calendar = calendar_of(catalog)
        self.plan = _plan_of(catalog, (service_id, *also), self._who)
        self.needs = self.plan.stages[0].needs
        policy, service = catalog.company.policy, catalog.service_by_id.get(service_id)
        self.earliest, self.latest = (
            offered_between(service, policy, self.calendar, now) if service else NEVER
        )
        self.first_day = self.calendar.day_of(self.earliest)
        self.last_day = self.calendar.day_of(self.latest)

    @property
    def guarded(self) -> bool:
        """Tell whether more than one person's time decides over a start."""
        return _is_guarded(self.plan)

    @property
    def is_group(self) -> bool:
        """Tell whether customers share the time."""
        return self.plan.capacity > 1

    async def free(
        self, low: int, high: int, *, among: Iterable[int] | None = None, turns: bool = False
    ) -> Free:
        """The starts in [low, high] that are offered and free, by everybody or `among` some.

        With `turns` it is also known whose turn it is.
        """
        ids = list(self.needs if among is None else among)
        low, high = max(low, self.earliest), min(high, self.latest)
        if low > high or not ids:
            return Free()
        taken = await self.taken(ids, low, high, turns=turns)
        weights = {id_: self.catalog.staff_by_id[id_].weight for id_ in ids} if turns else None
        return Free(ids, taken, weights, Board(self.plan, taken, low, high))

    def possible(self, staff_id: int, low: int, high: int, busy: Busy = FREE) -> list[range]:
        """Somebody's starts in [low, high] as their hours allow, and what they are busy with."""
        if len(self.plan.stages) > 1:
            return self.plan.free([staff_id], NOTHING, low, high)[staff_id]
        return free_starts(self.calendar, staff_id, self.needs[staff_id], busy, low, high)

    def offers(self, staff_id: int, at: int) -> bool:
        """Tell whether somebody's hours have a start at this second; lead and horizon aside."""
        return staff_id in self.needs and bool(self.possible(staff_id, at, at))

    def capacity(self, day: int) -> tuple[int, int, int]:
        """How many starts each part of a day would have if nothing were booked."""
        bounds, unit = self.calendar.bounds(day), self.plan.unit
        low, high = max(bounds.start, self.earliest), min(bounds.end - 1, self.latest)
        kept = _capacities(self.catalog)
        # Of a day that has begun it is the same until the next cell of time does.
        key = ((self.service_id, *self.also), self._who, -(-low // unit), high // unit)
        found = kept.get(key)
        if found is None:
            if len(kept) > _MOST_KEPT:
                kept.clear()
            board = Board(self.plan, NOTHING, low, high)
            counted = dict(board.counts(self.needs, {day: bounds}))
            found = kept[key] = counted.get(day, (0, 0, 0))
        return found

    def days(self, low: int, high: int) -> dict[int, DayBounds]:
        """The local dates between two seconds at which a visit may start."""
        low, high = max(low, self.earliest), min(high, self.latest)
        if low > high:
            return {}
        calendar = self.calendar
        days = range(calendar.day_of(low), calendar.day_of(high) + 1)
        return {day: calendar.bounds(day) for day in days}

    def slots(
        self, chosen: Iterable[tuple[int, int, bool]], free: Free | None = None
    ) -> tuple[Slot, ...]:
        """Starts, by somebody, popular or not, with what they cost.

        Of a visit of several services, `free` is where they were found, and says who else does it.
        """
        service_id = self.service_id
        if len(self.plan.stages) > 1:
            return tuple(self._several(free or Free(), *one) for one in chosen)
        offers = _offers(self.catalog, service_id)
        found = []
        for start, staff_id, popular in chosen:
            begin, (length, price) = moment(start), offers[staff_id]
            # By position: there may be hundreds, and names cost a quarter more.
            found.append(Slot(service_id, staff_id, begin, begin + length, price, popular))
        return tuple(found)

    def _several(self, free: Free, start: int, staff_id: int, popular: bool) -> Slot:
        found = self.slot_at(start, staff_id, free, popular=popular)
        if found is None:
            raise ValueError("the visit was not found there")
        return found

    def slot_at(
        self, start: int, staff_id: int, free: Free, *, popular: bool = False
    ) -> Slot | None:
        """A start that somebody begins, with who goes on; None when nobody can."""
        board = free.board or Board(self.plan, free.taken, start, start)
        doers = board.doers(start, staff_id, free.staff_ids)
        return None if doers is None else self.slot_of(start, doers, popular=popular)

    def done_by(self, doers: Sequence[int]) -> bool:
        """Tell whether these still do the services of the visit, in turn."""
        stages = self.plan.stages
        return len(doers) == len(stages) and all(
            staff_id in stage.needs for staff_id, stage in zip(doers, stages, strict=True)
        )

    def slot_of(self, start: int, doers: Sequence[int], *, popular: bool = False) -> Slot:
        """A start, by those who do its services in turn."""
        pieces, begin = [], start
        for number, staff_id in enumerate(doers):
            service_id = (self.service_id, *self.also)[number]
            ends = begin + self.plan.stages[number].needs[staff_id].length
            price = self.catalog.staff_by_id[staff_id].offers[service_id].price_minor
            pieces.append(Piece(service_id, staff_id, moment(begin), moment(ends), price))
            begin = ends
        return Slot(
            self.service_id,
            doers[0],
            moment(start),
            pieces[-1].end,
            sum(piece.price_minor for piece in pieces),
            popular,
            pieces=tuple(pieces) if self.also else (),
        )

    async def taken(
        self, staff_ids: Sequence[int], low: int, high: int, *, turns: bool = False
    ) -> Taken:
        """What is taken of the time that visits need that start in [low, high]."""
        plan, (before, after) = self.plan, self.plan.reach
        counted = turns or bool(plan.limits)
        since, until = low + before, high + after
        if counted:
            # Limits and turns depend on all of a day, also on the hours that are over.
            first, last = plan.whole_days(low, high)
            since, until = min(since, first), max(until, last)
        return await self._look(
            Look(
                company_id=self.catalog.company.id,
                claimants=plan.claimants(staff_ids),
                low=moment(since),
                high=moment(until),
                now=self._now,
                conversation_id=self.conversation_id,
                moving=self._moving,
                turns=turns,
                counted=counted,
                shared=self.service_id if self.is_group else None,
            )
        )


def is_guarded(catalog: Catalog, service_ids: Sequence[int], staff_id: int | None) -> bool:
    """Tell of a visit, without searching for it, whether more than one person's time decides."""
    return _is_guarded(_plan_of(catalog, tuple(service_ids), (staff_id, None)))


def _is_guarded(plan: Plan) -> bool:
    return bool(len(plan.stages) > 1 or plan.stages[0].units or plan.limits or plan.capacity > 1)


def _plan_of(catalog: Catalog, service_ids: tuple[int, ...], who: _Who) -> Plan:
    """A plan follows from the catalogue: made once, kept with it."""
    kept: _Plans = catalog.memo.setdefault("plans", {})
    found = kept.get((service_ids, who))
    if found is None:
        if len(kept) > _MOST_PLANS:
            kept.clear()
        found = kept[service_ids, who] = _plan(catalog, service_ids, who)
    return found


def _plan(catalog: Catalog, service_ids: Sequence[int], who: _Who) -> Plan:
    """What a visit takes; without anybody for the first service where it cannot be booked."""
    services = [catalog.service_by_id.get(id_) for id_ in service_ids]
    stages = [
        _stage(catalog, service, who, first=not number)
        for number, service in enumerate(services)
        if service is not None
    ]
    several = len(services) > 1
    if len(stages) < len(services) or not all(stage.needs for stage in stages):
        stages = [Stage({})]
    elif several and any(service and service.capacity > 1 for service in services):
        stages = [Stage({})]  # a group begins when it begins
    limits = {
        id_: catalog.staff_by_id[id_].most_visits_a_day for stage in stages for id_ in stage.needs
    }
    return Plan(
        calendar_of(catalog),
        tuple(stages),
        {id_: most for id_, most in limits.items() if most is not None},
        1 if several or services[0] is None else services[0].capacity,
    )


def _stage(catalog: Catalog, service: Service, who: _Who, *, first: bool) -> Stage:
    """Whoever may do a service: somebody by name, and of later ones all others if they do not."""
    staff_id, but = who
    team = catalog.staff_for(service.id)
    named = [person for person in team if staff_id in (None, person.id) and person.id != but]
    if not named and not first:
        named = list(team)
    units = []
    for resource_id in service.resources:
        resource = catalog.resource_by_id.get(resource_id)
        if resource is None:
            return Stage({})
        units.append(tuple(unit_of(resource_id, unit) for unit in range(1, resource.units + 1)))
    policy = catalog.company.policy
    needs = {person.id: need_of(service, person.offers[service.id], policy) for person in named}
    return Stage(needs, tuple(units))


def _offers(catalog: Catalog, service_id: int) -> _Offers:
    """How long a service takes whom, and what it costs with them."""
    kept: dict[int, _Offers] | None = catalog.memo.get("offers")
    if kept is None:
        kept = catalog.memo["offers"] = {}
        for person in catalog.staff:
            for id_, offer in person.offers.items():
                takes = timedelta(minutes=offer.minutes), offer.price_minor
                kept.setdefault(id_, {})[person.id] = takes
    return kept.get(service_id, {})


def _capacities(catalog: Catalog) -> _Capacities:
    kept: _Capacities = catalog.memo.setdefault("capacities", {})
    return kept
