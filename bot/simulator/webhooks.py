"""Builds the webhooks that Meta sends: messages, statuses and news about customers."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bot.simulator.errors import status_error
from bot.simulator.model import Conversation, Customer, Message, Number, Status, StoredMedia

Shape = Literal["entries", "changes", "items"]
UNSUPPORTED = 131051


@dataclass(frozen=True, slots=True)
class Notice:
    """One change to tell a business about. `events` and `customer` are what faults ask for;
    `time` stands in the entry when the news is about an account."""

    waba_id: str
    field: str
    value: dict[str, Any]
    events: frozenset[str]
    customer: frozenset[str]
    answered: Callable[[], None] | None = None
    time: int | None = None

    @property
    def phone_number_id(self) -> str | None:
        """Whose number it is about, if it is about one."""
        number = self.value.get("metadata", {}).get("phone_number_id")
        return number if isinstance(number, str) else None


def envelope(notices: Sequence[Notice], shape: Shape = "entries") -> bytes:
    """The body of one POST. Written the way Meta writes it, with everything but ASCII escaped,
    so that only a signature over the raw bytes can be right.

    Several notices stand in one entry each, or as changes of one entry, or, where they are about
    the same number, as messages and statuses of one value.
    """
    changes = _merged(notices) if shape == "items" else [(one, one.value) for one in notices]
    entries: list[dict[str, Any]] = []
    for one, value in changes:
        change = {"value": value, "field": one.field}
        if shape != "entries" and entries and entries[-1]["id"] == one.waba_id:
            entries[-1]["changes"].append(change)
            continue
        entry: dict[str, Any] = {"id": one.waba_id}
        if one.time is not None:
            entry["time"] = one.time
        entries.append({**entry, "changes": [change]})
    body = {"object": "whatsapp_business_account", "entry": entries}
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def _merged(notices: Sequence[Notice]) -> list[tuple[Notice, dict[str, Any]]]:
    """Notices about the same number and field as one value with lists of all they say."""
    made: dict[tuple[str, str, str], tuple[Notice, dict[str, Any]]] = {}
    apart: list[tuple[Notice, dict[str, Any]]] = []
    for one in notices:
        if one.phone_number_id is None:
            apart.append((one, one.value))
            continue
        key = (one.waba_id, one.field, one.phone_number_id)
        _, value = made.setdefault(key, (one, {}))
        for name, item in one.value.items():
            if isinstance(item, list):
                known = value.setdefault(name, [])
                known += [each for each in item if each not in known]
            else:
                value.setdefault(name, item)
    return [*made.values(), *apart]


def signature(app_secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def inbound(
    talk: Conversation,
    message: Message,
    *,
    media_url: str | None = None,
    answered: Callable[[], None] | None = None,
) -> Notice:
    """A customer wrote."""
    value = frame(talk.number)
    value["contacts"] = [contact(talk.customer, talk.number)]
    value["messages"] = [_message(talk, message, media_url)]
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
    value = frame(number)
    if new != "failed":
        value["contacts"] = [contact(customer, number)]
    elif customer.shows_phone:
        # Meta's pages show no contacts here; what really arrives has the number and no more.
        value["contacts"] = [{"wa_id": customer.phone}]
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
    value = frame(talk.number)
    value["messages"] = [entry]
    return _notice(talk, value, {"message", "system"})


def user_id_changed(talk: Conversation, *, message_id: str, previous: str, at: datetime) -> Notice:
    """A customer has another user id now, with the same phone number: no contacts."""
    customer = talk.customer
    entry: dict[str, Any] = {"from": customer.phone} if customer.shows_phone else {}
    entry |= {
        "from_user_id": customer.user_id(talk.number),
        "id": message_id,
        "timestamp": seconds(at),
        "type": "system",
        "system": {
            "body": f"User {customer.name} changed from {previous} to "
            f"{customer.user_id(talk.number)}",
            "user_id": customer.user_id(talk.number),
            "previous_user_id": previous,
            "type": "user_changed_user_id",
        },
    }
    value = frame(talk.number)
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


def frame(number: Number) -> dict[str, Any]:
    """What every value about a number begins with."""
    return {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": number.digits,
            "phone_number_id": number.phone_number_id,
        },
    }


def contact(customer: Customer, number: Number) -> dict[str, Any]:
    """A customer as an entry of `contacts`."""
    profile = {"name": customer.name}
    if customer.username:
        profile["username"] = customer.username
    contact: dict[str, Any] = {"profile": profile}
    if customer.shows_phone:
        contact["wa_id"] = customer.phone
    contact["user_id"] = customer.user_id(number)
    return contact


def _message(talk: Conversation, message: Message, media_url: str | None) -> dict[str, Any]:
    entry: dict[str, Any] = dict(message.extra)
    if message.reply_to:
        quoted = {"from": talk.number.digits, "id": message.reply_to}
        entry["context"] = entry.get("context", {}) | quoted
    if talk.customer.shows_phone:
        entry["from"] = talk.customer.phone
    entry["from_user_id"] = talk.customer.user_id(talk.number)
    entry |= {"id": message.id, "timestamp": seconds(message.at), "type": message.kind}
    entry[message.kind] = message.content
    if media_url is not None:
        entry[message.kind] = {**message.content, "url": media_url}
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
