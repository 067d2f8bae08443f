"""What becomes of visits in memory, and what customers usually book, as storage would say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import time, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from flows import effects as fx
from flows import events as ev
from flows.model import Usual, Visit
from flows.preferences import Past, learned

if TYPE_CHECKING:
    from tests.support.salon import Salon


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


def was_reminded(salon: Salon, booking_id: UUID) -> None:
    """Note when a visit was first remembered."""
    owner, visit = salon.visits[booking_id]
    salon.visits[booking_id] = (owner, replace(visit, reminded_at=salon.now))


def note(
    salon: Salon,
    ask: fx.ConfirmVisit | fx.CompleteVisit | fx.RateVisit | fx.NoteLate,
    who: int,
) -> ev.Answer:
    """Note what has become of a customer's visit."""
    if isinstance(ask, fx.NoteLate):
        return _note_late(salon, ask, who)
    owner, visit = salon.visits.get(ask.booking_id, (0, None))
    if owner != who or visit is None:
        return ev.VisitGone()
    match ask:
        case fx.ConfirmVisit():
            if visit.status != "confirmed" or visit.start <= salon.now:
                return ev.VisitGone()
            visit = replace(visit, confirmed=True)
            answer: ev.Answer = ev.VisitConfirmed(visit)
        case fx.CompleteVisit():
            visit = _closed(salon, visit)
            salon.visits[visit.id] = (who, visit)
            answer = ev.VisitCompleted(visit, salon.usual(who))
        case _:
            visit = replace(visit, rating=ask.rating)
            answer = ev.VisitRated(visit, ask.rating)
    salon.visits[visit.id] = (who, visit)
    return answer


def _note_late(salon: Salon, ask: fx.NoteLate, who: int) -> ev.LateNoted:
    """Note on a customer's next visit that they will be late."""
    since, until = salon.now - timedelta(hours=1), salon.now + timedelta(hours=24)
    mine = [
        visit
        for owner, visit in salon.visits.values()
        if owner == who and visit.status == "confirmed" and visit.end > salon.now
        if (
            since < visit.start < until
            if ask.day is None
            else visit.start.astimezone(salon.zone).date() == ask.day
        )
    ]
    return ev.LateNoted(min(mine, key=lambda one: one.start, default=None), ask.minutes)


def _closed(salon: Salon, visit: Visit) -> Visit:
    """A visit that is over, as the company's rule says."""
    policy = salon.company.policy
    grace = timedelta(minutes=policy.no_show_minutes if policy.no_show_rule != "off" else 0)
    if visit.status != "confirmed" or visit.end + grace > salon.now:
        return visit
    asked = visit.reminded_at is not None and not visit.confirmed
    absent = {"off": False, "unconfirmed": asked, "unattended": True}[policy.no_show_rule]
    return replace(visit, status="no_show" if absent else "completed")
