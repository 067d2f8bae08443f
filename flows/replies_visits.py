"""What the buttons and list rows mean that change what a visit is for; see `flows.replies`."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from flows.values import valueclass


@valueclass(frozen=True, slots=True)
class AddToVisit:
    """A service to be added to a visit; None: which one is asked."""

    form: ClassVar = "visit:add"
    booking_id: UUID
    service_id: int | None
