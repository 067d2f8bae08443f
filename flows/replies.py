"""Reply ids: what every button and list row means, as text that WhatsApp carries for us.

A reply id carries everything it meant (`book:slot:<service>:<staff|0>:<minute>:…`), so that a tap
on a list from last week still makes sense. Ids that once left the house are read for ever: a form
may get further parts at its end, it never changes the ones it has. Minutes count from 1970 (UTC),
days are YYYYMMDD, a staff member of 0 is anyone, and the visit being moved, if any, comes last.
Services that follow in the same visit stand with the first one (`12+7`), and so does who does them.
The waitlist's stand in `flows.replies_waitlist`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar, Final, get_args
from uuid import UUID

from flows.replies_parts import Part, parts_of, whole
from flows.replies_unasked import (
    ConfirmComing,
    NotNow,
    PickUsual,
    Rate,
    StopSuggestions,
    SuggestAgain,
)
from flows.replies_visits import AddToVisit
from flows.replies_waitlist import OfWaitlist
from flows.values import valueclass

MAX_LENGTH: Final = 200
"""WhatsApp takes no longer ids for list rows (facts: 200; buttons may have 256)."""


@valueclass(frozen=True, slots=True)
class OpenMenu:
    """[Menu]: start over."""

    form: ClassVar = "menu:home"


@valueclass(frozen=True, slots=True)
class CarryOn:
    """[Carry on]: show the open question again."""

    form: ClassVar = "menu:on"


@valueclass(frozen=True, slots=True)
class StartBooking:
    """[Book a visit]."""

    form: ClassVar = "menu:book"


@valueclass(frozen=True, slots=True)
class OpenVisits:
    """[My visits]."""

    form: ClassVar = "menu:visits"


@valueclass(frozen=True, slots=True)
class TalkToUs:
    """[Talk to us]: a person, please."""

    form: ClassVar = "menu:person"


@valueclass(frozen=True, slots=True)
class CallUs:
    """[Call us]: what is the phone number?"""

    form: ClassVar = "menu:call"


@valueclass(frozen=True, slots=True)
class BackToBot:
    """[Back to the bot]: no person needed any more."""

    form: ClassVar = "person:back"


@valueclass(frozen=True, slots=True)
class TurnOn:
    """[Messages on]: take back a STOP."""

    form: ClassVar = "consent:start"


@valueclass(frozen=True, slots=True)
class SpeakLanguage:
    """A language to go on in."""

    form: ClassVar = "menu:language"
    language: str


@valueclass(frozen=True, slots=True)
class MoreServices:
    """(More services) from an offset on."""

    form: ClassVar = "book:services"
    offset: int


@valueclass(frozen=True, slots=True)
class PickService:
    """A service."""

    form: ClassVar = "book:service"
    service_id: int


@valueclass(frozen=True, slots=True)
class MoreStaff:
    """(More people) who do a service, from an offset on; offset 0 is the list's beginning."""

    form: ClassVar = "book:team"
    service_id: int
    offset: int
    moving: UUID | None = None
    also: tuple[int, ...] = ()


@valueclass(frozen=True, slots=True)
class PickStaff:
    """Who shall do it."""

    form: ClassVar = "book:who"
    service_id: int
    staff_id: int | None
    moving: UUID | None = None
    also: tuple[int, ...] = ()


@valueclass(frozen=True, slots=True)
class MoreDays:
    """(Later dates) from a day on."""

    form: ClassVar = "book:days"
    service_id: int
    staff_id: int | None
    from_day: date
    moving: UUID | None = None
    also: tuple[int, ...] = ()


@valueclass(frozen=True, slots=True)
class PickDay:
    """A day."""

    form: ClassVar = "book:day"
    service_id: int
    staff_id: int | None
    day: date
    moving: UUID | None = None
    also: tuple[int, ...] = ()


@valueclass(frozen=True, slots=True)
class MoreTimes:
    """(More times) of a day; page 0 is the first."""

    form: ClassVar = "book:times"
    service_id: int
    staff_id: int | None
    day: date
    page: int
    moving: UUID | None = None
    also: tuple[int, ...] = ()


@valueclass(frozen=True, slots=True)
class PickSlot:
    """A time; `who` would do it where anyone was asked for."""

    form: ClassVar = "book:slot"
    service_id: int
    staff_id: int | None
    start: datetime
    who: int
    moving: UUID | None = None
    also: tuple[int, ...] = ()


