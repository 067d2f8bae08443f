"""What a visit takes of whose time: the rows of its claim."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from flows.hours import cut, epoch, merged, moment
from flows.model import Piece, Slot
from flows.values import valueclass
from flows.visits import Taken, of_things, resource_unit, unit_of
from storage import queries
from storage.clock import uuid7
from storage.pool import Connection
from storage.search import Search

_Q = queries.of("claims")


class Row(NamedTuple):
    """A stretch of a claim, in epoch seconds.

    It is a staff member's time, or a unit's of a resource; "visit", "buffer", or a "seat" with its
    number as unit. What is `shared` belongs to the group that a seat is in. Of the stretches of one
    visit and claimant, the first one `leads`.
    """

    staff_id: int
    low: int
    high: int
    part: str
    resource_id: int | None = None
    unit: int | None = None
    shared: bool = False
    leads: bool = True

    @property
    def claimant(self) -> int:
        """Whose time it is, as slot_claims counts."""
        if self.resource_id is None or self.unit is None:
            return self.staff_id
        return unit_of(self.resource_id, self.unit)


@valueclass(frozen=True, slots=True)
class Rows:
    """All rows of a claim; of a seat in a group, also which."""

    rows: tuple[Row, ...]
    service_id: int | None = None
    session_id: UUID | None = None

    def replaced(self, rows: Iterable[Row]) -> Rows:
        """The same claim with other rows."""
        return replace(self, rows=tuple(rows))

    def arrays(self) -> dict[str, Any]:
        """The rows as the arguments of the queries that insert them."""
        rows = self.rows
        return {
            "staff_ids": [row.staff_id for row in rows],
            "resource_ids": [row.resource_id for row in rows],
            "units": [row.unit for row in rows],
            "lows": [moment(row.low) for row in rows],
            "highs": [moment(row.high) for row in rows],
            "parts": [row.part for row in rows],
            "shared": [row.shared for row in rows],
            "leads": [row.leads for row in rows],
            "claimants": [row.claimant for row in rows],
            "low": moment(min((row.low for row in rows), default=0)),
            "high": moment(max((row.high for row in rows), default=0)),
        }


async def rows_of(
    conn: Connection, search: Search, slot: Slot, taken: Taken, *, now: datetime
) -> Rows | None:
    """What a slot takes, given what is taken; None when no unit or no seat is left."""
    if not search.is_group:
        rows = _rows(search, slot, taken)
        return None if rows is None else Rows(rows)
    found = await _Q["session"].one(
        conn,
        company_id=search.catalog.company.id,
        service_id=search.service_id,
        staff_id=slot.staff_id,
        starts_at=slot.start,
        conversation_id=search.conversation_id,
        now=now,
    )
    seats = set(found["seats"]) if found else set()
    number = min(set(range(1, search.plan.capacity + 1)) - seats, default=None)
    if number is None:
        return None
    seat = Row(slot.staff_id, epoch(slot.start), epoch(slot.end), "seat", unit=number)
    if found:
        return Rows((seat,), search.service_id, found["id"])
    rows = _rows(search, slot, taken)
    if rows is None:
        return None
    group = tuple(row._replace(shared=True) for row in rows)
    return Rows((*group, seat), search.service_id, uuid7(now))


def _rows(search: Search, slot: Slot, taken: Taken) -> tuple[Row, ...] | None:
    """What a slot takes of people and of units; None when no unit is left."""
    parts: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    visited_by: dict[int, int] = {}
    pieces: tuple[Piece | Slot, ...] = slot.pieces or (slot,)
    for number, piece in enumerate(pieces):
        need, at = search.plan.stages[number].needs[piece.staff_id], epoch(piece.start)
        units = search.plan.free_units(number, need, taken, at)
        if units is None:
            return None
        parts[piece.staff_id] += need.parts(at)
        for claimant in units:
            parts[claimant] += of_things(need).parts(at)
        visited_by |= dict.fromkeys((piece.staff_id, *units), piece.staff_id)
    return tuple(
        Row(visited_by[claimant], low, high, part, *resource_unit(claimant), leads=leads)
        for claimant, all_ in parts.items()
        for low, high, part, leads in _once(all_)
    )


def _once(parts: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str, bool]]:
    """Parts of one claimant that follow each other, without what they take twice; which leads."""
    parts = list(parts)
    visits = merged((low, high) for low, high, part in parts if part == "visit")
    buffers = merged((low, high) for low, high, part in parts if part == "buffer")
    found = [(low, high, "visit", not place) for place, (low, high) in enumerate(visits)]
    found += [(low, high, "buffer", False) for low, high in cut(buffers, visits)]
    return sorted(found)
