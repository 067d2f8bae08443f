"""Builds the webhooks that Meta sends: messages, statuses and news about customers."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.simulator.errors import status_error
from bot.simulator.model import Conversation, Customer, Message, Number, Status, StoredMedia

UNSUPPORTED = 131051


@dataclass(frozen=True, slots=True)
class Notice:
    """One change to tell a business about. `events` and `customer` are what faults ask for."""

    waba_id: str
    field: str
    value: dict[str, Any]
    events: frozenset[str]
    customer: frozenset[str]
    answered: Callable[[], None] | None = None


def envelope(notices: Sequence[Notice]) -> bytes:
    """The body of one POST. Written the way Meta writes it, with everything but ASCII escaped,
    so that only a signature over the raw bytes can be right."""
    entries = [
        {"id": one.waba_id, "changes": [{"value": one.value, "field": one.field}]}
        for one in notices
    ]
    body = {"object": "whatsapp_business_account", "entry": entries}
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def signature(app_secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def inbound(
    talk: Conversation, message: Message, *, answered: Callable[[], None] | None = None
) -> Notice:
    """A customer wrote."""
    value = _value(talk.number)
    value["contacts"] = [_contact(talk.customer, talk.number)]
    value["messages"] = [_message(talk, message)]
    return _notice(talk, value, {"message", message.kind}, answered)


def status(
    talk: Conversation,
    message: Message,
    new: Status,
    *,
    at: datetime,
    pricing: dict[str, Any] | None = None,
    conversation: dict[str, Any] | None = None,
) -> Notice:
    """A message of the business got one step further, or failed."""
    customer, number = talk.customer, talk.number
    entry: dict[str, Any] = {"id": message.id, "status": new, "timestamp": seconds(at)}
    if customer.shows_phone:
        entry["recipient_id"] = customer.phone
    if new != "failed":
        entry["recipient_user_id"] = customer.user_id(number)
    if conversation:
        entry["conversation"] = conversation
    if pricing:
        entry["pricing"] = pricing
    if message.callback_data is not None:
        entry["biz_opaque_callback_data"] = message.callback_data
    if message.error:
        entry["errors"] = [message.error]
    value = _value(number)
    if new != "failed":
        value["contacts"] = [_contact(customer, number)]
    value["statuses"] = [entry]
    return _notice(talk, value, {"status", new})


def number_changed(talk: Conversation, *, message_id: str, old: str, at: datetime) -> Notice:
    """A customer has another phone number now: no contacts, and a new user id."""
    customer = talk.customer
    entry = {
        "from": old,
        "id": message_id,
        "timestamp": seconds(at),
        "type": "system",
        "system": {
            "body": f"User {customer.name} changed from {old} to {customer.phone}",
            "wa_id": customer.phone,
            "user_id": customer.user_id(talk.number),
            "type": "user_changed_number",
        },
    }
    value = _value(talk.number)
    value["messages"] = [entry]
    return _notice(talk, value, {"message", "system"})


def media_content(media: StoredMedia, **more: Any) -> dict[str, Any]:
    """The object of an inbound image, sound, sticker or file."""
    digest = base64.b64encode(hashlib.sha256(media.data).digest()).decode()
    content = {"id": media.id, "mime_type": media.mime_type, "sha256": digest, **more}
    return {key: value for key, value in content.items() if value is not None}


def seconds(at: datetime) -> str:
    """A moment as Meta writes it."""
    return str(int(at.timestamp()))


def _value(number: Number) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": number.digits,
            "phone_number_id": number.phone_number_id,
        },
    }


def _contact(customer: Customer, number: Number) -> dict[str, Any]:
    profile = {"name": customer.name}
    if customer.username:
        profile["username"] = customer.username
    contact: dict[str, Any] = {"profile": profile}
    if customer.shows_phone:
        contact["wa_id"] = customer.phone
    contact["user_id"] = customer.user_id(number)
    return contact


def _message(talk: Conversation, message: Message) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if message.reply_to:
        entry["context"] = {"from": talk.number.digits, "id": message.reply_to}
    if talk.customer.shows_phone:
        entry["from"] = talk.customer.phone
    entry["from_user_id"] = talk.customer.user_id(talk.number)
    entry |= {"id": message.id, "timestamp": seconds(message.at), "type": message.kind}
    entry[message.kind] = message.content
    if message.kind == "unsupported":
        entry["errors"] = [status_error(UNSUPPORTED, "Message type is currently not supported.")]
    return entry


def _notice(
    talk: Conversation,
    value: dict[str, Any],
    events: set[str],
    answered: Callable[[], None] | None = None,
) -> Notice:
    return Notice(
        waba_id=talk.number.waba_id,
        field="messages",
        value=value,
        events=frozenset(events),
        customer=frozenset({talk.customer.id, talk.customer.phone}),
        answered=answered,
    )
