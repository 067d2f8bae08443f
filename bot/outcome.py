"""What a turn wants: nearly all of it goes into the one statement that saves the turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from bot import metrics
from bot.waiting import customer_of
from bot.whatsapp.render import render
from bot.whatsapp.templates import render_template
from flows import effects as fx
from flows.model import Catalog
from storage import bookings, dialogs
from storage.dialogs import Dialog, ReminderOp, Telling, TimerOp, TurnRecord
from storage.outbox import Outgoing
from storage.pool import Connection

Other: TypeAlias = (
    fx.SetLocale | fx.SettleIn | fx.OptOut | fx.OptIn | fx.SetMarketing | fx.ReleaseHolds
)
"""Effects that concern other tables than the conversation's own."""


@dataclass(slots=True)
class Outcome:
    """The effects of a turn, sorted by where they are written."""

    person_until: datetime | None
    locale: str | None = None
    bodies: list[Mapping[str, Any]] = field(default_factory=list)
    extras: list[Mapping[str, Any]] = field(default_factory=list)
    records: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    others: list[Other] = field(default_factory=list)
    timers: dict[str, TimerOp] = field(default_factory=dict)  # by key: the last wish counts
    tells: list[Telling] = field(default_factory=list)
    reminders: list[ReminderOp] = field(default_factory=list)
    alerts: list[fx.Alert] = field(default_factory=list)


def gather(effects: Sequence[fx.Effect], person_until: datetime | None) -> Outcome:
    """Render and sort effects; `person_until` is how long a person has it so far."""
    outcome = Outcome(person_until)
    for effect in effects:
        match effect:
            case fx.Say():
                outcome.bodies.append(render(effect))
                outcome.extras.append(_extras(effect))
            case fx.Record(event_type, data):
                outcome.records.append((event_type, data))
            case fx.CallPerson(until, reason):
                outcome.person_until = until
                metrics.HANDED_OVER.labels(reason=reason).inc()
            case fx.DismissPerson():
                outcome.person_until = None
            case fx.SetLocale(locale):
                outcome.locale = locale
                outcome.others.append(effect)
            case fx.SettleIn() | fx.OptOut() | fx.OptIn() | fx.SetMarketing() | fx.ReleaseHolds():
                outcome.others.append(effect)
            case fx.PlanReminder() | fx.DropReminder() | fx.NoteReminder():
                outcome.reminders.append(_noted(effect))
            case fx.ArmTimer() | fx.CancelTimer() | fx.Tell() | fx.Alert():
                _for_later(outcome, effect)
    return outcome


def _noted(effect: fx.PlanReminder | fx.DropReminder | fx.NoteReminder) -> ReminderOp:
    match effect:
        case fx.PlanReminder(booking_id, kind, due):
            return ReminderOp("plan", booking_id, kind, due_at=due)
        case fx.DropReminder(booking_id, kind):
            return ReminderOp("drop", booking_id, kind)
        case fx.NoteReminder(booking_id, kind, answer):
            verb: Literal["sent", "answer"] = "sent" if answer is None else "answer"
            return ReminderOp(verb, booking_id, kind, answer=answer)


def _for_later(outcome: Outcome, effect: fx.ArmTimer | fx.CancelTimer | fx.Tell | fx.Alert) -> None:
    match effect:
        case fx.ArmTimer(key, name, due, payload):
            outcome.timers[key] = TimerOp(key, name, due, payload)
        case fx.CancelTimer(key):
            outcome.timers[key] = TimerOp(key)
        case fx.Tell(to, event, key):
            outcome.tells.append(Telling(to, event, key))
        case fx.Alert():
            outcome.alerts.append(effect)


async def perform(
    conn: Connection, dialog: Dialog, effects: Sequence[Other], *, now: datetime
) -> None:
    """Write the effects that have a statement of their own, inside the turn's transaction."""
    for effect in effects:
        match effect:
            case fx.SetLocale(locale):
                await dialogs.set_locale(
                    conn,
                    company_id=dialog.company_id,
                    customer_id=customer_of(dialog),
                    locale=locale,
                )
            case fx.SettleIn(area_id):
                await dialogs.set_area(
                    conn,
                    company_id=dialog.company_id,
                    customer_id=customer_of(dialog),
                    area_id=area_id,
                )
            case fx.OptOut() | fx.OptIn():
                await dialogs.set_opted_out(
                    conn,
                    company_id=dialog.company_id,
                    customer_id=customer_of(dialog),
                    at=now if isinstance(effect, fx.OptOut) else None,
                )
            case fx.SetMarketing(wanted):
                await dialogs.set_marketing(
                    conn,
                    company_id=dialog.company_id,
                    customer_id=customer_of(dialog),
                    off_since=None if wanted else now,
                )
            case fx.ReleaseHolds():
                await bookings.release(
                    conn, company_id=dialog.company_id, conversation_id=dialog.id
                )


def outgoing(dialog: Dialog, catalog: Catalog, record: TurnRecord, outbox_id: int) -> Outgoing:
    """The first message of a turn, as the sender takes it that is to send it now."""
    heard_at = max(filter(None, (dialog.last_inbound_at, record.inbound_at)), default=None)
    return Outgoing(
        company_id=dialog.company_id,
        id=outbox_id,
        created_at=record.now,
        conversation_id=dialog.id,
        phone_number_id=catalog.company.phone_number_id,
        phone=dialog.phone,
        bsuid=dialog.bsuid,
        body=record.bodies[0],
        extras=record.extras[0],
        attempts=1,
        last_inbound_at=heard_at,
        messages_per_second=catalog.company.policy.messages_per_second,
        marketing_off=dialog.marketing_off,
    )


def _extras(say: fx.Say) -> Mapping[str, Any]:
    """What the sender needs to know besides the body."""
    extras: dict[str, Any] = {}
    if say.attachment is not None:
        extras["attachment"] = {
            "filename": say.attachment.filename,
            "mime_type": say.attachment.mime_type,
            "content": say.attachment.content,
        }
    if say.template is not None:
        extras["template"] = render_template(say.template)
        if say.template.instead is not None:
            extras["instead"] = render_template(say.template.instead)
    if say.marketing:
        extras["marketing"] = True
    if say.until is not None:
        extras["until"] = say.until.isoformat()
    return extras
