"""What is taken, as the database says it: of one search, or of several in one round trip."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from struct import Struct
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

import asyncpg

from flows.cells import Packed
from flows.slots import CALENDARS_KEPT, Busy
from flows.visits import Taken
from storage import queries
from storage.pool import Connection

_Q = queries.of("taken")

# A tstzrange as PostgreSQL sends it, with both its ends, in microseconds since 2000.
_RANGE: Final = Struct(">5xq4xq")
_MOMENT: Final = Struct(">q")
_ZERO, _TICKS = 946_684_800, 1_000_000


class Look(NamedTuple):
    """What a search asks of the database: when some are taken, from `low` to `high`.

    `turns`: also who was booked last; `counted`: also when visits begin; `shared`: the service
    whose groups are looked for. What the conversation holds, and the visit it moves, is free.
    """

    company_id: int
    claimants: Sequence[int]
    low: datetime
    high: datetime
    now: datetime
    conversation_id: int | None
    moving: UUID | None
    turns: bool
    counted: bool
    shared: int | None


Looker: TypeAlias = Callable[[Look], Awaitable[Taken]]
"""How a search looks: `looker` of a connection, or together with others."""


async def taken(conn: Connection, looks: Sequence[Look]) -> list[Taken]:
    """What is taken, for several searches in one round trip."""
    rows = await _Q["taken"].many(conn, looks=[_as_row(n, look) for n, look in enumerate(looks)])
    found: list[list[asyncpg.Record]] = [[] for _ in looks]
    for row in rows:
        found[row["n"]].append(row)
    return [_sorted_out(of_one) for of_one in found]


def _as_row(n: int, look: Look) -> dict[str, Any]:
    # As text: an id that came from the database is of a class that JSON does not know.
    return {"n": n, **look._asdict(), "moving": look.moving and str(look.moving)}


def looker(conn: Connection) -> Looker:
    """The way to look of whoever has a connection: alone, and in its transaction."""

    async def look(one: Look) -> Taken:
        (found,) = await taken(conn, [one])
        return found

    return look


def _sorted_out(rows: Iterable[asyncpg.Record]) -> Taken:
    busy: dict[int, Busy] = {}
    begins: dict[int, Sequence[int]] = {}
    sessions: dict[int, Mapping[int, int]] = {}
    last_booked: dict[int, int] = {}
    for _, claimant, part, visits, buffers, starting, starts, seats in rows:
        match part:
            case "claims":
                busy[claimant] = Busy(_packed(visits), _packed(buffers))
                if starting is not None:
                    begins[claimant] = begins_of(starting)
            case "session":
                sessions[claimant] = dict(zip(starts, seats, strict=True))
            case _:
                last_booked[claimant] = starts[0]
    return Taken(busy, begins, sessions, last_booked)


def _packed(ranges: bytes | None) -> Packed:
    return Packed(ranges or b"", _RANGE, _ZERO, _TICKS)


@lru_cache(maxsize=CALENDARS_KEPT)
def begins_of(moments: bytes) -> tuple[int, ...]:
    """When visits begin, in epoch seconds, in order; kept, for most calendars are as before."""
    return tuple(sorted(_ZERO + at // _TICKS for (at,) in _MOMENT.iter_unpack(moments)))
