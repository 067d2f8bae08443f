"""What can happen to a conversation: what customer, business and time did, and answers to asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from flows.events_later import (
    VisitCompleted as VisitCompleted,
)
from flows.events_later import (
    VisitConfirmed as VisitConfirmed,
)
from flows.events_later import (
    VisitRated as VisitRated,
)
from flows.model import FreeDay, Hold, Offer, Place, Slot, Visit, Waiter


@dataclass(frozen=True, slots=True)
class TextReceived:
    """The customer typed something."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyTapped:
    """The customer tapped a reply button or list row, perhaps an old one.

    `reply_id` is what we gave it.
    """

    reply_id: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class MediaReceived:
    """The customer sent a file: image, video, audio, voice, document or sticker."""

    kind: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class LocationReceived:
    """The customer shared a place; degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class ContactsReceived:
    """The customer sent contact cards; `own_phone` is set where we had asked for their number."""

    count: int
    own_phone: str | None = None


@dataclass(frozen=True, slots=True)
class ReactionReceived:
    """The customer reacted to a message with an emoji, or took the reaction back (empty)."""

    emoji: str


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """The customer changed a message that they had sent; `text` is the new one where it is text."""

    text: str


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """The customer deleted a message that they had sent."""


@dataclass(frozen=True, slots=True)
class FormAnswered:
    """The customer submitted a form; `answers` is the JSON text that came with it."""

    name: str
    answers: str


@dataclass(frozen=True, slots=True)
class NumberChanged:
    """The customer has a new phone number or a new business-scoped id."""


@dataclass(frozen=True, slots=True)
class UnknownReceived:
    """Something arrived that we do not know, or that WhatsApp could not deliver to bots."""

    kind: str


@dataclass(frozen=True, slots=True)
class PersonReplied:
    """Somebody of the business wrote to the customer by hand, from the phone app or the console."""


@dataclass(frozen=True, slots=True)
class PersonReturned:
    """Whoever had the conversation gave it back to the bot."""


@dataclass(frozen=True, slots=True)
class SendFailed:
    """A message of ours could not be delivered and never will be; `code` is Meta's."""

    code: int = 0  # none was given


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """Handling an event failed for good and the event was parked."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer that was armed for this conversation is due; `payload` is what it was armed with."""

    name: str
    key: str
    payload: Mapping[str, str | int | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimeFreed:
    """Something changed that may leave time free which somebody waits for: the desk's."""


@dataclass(frozen=True, slots=True)
class OfferPicked:
    """Somebody of the business chose whom to offer what is free: the desk's."""

    waitlist_id: int


@dataclass(frozen=True, slots=True)
class PlaceOffered:
    """A time is kept for this customer, who waits for one; `shared`: for others with them."""

    waitlist_id: int
    offer_id: UUID
    slot: Slot
    until: datetime
    shared: bool = False


@dataclass(frozen=True, slots=True)
class PlaceLost:
    """A time that was on offer to this customer is not any more, and not because of them.

    Somebody else has it, or it cannot be booked at all: `taken`.
    """

    waitlist_id: int
    offer_id: UUID
    slot: Slot
    taken: bool = False


@dataclass(frozen=True, slots=True)
class EarliestFound:
    """The earliest free slot per staff member, for those who have any within the horizon."""

    service_id: int
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class DaysFound:
    """Days with free times, in order; `more`: there are further ones within the horizon."""

    days: tuple[FreeDay, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class TimesFound:
    """The free times of a local date, in order, one per start."""

    day: date
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class NearestFound:
    """The free times nearest to a wish, best first."""

    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class SlotHeld:
    """The slot is kept for this conversation."""

    hold: Hold


@dataclass(frozen=True, slots=True)
class SlotTaken:
    """The slot belongs to somebody else, or was never offered."""


@dataclass(frozen=True, slots=True)
class SlotBooked:
    """The hold became a booking; `waiting`: they still wait for a place of the same kind."""

    visit: Visit
    waiting: int | None = None  # the id of that place


@dataclass(frozen=True, slots=True)
class VisitsFound:
    """The customer's visits: upcoming ones soonest first, past ones latest first.

    `waiting` tells whether they are also on the waitlist.
    """

    upcoming: tuple[Visit, ...]
    past: tuple[Visit, ...]
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class VisitFound:
    """One visit of this customer, or none by that id."""

    visit: Visit | None


@dataclass(frozen=True, slots=True)
class VisitCancelled:
    """The visit is cancelled and its time is free."""

    visit: Visit


@dataclass(frozen=True, slots=True)
class VisitMoved:
    """The visit has its new time, and the old one is free."""

    visit: Visit


@dataclass(frozen=True, slots=True)
class VisitGone:
    """The visit cannot be changed any more: cancelled, over, or not this customer's."""


@dataclass(frozen=True, slots=True)
class WaitlistJoined:
    """They are on the waitlist: now, with one more wish, or they have been all the time."""

    place: Place
    news: Literal["joined", "added", "known"]


@dataclass(frozen=True, slots=True)
class TimesStillFree:
    """Nobody has to wait: these times are free, soonest first."""

    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class PlacesFound:
    """What this customer waits for, in the order in which they joined."""

    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class WaitlistLeft:
    """They do not wait for this any more; None: they did not."""

    place: Place | None


@dataclass(frozen=True, slots=True)
class OfferTaken:
    """The time on offer is a visit of theirs now.

    `later` is a visit of the same kind that they have after it. With `shared`, others have it on
    offer who have to be told.
    """

    visit: Visit
    later: Visit | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class OfferPassed:
    """The time goes to the next in line, and they keep their place."""

    place: Place
    slot: Slot


@dataclass(frozen=True, slots=True)
class OfferGone:
    """The time is not on offer to them any more."""


@dataclass(frozen=True, slots=True)
class WaitersFound:
    """Who waits for a place at this company, and what is free of what they may want.

    `free` has starts in epoch seconds by service and staff member, `lost` the offers that ended
    because their time went to somebody else or cannot be booked any more, with whom to tell. Of the
    offers of the last days `answered` were answered and `silent` were not.
    """

    waiters: tuple[Waiter, ...]
    free: Mapping[int, Mapping[int, Sequence[range]]]
    lost: tuple[tuple[int, PlaceLost], ...] = ()
    look_at: datetime | None = None  # by then the offers that are open should have ended
    answered: int = 0
    silent: int = 0


@dataclass(frozen=True, slots=True)
class TimesOffered:
    """These offers stand, each under its id; `lost`: other times were taken meanwhile."""

    offers: tuple[tuple[UUID, Offer], ...]
    lost: bool = False


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
