"""What customers in memory usually book, as storage would have learned it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from flows.model import Usual, Visit
from flows.preferences import Past, learned


def usual_of(visits: Sequence[Visit]) -> Usual | None:
    """What is usual in somebody's visits: those that were completed."""
    came = sorted(
        (visit for visit in visits if visit.status == "completed"),
        key=lambda visit: visit.start,
        reverse=True,
    )
    known = learned([Past(v.service_id, v.staff_id, v.start, v.timezone) for v in came])
    if known is None:
        return None
    return Usual(
        service_id=known.favorite_service_id,
        staff_id=known.favorite_staff_id,
        weekday=known.preferred_weekday,
        at=time(known.preferred_hour),
        visits=len(came),
        last_visit=known.last_visit_at,
        confidence=known.confidence,
        gap_days=known.average_gap_days,
        next_on=known.next_suggested_on,
    )
