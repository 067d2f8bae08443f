"""The times of day that customers of a company like best."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from flows.model import Catalog
from flows.values import valueclass
from storage import queries
from storage.pool import Connection

_Q = queries.of("popular")

LOOK_BACK: Final = timedelta(days=90)
_KEPT_FOR: Final = timedelta(minutes=10)
_READ_WITHIN: Final = timedelta(seconds=10)
_NEWEST: Final = 2_000  # bookings looked at: more of them would not tell more
_MOST: Final = 5
_AT_LEAST: Final = 3  # bookings at a time of day: fewer are a coincidence


@valueclass(frozen=True, slots=True)
class _Kept:
    until: datetime
    seconds: frozenset[int]


async def popular_times(conn: Connection, catalog: Catalog, now: datetime) -> frozenset[int]:
    """The most popular starts of the last 90 days, as seconds of the local day.

    Where those have thousands of bookings, of the newest of them. None where there is no history.
    Kept with the catalogue for ten minutes.
    """
    kept = catalog.memo.get("popular")
    if isinstance(kept, _Kept):
        if now < kept.until:
            return kept.seconds
        # One conversation reads them again; those that come meanwhile take what there was.
        catalog.memo["popular"] = _Kept(now + _READ_WITHIN, kept.seconds)
    rows = await _Q["times"].many(
        conn,
        company_id=catalog.company.id,
        timezone=catalog.timezone,
        since=now - LOOK_BACK,
        now=now,
        newest=_NEWEST,
        at_least=_AT_LEAST,
        most=_MOST,
    )
    seconds = frozenset(row["second"] for row in rows)
    catalog.memo["popular"] = _Kept(now + _KEPT_FOR, seconds)
    return seconds
