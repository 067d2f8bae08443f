"""What the rules of flows.when find in a text, and what they read it with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final

from flows.model import AFTERNOON, EVENING, MORNING
from flows.values import valueclass

PARTS_SAID: Final = {MORNING: MORNING, AFTERNOON: AFTERNOON, EVENING: EVENING, "night": EVENING}
"""The codes of parts of the day, and the part that each is booked as."""


@valueclass(frozen=True, slots=True)
class Clock:
    """A time of day as it was said: `sure` where no other half of the day can be meant."""

    hour: int
    minute: int = 0
    sure: bool = False


@valueclass(frozen=True, slots=True)
class Moment:
    """When and where a text is read."""

    now: datetime  # local
    opening: tuple[time, time]
    month_first: bool

    @property
    def today(self) -> date:
        """Return the local date."""
        return self.now.date()


@dataclass(slots=True)
class Found:
    """What the rules have found so far."""

    days: set[date] = field(default_factory=set)
    weekdays: set[int] = field(default_factory=set)
    clocks: set[Clock] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    next_week: bool = False
    next_weekday: bool = False
    exact: datetime | None = None  # "in two hours"
    since: date | None = None  # where a stretch begins that is named alone: a month, a week's end
    span: tuple[Clock, Clock] | None = None  # between two and four
    before: Clock | None = None