@valueclass(frozen=True, slots=True)
class BookIt:
    """[Book it], or [Move it] where a visit is being moved; `then` are who would do `also`."""

    form: ClassVar = "book:it"
    service_id: int
    staff_id: int | None
    start: datetime
    who: int
    hold_id: UUID
    moving: UUID | None = None
    also: tuple[int, ...] = ()
    then: tuple[int, ...] = ()


@valueclass(frozen=True, slots=True)
class BookNext:
    """[Next: …]: what was asked for together with what is booked now.

    The day is an ordinal, the time minutes of the day and one, the part its number; 0 is any.
    """

    form: ClassVar = "book:next"
    service_id: int | None
    staff_id: int | None
    day: int
    at: int
    part: int


@valueclass(frozen=True, slots=True)
class DropBooking:
    """[Cancel] before anything was booked, or [Keep it] while moving."""

    form: ClassVar = "book:quit"
    moving: UUID | None = None


@valueclass(frozen=True, slots=True)
class ShowVisit:
    """A visit in the list of visits."""

    form: ClassVar = "visit:show"
    booking_id: UUID


@valueclass(frozen=True, slots=True)
class ChangeVisit:
    """[Change]: another day or time."""

    form: ClassVar = "visit:change"
    booking_id: UUID


@valueclass(frozen=True, slots=True)
class AskToCancel:
    """[Cancel visit], to be confirmed."""

    form: ClassVar = "visit:cancel"
    booking_id: UUID


@valueclass(frozen=True, slots=True)
class CancelForSure:
    """[Yes, cancel it]."""

    form: ClassVar = "visit:drop"
    booking_id: UUID


@valueclass(frozen=True, slots=True)
class ListVisits:
    """Upcoming visits, or past ones (1), from an offset on."""

    form: ClassVar = "visit:list"
    past: int
    offset: int


Reply = (
    OpenMenu
    | CarryOn
    | StartBooking
    | OpenVisits
    | TalkToUs
    | CallUs
    | BackToBot
    | TurnOn
    | SpeakLanguage
    | MoreServices
    | PickService
    | MoreStaff
    | PickStaff
    | MoreDays
    | PickDay
    | MoreTimes
    | PickSlot
    | BookIt
    | BookNext
    | DropBooking
    | ShowVisit
    | ChangeVisit
    | AddToVisit
    | AskToCancel
    | CancelForSure
    | ListVisits
    | ConfirmComing
    | Rate
    | PickUsual
    | NotNow
    | StopSuggestions
    | SuggestAgain
    | OfWaitlist
)


def encode(reply: Reply) -> str:
    """Write a reply as an id."""
    form, names = _SHAPES[type(reply)]
    parts = [form]
    for name, write, followed in names:
        value = getattr(reply, name)
        if followed and (more := getattr(reply, followed)):
            parts.append("+".join((write(value), *map(str, more))))
        elif value is not None or name not in _LAST:
            parts.append(write(value))
    return ":".join(parts)


def decode(reply_id: str) -> Reply | None:
    """Read an id; None when it is none of ours. Never raises, whatever it is given."""
    return _read(reply_id) if len(reply_id) <= MAX_LENGTH else None


@lru_cache(maxsize=1024)
def _read(reply_id: str) -> Reply | None:
    """Read an id; kept, for a tap is looked at in turn by all that it may be for."""
    kind, _, rest = reply_id.partition(":")
    name, _, rest = rest.partition(":")
    shape = _READERS.get(f"{kind}:{name}")
    if shape is None:
        return None
    cls, readers = shape
    parts = rest.split(":") if rest else []
    try:
        values, more = [], {}
        # Further parts, of a form that has grown since, are left alone.
        for (_, read, followed), part in zip(readers, parts, strict=False):
            first, *others = part.split("+") if followed else [part]
            values.append(read(first))
            if followed and others:
                more[followed] = tuple(map(whole, others))
        reply: Reply = cls(*values, **more)
    except (ValueError, TypeError, OverflowError):
        return None
    return reply


_LAST: Final = frozenset({"moving", "but"})  # left out where nothing is known
_SHAPES: Final[Mapping[type, tuple[str, tuple[Part, ...]]]] = {
    cls: (cls.form, parts_of(cls, 0)) for cls in get_args(Reply)
}
_READERS: Final[Mapping[str, tuple[Any, tuple[Part, ...]]]] = {
    cls.form: (cls, parts_of(cls, 1)) for cls in get_args(Reply)
}
