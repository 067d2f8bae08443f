"""Builds the webhooks about an account: its templates, its numbers, its standing, its customers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.simulator.model import Conversation, Number
from bot.simulator.webhooks import Notice, contact, frame

if TYPE_CHECKING:
    from bot.simulator.forms import Form
    from bot.simulator.templates import Known

WHY_REJECTED = {
    "INVALID_FORMAT": "The variables are not written as they have to be.",
    "ABUSIVE_CONTENT": "The template contains content that breaks a policy.",
    "INCORRECT_CATEGORY": "The content does not fit the category.",
    "PROMOTIONAL": "The content is promotional.",
    "TAG_CONTENT_MISMATCH": "The language of the content is not the one declared.",
    "SCAM": "The template looks like a scam.",
}


def template_status(
    known: Known, waba_id: str, event: str, *, at: datetime, title: str | None = None
) -> Notice:
    """A template was approved, rejected, paused, disabled or deleted."""
    value: dict[str, Any] = {"event": event, **_template(known), "reason": known.reason}
    value["message_template_category"] = known.category
    if event == "REJECTED":
        value["rejection_info"] = {
            "reason": WHY_REJECTED.get(known.reason, "The template was rejected."),
            "recommendation": "Edit the template and submit it again.",
        }
    if event == "DISABLED":
        value["disable_info"] = {"disable_date": int(at.timestamp())}
    if title:
        value["other_info"] = {
            "title": title,
            "description": "Customers have given negative feedback."
            if title != "UNPAUSE"
            else "The pause is over.",
        }
    return _notice(waba_id, "message_template_status_update", value, at)


def template_quality(known: Known, waba_id: str, before: str, *, at: datetime) -> Notice:
    """What customers think of a template has changed."""
    value = {
        "previous_quality_score": before,
        "new_quality_score": known.quality,
        **_template(known),
    }
    return _notice(waba_id, "message_template_quality_update", value, at)


def template_category(known: Known, waba_id: str, before: str, *, at: datetime) -> Notice:
    """Meta has moved a template to another category: its price changes."""
    value = {
        **_template(known),
        "previous_category": before,
        "new_category": known.category,
    }
    return _notice(waba_id, "template_category_update", value, at)


def template_components(known: Known, waba_id: str, *, at: datetime) -> Notice:
    """A template says something else now."""
    value: dict[str, Any] = _template(known)
    for part in known.components:
        kind = part["type"]
        if kind == "HEADER" and "text" in part:
            value["message_template_title"] = part["text"]
        elif kind == "BODY":
            value["message_template_element"] = part["text"]
        elif kind == "FOOTER":
            value["message_template_footer"] = part["text"]
        elif kind == "BUTTONS":
            value["message_template_buttons"] = [
                {
                    "message_template_button_type": button["type"],
                    "message_template_button_text": button["text"],
                }
                for button in part["buttons"]
            ]
    return _notice(waba_id, "message_template_components_update", value, at)


def number_quality(number: Number, event: str, tier: str, *, at: datetime) -> Notice:
    """A number may send more or less, or was flagged."""
    value = {
        "display_phone_number": number.digits,
        "event": event,
        "max_daily_conversations_per_business": tier,
    }
    return _notice(number.waba_id, "phone_number_quality_update", value, at)


def number_name(number: Number, decision: str, name: str, *, at: datetime) -> Notice:
    """Meta has decided about a display name."""
    value = {
        "display_phone_number": number.digits,
        "decision": decision,
        "requested_verified_name": name,
        "rejection_reason": None if decision == "APPROVED" else "NAME_FORMAT_UNACCEPTABLE",
    }
    return _notice(number.waba_id, "phone_number_name_update", value, at)


def account(waba_id: str, event: str, *, at: datetime, **more: Any) -> Notice:
    """The account was restricted, disabled, reinstated or reviewed."""
    return _notice(waba_id, "account_update", {"event": event, **more}, at)


def account_alert(waba_id: str, kind: str, *, severity: str, at: datetime) -> Notice:
    """Something about the account wants looking at."""
    value = {
        "entity_type": "WABA",
        "entity_id": waba_id,
        "alert_info": {
            "alert_severity": severity,
            "alert_status": "ACTIVE",
            "alert_type": kind,
            "alert_description": "Look at the account in Meta's business settings.",
        },
    }
    return _notice(waba_id, "account_alerts", value, at)


def capability(waba_id: str, limit: int, *, at: datetime) -> Notice:
    """So many customers may be written to first in 24 hours."""
    value = {"max_daily_conversation_per_phone": limit, "max_phone_numbers_per_business": 25}
    return _notice(waba_id, "business_capability_update", value, at)


def marketing_wish(talk: Conversation, value: str, *, at: datetime) -> Notice:
    """A customer has stopped or resumed marketing messages in the app."""
    customer = talk.customer
    wish: dict[str, Any] = {"wa_id": customer.phone} if customer.shows_phone else {}
    wish |= {
        "user_id": customer.user_id(talk.number),
        "detail": f"User requested to {value} marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": int(at.timestamp()),
    }
    body = frame(talk.number)
    body["contacts"] = [contact(customer, talk.number)]
    body["user_preferences"] = [wish]
    names = frozenset({customer.id, customer.phone})
    return Notice(
        waba_id=talk.number.waba_id,
        field="user_preferences",
        value=body,
        events=frozenset({"account", "user_preferences"}),
        customer=names,
    )


def _template(known: Known) -> dict[str, Any]:
    return {
        "message_template_id": int(known.id),
        "message_template_name": known.name,
        "message_template_language": known.language,
    }


def form_status(form: Form, before: str | None, *, at: datetime) -> Notice:
    """A form was made, published, deprecated, blocked or throttled."""
    value: dict[str, Any] = {
        "event": "FLOW_STATUS_CHANGE",
        "message": f"Flow {form.name} changed status to {form.status}",
        "flow_id": form.id,
        "new_status": form.status,
    }
    if before is not None:
        value["message"] = f"Flow {form.name} changed status from {before} to {form.status}"
        value["old_status"] = before
    return _notice(form.waba_id, "flows", value, at)


def _notice(waba_id: str, field: str, value: dict[str, Any], at: datetime) -> Notice:
    return Notice(
        waba_id=waba_id,
        field=field,
        value=value,
        events=frozenset({"account", field}),
        customer=frozenset(),
        time=int(at.timestamp()),
    )
