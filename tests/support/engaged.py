"""When people of the salon in memory are taken, as one of its customers finds them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from tests.support.salon import Salon


def busy(
    salon: Salon, staff_id: int, who: int, moving: UUID | None
) -> list[tuple[datetime, datetime]]:
    """Visits, offers, what is kept for a choice and what others hold; not the visit being moved."""
    found = [(start, end) for id_, start, end in salon.taken if id_ == staff_id]
    found += [
        (visit.start, visit.end)
        for _, visit in salon.visits.values()
        if visit.staff_id == staff_id and visit.status == "confirmed" and visit.id != moving
    ]
    found += [
        (slot.start, slot.end) for slot in salon.queue.offers.values() if slot.staff_id == staff_id
    ]
    found += [
        (kept.slot.start, kept.slot.end)
        for kept in salon.queue.kept
        if kept.slot.staff_id == staff_id and kept.until > salon.now
    ]
    found += [
        (hold.slot.start, hold.slot.end)
        for holder, hold in salon.holds.items()
        if holder != who and hold.until > salon.now and hold.slot.staff_id == staff_id
    ]
    return found
