"""What happens around the waitlist: answers to what it asks, and what the desk and others tell.

Part of flows.events, which is where others take these from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from flows.model import Slot, Visit
from flows.model_waitlist import Kept, Offer, Place, Waiter
from flows.values import valueclass


@valueclass(frozen=True, slots=True)
class TimeFreed:
    """Something changed that may leave time free which somebody waits for: the desk's."""


@valueclass(frozen=True, slots=True)
class OfferPicked:
    """Somebody of the business chose whom to offer what is free: the desk's."""

    waitlist_id: int


@valueclass(frozen=True, slots=True)
class PlaceOffered:
    """A time is kept for this customer, who waits for one; `shared`: for others with them."""

    waitlist_id: int
    offer_id: UUID
    slot: Slot
    until: datetime
    shared: bool = False


@valueclass(frozen=True, slots=True)
class PlaceLost:
    """A time that was on offer to this customer is not any more, and not because of them.

    Somebody else has it, or it cannot be booked at all: `taken`.
    """

    waitlist_id: int
    offer_id: UUID
    slot: Slot
    taken: bool = False


@valueclass(frozen=True, slots=True)
class WaitlistJoined:
    """They are on the waitlist: now, with one more wish, or they have been all the time."""

    place: Place
    news: Literal["joined", "added", "known"]


@valueclass(frozen=True, slots=True)
class TimesStillFree:
    """Nobody has to wait: these times are free, soonest first."""

    slots: tuple[Slot, ...]


@valueclass(frozen=True, slots=True)
class PlacesFound:
    """What this customer waits for, in the order in which they joined."""

    places: tuple[Place, ...]


@valueclass(frozen=True, slots=True)
class WaitlistLeft:
    """They do not wait for this any more; None: they did not."""

    place: Place | None


@valueclass(frozen=True, slots=True)
class OfferTaken:
    """The time on offer is a visit of theirs now.

    `later` is a visit of the same kind that they have after it. With `shared`, others have it on
    offer who have to be told.
    """

    visit: Visit
    later: Visit | None = None
    shared: bool = False


@valueclass(frozen=True, slots=True)
class OfferPassed:
    """The time goes to the next in line, and they keep their place."""

    place: Place
    slot: Slot


@valueclass(frozen=True, slots=True)
class OfferGone:
    """The time is not on offer to them any more."""


@valueclass(frozen=True, slots=True)
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


@valueclass(frozen=True, slots=True)
class TimesOffered:
    """These offers stand, each under its id; `lost`: other times were taken meanwhile.

    `kept` are the times that are kept for staff to choose.
    """

    offers: tuple[tuple[UUID, Offer], ...]
    lost: bool = False
    kept: tuple[Kept, ...] = ()
