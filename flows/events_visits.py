"""What has become of visits that are near or over: part of flows.events."""

from __future__ import annotations

from flows.model import Usual, Visit
from flows.values import valueclass


@valueclass(frozen=True, slots=True)
class VisitConfirmed:
    """The customer has said that they will come."""

    visit: Visit


@valueclass(frozen=True, slots=True)
class VisitCompleted:
    """The visit is over; `usual` is what the customer usually books, with this visit counted."""

    visit: Visit
    usual: Usual | None = None


@valueclass(frozen=True, slots=True)
class LateNoted:
    """That they will be late stands on a visit; None: there is none that it could be."""

    visit: Visit | None
    minutes: int | None = None


@valueclass(frozen=True, slots=True)
class VisitRated:
    """The customer has said how the visit was."""

    visit: Visit
    rating: int
