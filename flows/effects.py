"""What a step may want.

Effects are done when the turn commits; an ask is a question that only storage can answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from flows import effects_visits as _visits
from flows import effects_waitlist as _waitlist
from flows.model import Hold, Wish
from flows.values import valueclass

if TYPE_CHECKING:
    from flows.events import Internal


CompleteVisit = _visits.CompleteVisit
ConfirmVisit = _visits.ConfirmVisit
DropReminder = _visits.DropReminder
NoteLate = _visits.NoteLate
NoteReminder = _visits.NoteReminder
PlanReminder = _visits.PlanReminder
RateVisit = _visits.RateVisit
SetMarketing = _visits.SetMarketing
Alert = _waitlist.Alert
FindPlaces = _waitlist.FindPlaces
FindWaiters = _waitlist.FindWaiters
JoinWaitlist = _waitlist.JoinWaitlist
LeaveWaitlist = _waitlist.LeaveWaitlist
OfferTimes = _waitlist.OfferTimes
PassOffer = _waitlist.PassOffer
TakeOffer = _waitlist.TakeOffer


@valueclass(frozen=True, slots=True)
class Button:
    """A reply button; `id` says what it means, for ever (flows.replies)."""

    id: str
    title: str


@valueclass(frozen=True, slots=True)
class Row:
    """A list row with an optional second line."""

    id: str
    title: str
    note: str = ""


@valueclass(frozen=True, slots=True)
class Section:
    """Rows under a title; the title may be empty when there is one section."""

    title: str
    rows: tuple[Row, ...]


@valueclass(frozen=True, slots=True)
class Sheet:
    """A list message's list: what the button says that opens it, and what is in it."""

    button: str
    sections: tuple[Section, ...]


@valueclass(frozen=True, slots=True)
class Attachment:
    """A small file that goes with a message."""

    filename: str
    mime_type: str
    content: str


@valueclass(frozen=True, slots=True)
class TemplateUse:
    """A message as one of our templates (flows.templates.use makes them).

    `params` fill the variables of the body, `payloads` are the reply ids of the quick replies, each
    in their order. `instead` may be sent where the template is paused or refused.
    """

    name: str
    language: str
    params: tuple[str, ...] = ()
    payloads: tuple[str, ...] = ()
    instead: TemplateUse | None = None


@valueclass(frozen=True, slots=True)
class Say:
    """One message to the customer: text, with buttons or a list, and perhaps a file.

    `template` is the same message for when the customer has been silent for 24 hours: chosen at
    the moment of sending. What is `marketing` never goes to those who stopped it; what could not be
    sent by `until` never goes at all.
    """

    text: str
    buttons: tuple[Button, ...] = ()
    sheet: Sheet | None = None
    footer: str = ""
    attachment: Attachment | None = None
    template: TemplateUse | None = None
    marketing: bool = False
    until: datetime | None = None


@valueclass(frozen=True, slots=True)
class SetLocale:
    """Speak this language with the customer from now on."""

    locale: str


@valueclass(frozen=True, slots=True)
class SettleIn:
    """Come to this area for the customer from now on, and speak by its clock."""

    area_id: int


@valueclass(frozen=True, slots=True)
class OptOut:
    """The customer wants no messages from the business that they did not ask for."""


@valueclass(frozen=True, slots=True)
class OptIn:
    """The customer wants messages again."""


@valueclass(frozen=True, slots=True)
class CallPerson:
    """Hand the conversation to a person until a moment; the bot is silent meanwhile."""

    until: datetime
    reason: str  # "asked", "failed", "replied"


@valueclass(frozen=True, slots=True)
class DismissPerson:
    """The bot speaks again."""


@valueclass(frozen=True, slots=True)
class ReleaseHolds:
    """Let go of what is held for this conversation."""


@valueclass(frozen=True, slots=True)
class Record:
    """A step of the funnel, for statistics: no names, numbers or texts in it."""

    event_type: str
    data: Mapping[str, str | int | bool | None] = field(default_factory=dict)


Payload: TypeAlias = Mapping[str, str | int | bool | None]
"""What a timer carries: ids and words, nothing that may have changed when it fires."""


