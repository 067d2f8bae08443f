"""What can happen to a conversation: what customer, business and time did, and answers to asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date

from flows import events_visits as _visits
from flows import events_waitlist as _waitlist
from flows.model import FreeDay, Hold, Slot, Visit
from flows.values import valueclass

LateNoted = _visits.LateNoted
VisitCompleted = _visits.VisitCompleted
VisitConfirmed = _visits.VisitConfirmed
VisitRated = _visits.VisitRated
OfferGone = _waitlist.OfferGone
OfferPassed = _waitlist.OfferPassed
OfferPicked = _waitlist.OfferPicked
OfferTaken = _waitlist.OfferTaken
PlaceLost = _waitlist.PlaceLost
PlaceOffered = _waitlist.PlaceOffered
PlacesFound = _waitlist.PlacesFound
TimeFreed = _waitlist.TimeFreed
TimesOffered = _waitlist.TimesOffered
TimesStillFree = _waitlist.TimesStillFree
WaitersFound = _waitlist.WaitersFound
WaitlistJoined = _waitlist.WaitlistJoined
WaitlistLeft = _waitlist.WaitlistLeft


@valueclass(frozen=True, slots=True)
class TextReceived:
    """The customer typed something."""

    text: str


@valueclass(frozen=True, slots=True)
class ReplyTapped:
    """The customer tapped a reply button or list row, perhaps an old one.

    `reply_id` is what we gave it.
    """

    reply_id: str
    title: str = ""


@valueclass(frozen=True, slots=True)
class MediaReceived:
    """The customer sent a file: image, video, audio, voice, document or sticker."""

    kind: str
    caption: str = ""


@valueclass(frozen=True, slots=True)
class LocationReceived:
    """The customer shared a place; degrees."""

    latitude: float
    longitude: float


@valueclass(frozen=True, slots=True)
class ContactsReceived:
    """The customer sent contact cards; `own_phone` is set where we had asked for their number."""

    count: int
    own_phone: str | None = None


@valueclass(frozen=True, slots=True)
class ReactionReceived:
    """The customer reacted to a message with an emoji, or took the reaction back (empty)."""

    emoji: str


@valueclass(frozen=True, slots=True)
class MessageEdited:
    """The customer changed a message that they had sent; `text` is the new one where it is text."""

    text: str


@valueclass(frozen=True, slots=True)
class MessageDeleted:
    """The customer deleted a message that they had sent."""


@valueclass(frozen=True, slots=True)
class FormAnswered:
    """The customer submitted a form; `answers` is the JSON text that came with it."""

    name: str
    answers: str


@valueclass(frozen=True, slots=True)
class NumberChanged:
    """The customer has a new phone number or a new business-scoped id."""


@valueclass(frozen=True, slots=True)
class UnknownReceived:
    """Something arrived that we do not know, or that WhatsApp could not deliver to bots."""

    kind: str


@valueclass(frozen=True, slots=True)
class PersonReplied:
    """Somebody of the business wrote to the customer by hand, from the phone app or the console."""


@valueclass(frozen=True, slots=True)
class PersonReturned:
    """Whoever had the conversation gave it back to the bot."""


@valueclass(frozen=True, slots=True)
class SendFailed:
    """A message of ours could not be delivered and never will be; `code` is Meta's."""

    code: int = 0  # none was given


@valueclass(frozen=True, slots=True)
class TurnFailed:
    """Handling an event failed for good and the event was parked."""


@valueclass(frozen=True, slots=True)
class TimerFired:
    """A timer that was armed for this conversation is due; `payload` is what it was armed with."""

    name: str
    key: str
    payload: Mapping[str, str | int | bool | None] = field(default_factory=dict)


@valueclass(frozen=True, slots=True)
class EarliestFound:
    """The earliest free slot per staff member, for those who have any within the horizon."""

    service_id: int
    slots: tuple[Slot, ...]


@valueclass(frozen=True, slots=True)
class DaysFound:
    """Days with free times, in order; `more`: there are further ones within the horizon."""

    days: tuple[FreeDay, ...]
    more: bool


@valueclass(frozen=True, slots=True)
class TimesFound:
    """The free times of a local date, in order, one per start."""

    day: date
    slots: tuple[Slot, ...]


@valueclass(frozen=True, slots=True)
class NearestFound:
    """The free times nearest to a wish, best first."""

    slots: tuple[Slot, ...]


@valueclass(frozen=True, slots=True)
class SlotHeld:
    """The slot is kept for this conversation."""

    hold: Hold


@valueclass(frozen=True, slots=True)
class SlotTaken:
    """The slot belongs to somebody else, or was never offered."""


@valueclass(frozen=True, slots=True)
class SlotBooked:
    """The hold became a booking; `waiting`: they still wait for a place of the same kind."""

    visit: Visit
    waiting: int | None = None  # the id of that place


@valueclass(frozen=True, slots=True)
class VisitsFound:
    """The customer's visits: upcoming ones soonest first, past ones latest first.

    `waiting` tells whether they are also on the waitlist.
    """

    upcoming: tuple[Visit, ...]
    past: tuple[Visit, ...]
    waiting: bool = False


@valueclass(frozen=True, slots=True)
class VisitFound:
    """One visit of this customer, or none by that id."""

    visit: Visit | None


@valueclass(frozen=True, slots=True)
class VisitCancelled:
    """The visit is cancelled and its time is free."""

    visit: Visit


@valueclass(frozen=True, slots=True)
class VisitMoved:
    """The visit has its new time, and the old one is free."""

    visit: Visit


@valueclass(frozen=True, slots=True)
class VisitGone:
    """The visit cannot be changed any more: cancelled, over, or not this customer's."""


Inbound = (
    TextReceived
    | ReplyTapped
    | MediaReceived
    | LocationReceived
    | ContactsReceived
    | ReactionReceived
    | MessageEdited
    | MessageDeleted
    | FormAnswered
    | NumberChanged
    | UnknownReceived
)
Answer = (
    EarliestFound
    | DaysFound
    | TimesFound
    | NearestFound
    | SlotHeld
    | SlotTaken
    | SlotBooked
    | VisitsFound
    | VisitFound
    | VisitCancelled
    | VisitMoved
    | VisitConfirmed
    | VisitCompleted
    | VisitRated
    | LateNoted
    | VisitGone
    | WaitlistJoined
    | TimesStillFree
    | PlacesFound
    | WaitlistLeft
    | OfferTaken
    | OfferPassed
    | OfferGone
    | WaitersFound
    | TimesOffered
)
Internal = (
    PersonReplied
    | PersonReturned
    | SendFailed
    | TurnFailed
    | TimerFired
    | TimeFreed
    | OfferPicked
    | PlaceOffered
    | PlaceLost
)
"""Made by ourselves: they wait in the inbox as flows.stored writes them."""
Event = Inbound | Answer | Internal
