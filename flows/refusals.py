"""Why a visit cannot be changed here, and who can help then."""

from __future__ import annotations

from flows import wording as t
from flows.asking import Idle, buttons, shown, words
from flows.cards import at, notice_rule, of_visit, too_late
from flows.effects import Record, Say
from flows.greeting import at_menu, help_buttons
from flows.machine import Context, Step
from flows.model import Visit
from flows.replies import OpenVisits, PickStaff, TalkToUs

OPEN_STATUSES = frozenset({"pending", "confirmed"})


def refusal(ctx: Context, visit: Visit | None) -> Step[Idle] | None:
    """Say why a visit cannot be changed; None when it can."""
    if visit is None:
        return at_menu(ctx, words(ctx)(t.VISIT_GONE))
    over = ended(ctx, visit)
    if over is None and too_late(ctx, visit):
        return _too_late(ctx, visit)
    return over


def ended(ctx: Context, visit: Visit) -> Step[Idle] | None:
    """Say that a visit is cancelled or over; None when it is ahead."""
    w = words(ctx)
    if visit.status == "cancelled":
        return _book_again(ctx, visit, w(t.VISIT_IS_CANCELLED))
    if visit.status not in OPEN_STATUSES or visit.start <= ctx.now:
        return _book_again(ctx, visit, w(t.VISIT_IS_OVER))
    return None


def _book_again(ctx: Context, visit: Visit, why: str) -> Step[Idle]:
    w = words(ctx)
    again = PickStaff(visit.service_id, visit.staff_id, also=visit.also)
    pairs = ((t.BOOK_AGAIN, again), (t.MY_VISITS, OpenVisits()), (t.TALK_TO_US, TalkToUs()))
    text = f"{why}\n{of_visit(ctx, visit)}, {at(ctx, visit)}"
    return shown(Idle(), Say(text, buttons(w, *pairs)))


def _too_late(ctx: Context, visit: Visit) -> Step[Idle]:
    w, phone = words(ctx), ctx.catalog.company.phone
    way_out = w(t.CALL_OR_TALK, phone=phone) if phone else w(t.TALK_INSTEAD)
    text = f"{of_visit(ctx, visit)}, {at(ctx, visit)}\n{notice_rule(ctx)}\n{way_out}"
    refused = Record("change_refused", {"booking_id": str(visit.id)})
    return shown(Idle(), Say(text, help_buttons(ctx)), refused)
