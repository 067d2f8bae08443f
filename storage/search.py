"""A search for free times: what the hours allow less what is claimed, with one query.

Hours are in memory (`flows.hours`); PostgreSQL is asked only for what is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Final
from uuid import UUID

from flows.hours import DayBounds, calendar_of, moment
from flows.model import Catalog, Slot
from flows.slots import FREE, Busy, by_turns, free_starts, need_of, offered_between, split
from storage import queries
from storage.pool import Connection

_Q = queries.of("search")

NEVER: Final = (0, -1)
_MOST_KEPT: Final = 20_000

_Capacities = dict[tuple[int, int | None, int], tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Free:
    """People's free starts, in the order of the catalogue, and what says whose turn it is."""

    starts: Mapping[int, Sequence[range]]
    busy: Mapping[int, Busy]
    last_booked: Mapping[int, int]

    def order(self, low: int, high: int) -> list[int]:
        """Whose turn it is for a visit in [low, high), which is a day."""
        visits = {
            staff_id: sum(low <= start < high for start, _ in busy.visits)
            for staff_id, busy in self.busy.items()
        }
        return by_turns(self.starts, visits, self.last_booked)


class Search:
    """What is searched for: a service, by somebody or by anyone who does it.

    `earliest` and `latest` are the first and the last epoch second at which a visit may start, on
    the local dates `first_day` and `last_day` (ordinals).
    A service or a person that is not in the catalogue (any more) leaves `needs` empty.
    """

    __slots__ = (
        "_conn",
        "_conversation_id",
        "_moving",
        "_now",
        "_staff_id",
        "calendar",
        "catalog",
        "earliest",
        "first_day",
        "last_day",
        "latest",
        "needs",
        "service_id",
    )

    def __init__(
        self,
        conn: Connection,
        catalog: Catalog,
        service_id: int,
        staff_id: int | None,
        *,
        now: datetime,
        conversation_id: int | None,
        moving: UUID | None = None,
    ) -> None:
        self._conn, self._now, self._staff_id = conn, now, staff_id
        self._conversation_id, self._moving = conversation_id, moving
        self.catalog, self.service_id = catalog, service_id
        self.calendar = calendar_of(catalog)
        policy, service = catalog.company.policy, catalog.service_by_id.get(service_id)
        self.needs = (
            {
                person.id: need_of(service, person.offers[service_id], policy)
                for person in catalog.staff_for(service_id)
                if staff_id in (None, person.id)
            }
            if service
            else {}
        )
        self.earliest, self.latest = (
            offered_between(service, policy, self.calendar, now) if service else NEVER
        )
        self.first_day = self.calendar.day_of(self.earliest)
        self.last_day = self.calendar.day_of(self.latest)

    async def free(
        self, low: int, high: int, *, among: Iterable[int] | None = None, turns: bool = False
    ) -> Free:
        """The starts in [low, high] that are offered and free, by everybody or `among` some.

        With `turns` it is also known whose turn it is.
        """
        ids = list(self.needs if among is None else among)
        asked, low, high = low, max(low, self.earliest), min(high, self.latest)
        if low > high or not ids:
            return Free({}, {}, {})
        # Whose turn it is depends on all of the day, also on the hours that are over.
        since = asked if turns else low
        busy, last_booked = await self._taken(ids, since, high, turns=turns)
        free = {id_: self.possible(id_, low, high, busy.get(id_, FREE)) for id_ in ids}
        return Free(free, busy, last_booked)

    def possible(self, staff_id: int, low: int, high: int, busy: Busy = FREE) -> list[range]:
        """Somebody's starts in [low, high] as their hours allow, and what they are busy with."""
        return free_starts(self.calendar, staff_id, self.needs[staff_id], busy, low, high)

    def offers(self, staff_id: int, at: int) -> bool:
        """Tell whether somebody's hours have a start at this second; lead and horizon aside."""
        return staff_id in self.needs and bool(self.possible(staff_id, at, at))

    def capacity(self, day: int) -> tuple[int, int, int]:
        """How many starts each part of a day would have if nothing were booked."""
        bounds = self.calendar.bounds(day)
        if bounds.start < self.earliest or bounds.end > self.latest:
            return self._capacity(bounds)
        kept = _capacities(self.catalog)
        key = (self.service_id, self._staff_id, day)
        found = kept.get(key)
        if found is None:
            if len(kept) > _MOST_KEPT:
                kept.clear()
            found = kept[key] = self._capacity(bounds)
        return found

    def _capacity(self, bounds: DayBounds) -> tuple[int, int, int]:
        low, high = max(bounds.start, self.earliest), min(bounds.end - 1, self.latest)
        possible = (self.possible(id_, low, high) for id_ in self.needs)
        return split(list(chain.from_iterable(possible)), bounds)

    def days(self, low: int, high: int) -> dict[int, DayBounds]:
        """The local dates between two seconds at which a visit may start."""
        low, high = max(low, self.earliest), min(high, self.latest)
        if low > high:
            return {}
        calendar = self.calendar
        days = range(calendar.day_of(low), calendar.day_of(high) + 1)
        return {day: calendar.bounds(day) for day in days}

    def slot(self, start: int, staff_id: int) -> Slot:
        """A start, by somebody, with what it costs."""
        (slot,) = self.slots([(start, staff_id, False)])
        return slot

    def slots(self, chosen: Iterable[tuple[int, int, bool]]) -> tuple[Slot, ...]:
        """Starts, by somebody, popular or not, with what they cost."""
        service_id = self.service_id
        offers = {
            id_: (
                timedelta(seconds=need.length),
                self.catalog.staff_by_id[id_].offers[service_id].price_minor,
            )
            for id_, need in self.needs.items()
        }
        found = []
        for start, staff_id, popular in chosen:
            begin, (length, price) = moment(start), offers[staff_id]
            # By position: there may be hundreds, and names cost a quarter more.
            found.append(Slot(service_id, staff_id, begin, begin + length, price, popular))
        return tuple(found)

    async def _taken(
        self, ids: Sequence[int], low: int, high: int, *, turns: bool
    ) -> tuple[dict[int, Busy], dict[int, int]]:
        rows = await _Q["taken"].many(
            self._conn,
            company_id=self.catalog.company.id,
            staff_ids=ids,
            low=moment(low + min(self.needs[id_].begin for id_ in ids)),
            high=moment(high + max(self.needs[id_].end for id_ in ids)),
            now=self._now,
            conversation_id=self._conversation_id,
            moving=self._moving,
            turns=turns,
        )
        busy: dict[int, Busy] = {}
        last_booked: dict[int, int] = {}
        for staff_id, part, begins, ends in rows:
            if part == "turn":
                last_booked[staff_id] = begins[0]
                continue
            spans = list(zip(begins, ends, strict=True))
            visits, buffers = busy.get(staff_id, FREE)
            busy[staff_id] = Busy(spans, buffers) if part == "visit" else Busy(visits, spans)
        return busy, last_booked


def _capacities(catalog: Catalog) -> _Capacities:
    kept: _Capacities = catalog.memo.setdefault("capacities", {})
    return kept
