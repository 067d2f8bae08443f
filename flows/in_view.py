"""A visit that is in front of the customer: just booked, shown, remembered, about to be cancelled.

What is typed then of another day or time means that visit.
"""

from __future__ import annotations

from uuid import UUID

from flows import asides
from flows import keywords as k
from flows.asking import Asking
from flows.machine import Context, State, Step
from flows.manage import CancellingVisit, ViewingVisit, open_visit
from flows.plain import plain
from flows.reminder import Reminded
from flows.replies import ChangeVisit, decode
from flows.which import is_not_today, move_in
from flows.wishes import Wished, understand


def visit_in_view(state: State) -> UUID | None:
    """Return the visit that the last message was about, if it was about one."""
    if isinstance(state, ViewingVisit | CancellingVisit | Reminded):
        return state.booking_id
    if not isinstance(state, Asking):
        return None
    replies = [decode(id_) for id_, _ in state.offered]
    found = [reply.booking_id for reply in replies if isinstance(reply, ChangeVisit)]
    return found[0] if len(found) == 1 else None


def other_time(state: State, raw: str, bare: str, ctx: Context) -> Step[ViewingVisit] | None:
    """Move the visit in view to the time that is typed, or ask for one where it was a mistake."""
    booking_id = visit_in_view(state)
    if booking_id is None:
        return None
    move = move_in(raw, bare, ctx)
    if move is not None and (move.to is not None or move.sure):
        return None  # they say themselves which visit
    wished = understand(k.moved_to(raw), ctx)
    if asides.WRONG.has(bare) or (k.MOVE_IT.has(bare) and wished is None):
        return open_visit(booking_id, "change")
    if wished is None or not _means_it(wished, raw):
        return None
    known: dict[str, object] = {"wish": wished.wish, "from_day": wished.from_day}
    known |= {"same_time": wished.same_time, "weekday": is_not_today(wished, raw, ctx)}
    step = open_visit(booking_id, "change")
    return Step(step.state.model_copy(update=known), step.effects, step.ask)


def _means_it(wished: Wished, raw: str) -> bool:
    """Tell whether nothing but another time is wished for."""
    other = wished.services or wished.staff_id or wished.not_by or wished.stranger
    said = plain(raw)
    another = k.BOOK.has(said) or k.SEVERAL_PEOPLE.has(said) or asides.RELATIVES.has(said)
    return wished.says_when and not other and not another and not k.CANCEL_VISIT.has(said)
