"""What the buttons mean of what we say unasked: reminders, ratings, the usual (flows.replies)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from flows.values import valueclass


@valueclass(frozen=True, slots=True)
class ConfirmComing:
    """[Confirm] on a reminder, the second one (1) or the first."""

    form: ClassVar = "visit:confirm"
    booking_id: UUID
    second: int


@valueclass(frozen=True, slots=True)
class Rate:
    """How a visit was: 1 to 5."""

    form: ClassVar = "visit:rate"
    booking_id: UUID
    rating: int


@valueclass(frozen=True, slots=True)
class PickUsual:
    """A time for the usual: booked at once."""

    form: ClassVar = "usual:book"
    service_id: int
    staff_id: int
    start: datetime


@valueclass(frozen=True, slots=True)
class NotNow:
    """[Not now] on a suggestion that came after a visit."""

    form: ClassVar = "usual:later"
    booking_id: UUID


@valueclass(frozen=True, slots=True)
class StopSuggestions:
    """[Stop suggestions]: marketing off, reminders on."""

    form: ClassVar = "usual:stop"


@valueclass(frozen=True, slots=True)
class SuggestAgain:
    """[Suggest again]: marketing on."""

    form: ClassVar = "usual:again"
