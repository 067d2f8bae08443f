"""Turns a stored inbox event into the flow's words; any JSON becomes some event, nothing raises."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.whatsapp.fields import identifier, listed, mapped, phone, text
from flows.events import (
    ContactsReceived,
    Event,
    FormAnswered,
    LocationReceived,
    MediaReceived,
    MessageDeleted,
    MessageEdited,
    NumberChanged,
    PersonReplied,
    ReactionReceived,
    ReplyTapped,
    TextReceived,
    UnknownReceived,
)

_LONGEST_KIND: Final = 40

_Object = Mapping[str, Any]


def to_event(event: _Object) -> Event:
    """Say what has happened, of an `event` as `bot.whatsapp.payloads` makes them."""
    if "echo" in event:
        return PersonReplied()
    message = mapped(event.get("message"))
    kind = _kind(message)
    read = _READERS.get(kind)
    found = read(message, kind) if read is not None else None
    return found or UnknownReceived(_unknown_kind(message, kind))


def message_facts(event: _Object) -> tuple[str | None, str, str | None]:
    """Return the wamid, Meta's type, and the wamid that was replied to."""
    message = mapped(event.get("message"))
    context = mapped(message.get("context"))
    return identifier(message.get("id")), _kind(message), identifier(context.get("id"))


def _kind(message: _Object) -> str:
    """Meta's type; where it is missing, what the message holds."""
    declared = text(message.get("type"))
    if declared:
        return declared[:_LONGEST_KIND]
    return next((kind for kind in _READERS if kind in message), "unknown")


def _unknown_kind(message: _Object, kind: str) -> str:
    """What WhatsApp calls a message that it does not pass on, where it says so."""
    said = text(mapped(message.get("unsupported")).get("type")) if kind == "unsupported" else ""
    return said[:_LONGEST_KIND] or kind


def _text(message: _Object, kind: str) -> Event | None:
    body = mapped(message.get(kind)).get("body")
    return TextReceived(body) if isinstance(body, str) else None


def _button(message: _Object, kind: str) -> Event | None:
    """The tap on a template's button: without a payload it says no more than its words."""
    button = mapped(message.get(kind))
    payload, title = text(button.get("payload")), text(button.get("text"))
    if payload:
        return ReplyTapped(payload, title)
    return TextReceived(title) if title else None


def _interactive(message: _Object, kind: str) -> Event | None:
    reply = mapped(message.get(kind))
    for tapped in ("button_reply", "list_reply"):
        choice = mapped(reply.get(tapped))
        if reply_id := text(choice.get("id")):
            return ReplyTapped(reply_id, text(choice.get("title")))
        if title := text(choice.get("title")):
            return TextReceived(title)
    form = mapped(reply.get("nfm_reply"))
    answers = form.get("response_json")
    if isinstance(answers, str):
        return FormAnswered(text(form.get("name")), answers)
    return None


def _media(message: _Object, kind: str) -> Event | None:
    media = mapped(message.get(kind))
    is_voice = kind == "audio" and media.get("voice") is True
    return MediaReceived("voice" if is_voice else kind, text(media.get("caption")))


def _location(message: _Object, kind: str) -> Event | None:
    place = mapped(message.get(kind))
    latitude, longitude = _degrees(place.get("latitude")), _degrees(place.get("longitude"))
    if latitude is None or longitude is None:
        return None
    return LocationReceived(latitude, longitude)


def _degrees(value: Any) -> float | None:
    try:
        degrees = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return degrees if math.isfinite(degrees) else None


def _contacts(message: _Object, kind: str) -> Event | None:
    cards = [mapped(card) for card in listed(message.get(kind))]
    own = next((card for card in cards if card.get("origin") == "contact_request"), {})
    numbers = (mapped(number) for number in listed(own.get("phones")))
    given = (phone(n.get("wa_id")) or phone(n.get("phone")) for n in numbers)
    return ContactsReceived(len(cards), own_phone=next(filter(None, given), None))


def _reaction(message: _Object, kind: str) -> Event | None:
    return ReactionReceived(text(mapped(message.get(kind)).get("emoji")))


def _edit(message: _Object, kind: str) -> Event | None:
    new = mapped(mapped(message.get(kind)).get("message"))
    return MessageEdited(text(mapped(new.get("text")).get("body")))


def _revoke(message: _Object, kind: str) -> Event | None:
    return MessageDeleted()


def _system(message: _Object, kind: str) -> Event | None:
    return NumberChanged()


def _request_welcome(message: _Object, kind: str) -> Event | None:
    """The customer opened the chat for the first time and has written nothing yet."""
    return TextReceived("")


_READERS: Final[Mapping[str, Callable[[_Object, str], Event | None]]] = {
    "text": _text,
    "interactive": _interactive,
    "button": _button,
    "reaction": _reaction,
    "image": _media,
    "audio": _media,
    "voice": _media,
    "video": _media,
    "document": _media,
    "sticker": _media,
    "location": _location,
    "contacts": _contacts,
    "edit": _edit,
    "revoke": _revoke,
    "system": _system,
    "request_welcome": _request_welcome,
}