@valueclass(frozen=True, slots=True)
class ArmTimer:
    """Have TimerFired(name, key, payload) happen to this conversation at a moment.

    Keys are business keys, unique per company (`reminder:<booking id>:24h`). Arming a key again
    moves the timer, also when it has fired already.
    """

    key: str
    name: str
    due: datetime
    payload: Payload = field(default_factory=dict)


@valueclass(frozen=True, slots=True)
class CancelTimer:
    """Let a timer of the company not happen; also one that fired but was not heard yet."""

    key: str


@valueclass(frozen=True, slots=True)
class Tell:
    """Have an event happen to another conversation of the company when this turn commits.

    `to` None is the desk. The same `key` makes it happen once.
    """

    to: int | None
    event: Internal
    key: str


@valueclass(frozen=True, slots=True)
class FindEarliest:
    """Ask for the earliest slot of each staff member who does a service → EarliestFound.

    Services that are to follow at once in the same visit come `also`, and whoever is not wanted is
    left out by `but`, here and below.
    """

    service_id: int
    also: tuple[int, ...] = ()
    but: int | None = None


@valueclass(frozen=True, slots=True)
class FindDays:
    """Ask for days with free times from a local date on → DaysFound; `staff_id` None is anyone.

    Their own visit that is being moved does not block (`moving`), here and below.
    """

    service_id: int
    staff_id: int | None
    from_day: date
    limit: int = 9
    moving: UUID | None = None
    also: tuple[int, ...] = ()
    but: int | None = None


@valueclass(frozen=True, slots=True)
class FindTimes:
    """Ask for the free times of a local date → TimesFound."""

    service_id: int
    staff_id: int | None
    day: date
    moving: UUID | None = None
    also: tuple[int, ...] = ()
    but: int | None = None


@valueclass(frozen=True, slots=True)
class FindNearest:
    """Ask for the free times nearest to a wish, best first → NearestFound.

    Without a wish these are some good ones, or, with `soonest`, the very next ones.
    """

    service_id: int
    staff_id: int | None
    wish: Wish
    limit: int = 9
    moving: UUID | None = None
    also: tuple[int, ...] = ()
    soonest: bool = False
    but: int | None = None


@valueclass(frozen=True, slots=True)
class HoldSlot:
    """Ask to keep a time for this conversation → SlotHeld or SlotTaken.

    What the conversation held before is let go of.
    """

    service_id: int
    staff_id: int | None
    start: datetime
    until: datetime
    moving: UUID | None = None
    also: tuple[int, ...] = ()
    but: int | None = None


@valueclass(frozen=True, slots=True)
class BookSlot:
    """Ask to turn a hold into a booking → SlotBooked or SlotTaken.

    A hold that ran out will do as long as its time is free.
    """

    hold: Hold
    source: str = "quick"


@valueclass(frozen=True, slots=True)
class FindVisits:
    """Ask for the customer's visits → VisitsFound."""

    past: bool = False


@valueclass(frozen=True, slots=True)
class FindVisit:
    """Ask for one visit of the customer → VisitFound."""

    booking_id: UUID


@valueclass(frozen=True, slots=True)
class CancelVisit:
    """Ask to cancel a visit → VisitCancelled or VisitGone."""

    booking_id: UUID
    reason: str = ""


@valueclass(frozen=True, slots=True)
class MoveVisit:
    """Ask to move a visit onto a hold, at once and whole → VisitMoved, SlotTaken or VisitGone."""

    booking_id: UUID
    hold: Hold


Effect = (
    Say
    | SetLocale
    | SettleIn
    | OptOut
    | OptIn
    | SetMarketing
    | PlanReminder
    | DropReminder
    | NoteReminder
    | CallPerson
    | DismissPerson
    | ReleaseHolds
    | Record
    | ArmTimer
    | CancelTimer
    | Tell
    | Alert
)
Ask = (
    FindEarliest
    | FindDays
    | FindTimes
    | FindNearest
    | HoldSlot
    | BookSlot
    | FindVisits
    | FindVisit
    | CancelVisit
    | MoveVisit
    | ConfirmVisit
    | CompleteVisit
    | RateVisit
    | NoteLate
    | JoinWaitlist
    | FindPlaces
    | LeaveWaitlist
    | TakeOffer
    | PassOffer
    | FindWaiters
    | OfferTimes
)
