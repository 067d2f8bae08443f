"""What somebody usually does, learned from the visits that they came to.

The latest visits count more: habits change. A favourite that is no better than another is the one
of the latest visit.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from flows.model import part_of
from flows.values import valueclass

VISITS: Final = 24
"""So many of the latest visits are looked at."""
_FADING: Final = 0.85  # what a visit counts less than the one after it
_SHORTEST_GAP: Final = 6.5  # days between visits
_LONGEST_GAP: Final = timedelta(days=400)  # whoever comes back after that begins anew

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@valueclass(frozen=True, slots=True)
class Past:
    """A visit that somebody came to."""

    service_id: int
    staff_id: int
    start: datetime
    timezone: str


@valueclass(frozen=True, slots=True)
class Preferences:
    """What somebody usually books; days and hours are local to where they come to.

    When they come, and how often, is looked at for their favourite service alone.
    """

    favorite_staff_id: int
    favorite_service_id: int
    preferred_weekday: int  # ISO: Monday is 1
    preferred_hour: int
    time_of_day: str
    average_gap_days: float | None  # None: they came once, or on one day
    last_visit_at: datetime
    next_suggested_on: date | None  # None: they come more often than anybody wants to be asked
    confidence: float  # how much of what they did was this service by this person: 0 to 1


def learned(visits: Sequence[Past]) -> Preferences | None:
    """Return what is usual in visits, latest first; None without any."""
    latest = visits[:VISITS]
    if not latest:
        return None
    service = _favourite(latest, lambda visit: visit.service_id)
    of_it = [visit for visit in latest if visit.service_id == service]
    staff = _favourite(of_it, lambda visit: visit.staff_id)
    walls = [_wall(visit) for visit in of_it]
    gap = _gap(sorted({wall.date() for wall in walls}))
    return Preferences(
        favorite_staff_id=staff,
        favorite_service_id=service,
        preferred_weekday=_favourite(walls, lambda wall: wall.isoweekday()),
        preferred_hour=_favourite(walls, lambda wall: wall.hour),
        time_of_day=_favourite(walls, lambda wall: part_of(wall.time())),
        average_gap_days=gap,
        last_visit_at=latest[0].start,
        next_suggested_on=_next(walls[0].date(), gap),
        confidence=_share(
            latest, lambda visit: (visit.service_id, visit.staff_id), (service, staff)
        ),
    )


def _next(latest: date, gap: float | None) -> date | None:
    if gap is None or gap < _SHORTEST_GAP:
        return None
    return latest + timedelta(days=round(gap))


def _wall(visit: Past) -> datetime:
    return visit.start.astimezone(ZoneInfo(visit.timezone))


def _favourite(items: Sequence[T], key: Callable[[T], K]) -> K:
    """Return the key that counts most; of equals the latest, for it stands first."""
    weights = _weights(items, key)
    return max(weights, key=lambda one: weights[one])


def _share(items: Sequence[T], key: Callable[[T], K], of: K) -> float:
    """Return how much of all a key counts."""
    weights = _weights(items, key)
    return round(weights.get(of, 0.0) / sum(weights.values()), 2)


def _weights(items: Sequence[T], key: Callable[[T], K]) -> dict[K, float]:
    weights: dict[K, float] = {}
    for n, item in enumerate(items):
        weights[key(item)] = weights.get(key(item), 0.0) + _FADING**n
    return weights


def _gap(days: Sequence[date]) -> float | None:
    """Return the average number of days between visits, without long absences."""
    gaps = [later - earlier for earlier, later in pairwise(days)]
    usual = [gap.days for gap in gaps if gap <= _LONGEST_GAP]
    return round(sum(usual) / len(usual), 1) if usual else None
