"""What a step may want of the waitlist: places in it, offers, and what operators are told.

Part of flows.effects, which is where others take these from.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from flows.model import Slot
from flows.model_waitlist import Kept, Offer, Wanted
from flows.values import valueclass


@valueclass(frozen=True, slots=True)
class Alert:
    """Tell operators that something has become too much, or is well again (`over` is False)."""

    what: Literal["queue", "silence", "choices"]
    value: int
    threshold: int
    over: bool = True


@valueclass(frozen=True, slots=True)
class JoinWaitlist:
    """Ask to wait for a visit until a moment → WaitlistJoined, or TimesStillFree unless `anyway`.

    With `anyway`, what is free now is what they do not want.
    """

    service_id: int
    wanted: Wanted
    ends: datetime
    anyway: bool = False


@valueclass(frozen=True, slots=True)
class FindPlaces:
    """Ask for what the customer waits for → PlacesFound."""


@valueclass(frozen=True, slots=True)
class LeaveWaitlist:
    """Ask to wait no longer → WaitlistLeft; `over`: because the days have gone by."""

    waitlist_id: int
    over: bool = False


@valueclass(frozen=True, slots=True)
class TakeOffer:
    """Ask to book a time that is or was on offer → OfferTaken or OfferGone."""

    waitlist_id: int
    offer_id: UUID
    slot: Slot


@valueclass(frozen=True, slots=True)
class PassOffer:
    """Ask to give a time on offer to the next in line → OfferPassed or OfferGone.

    The outcome says why: they do not want it, said nothing, or never saw it.
    """

    waitlist_id: int
    offer_id: UUID
    outcome: Literal["passed", "silent", "withdrawn"] = "passed"


@valueclass(frozen=True, slots=True)
class FindWaiters:
    """Ask who waits, and for what of it there is time → WaitersFound.

    When somebody was `picked`, what is kept for the choice is free.
    """

    picked: bool = False


@valueclass(frozen=True, slots=True)
class OfferTimes:
    """Ask to keep times for those who wait, and others for staff to choose → TimesOffered.

    When somebody was `picked`, what is kept for the choice makes way.
    """

    offers: tuple[Offer, ...]
    keep: tuple[Kept, ...] = ()
    picked: bool = False
