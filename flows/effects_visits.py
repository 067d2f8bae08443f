"""What a step may want of reminders, of visits that are near or over, and of suggestions.

Part of flows.effects, which is where others take these from.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from flows.values import valueclass


@valueclass(frozen=True, slots=True)
class SetMarketing:
    """The customer wants suggestions that they did not ask for, or wants none."""

    wanted: bool


@valueclass(frozen=True, slots=True)
class PlanReminder:
    """Note that a customer is to be reminded of a visit; the timer that does it is armed apart."""

    booking_id: UUID
    kind: str  # "24h", "2h", "review", "rebook"
    due: datetime


@valueclass(frozen=True, slots=True)
class DropReminder:
    """Note that a reminder which was planned is not to be."""

    booking_id: UUID
    kind: str


@valueclass(frozen=True, slots=True)
class NoteReminder:
    """Note that a reminder was sent now, or what was answered to it."""

    booking_id: UUID
    kind: str
    answer: str | None = None


@valueclass(frozen=True, slots=True)
class ConfirmVisit:
    """Ask to note that the customer will come → VisitConfirmed or VisitGone."""

    booking_id: UUID


@valueclass(frozen=True, slots=True)
class CompleteVisit:
    """Ask to close a visit that has ended, and to learn from it → VisitCompleted or VisitGone."""

    booking_id: UUID


@valueclass(frozen=True, slots=True)
class NoteLate:
    """Ask to note on the next visit, or on that of a day, that they will be late → LateNoted."""

    minutes: int | None = None
    day: date | None = None


@valueclass(frozen=True, slots=True)
class RateVisit:
    """Ask to note how a visit was, 1 to 5 → VisitRated or VisitGone."""

    booking_id: UUID
    rating: int
