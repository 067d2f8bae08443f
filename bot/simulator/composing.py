"""What a phone can send: the chat page's and the tests' wishes as Meta's inbound contents."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.simulator.content import form_of
from bot.simulator.errors import Refusal
from bot.simulator.exchange import form_reply
from bot.simulator.model import Customer
from bot.simulator.webhooks import media_content
from bot.simulator.world import World

SAMPLES = Path(__file__).parent / "samples"
LONGEST_TEXT = 65_536

OutgoingKind = Literal[
    "text",
    "voice",
    "photo",
    "sticker",
    "document",
    "location",
    "contact",
    "reaction",
    "form",
    "unsupported",
    "video",
    "sound",
    "own_number",
    "order",
    "edit",
    "delete",
]


class Outgoing(BaseModel):
    """Something a customer wants to send.

    `forwarded` and `ad` (the headline of the ad that was tapped) may go with any of them; "edit"
    and "delete" name an earlier message of theirs as `message_id`; "own_number" is the answer to
    a question for the phone number.
    """

    model_config = ConfigDict(extra="forbid")

    kind: OutgoingKind = "text"
    text: str = Field(default="", max_length=LONGEST_TEXT)
    reply_to: str | None = None
    message_id: str | None = None
    emoji: str = ""
    latitude: float = 40.7411
    longitude: float = -73.9897
    forwarded: bool = False
    ad: str | None = None
    values: dict[str, Any] = Field(default_factory=dict)


class Sample(BaseModel):
    """A file that a phone has at hand."""

    file: str
    mime_type: str
    content: dict[str, Any] = Field(default_factory=dict)


SENDABLE: dict[str, tuple[str, Sample]] = {
    "voice": (
        "audio",
        Sample(file="voice.ogg", mime_type="audio/ogg; codecs=opus", content={"voice": True}),
    ),
    "photo": ("image", Sample(file="photo.jpg", mime_type="image/jpeg")),
    "sound": ("audio", Sample(file="voice.ogg", mime_type="audio/ogg", content={"voice": False})),
    "video": ("video", Sample(file="video.mp4", mime_type="video/mp4")),
    "sticker": (
        "sticker",
        Sample(file="sticker.webp", mime_type="image/webp", content={"animated": False}),
    ),
    "document": (
        "document",
        Sample(file="letter.txt", mime_type="text/plain", content={"filename": "letter.txt"}),
    ),
}


def compose(world: World, outgoing: Outgoing, *, writer: Customer) -> tuple[str, Any]:
    """The kind and content that the webhook will carry."""
    if outgoing.kind in SENDABLE:
        return _media(world, outgoing)
    if outgoing.kind in ("edit", "delete"):
        return _changed(world, outgoing, writer)
    kind, made = COMPOSERS[outgoing.kind]
    return kind, made(world, outgoing, writer)


def _text(_world: World, outgoing: Outgoing, _writer: Customer) -> dict[str, Any]:
    if not outgoing.text.strip():
        raise Refusal(131009, "text: there is nothing to send")
    return {"body": outgoing.text}


def _location(_world: World, outgoing: Outgoing, _writer: Customer) -> dict[str, Any]:
    return {"latitude": outgoing.latitude, "longitude": outgoing.longitude}


def extra_of(outgoing: Outgoing) -> dict[str, Any]:
    """What the webhook will say beside the content."""
    extra: dict[str, Any] = {}
    if outgoing.forwarded:
        extra["context"] = {"forwarded": True}
    if outgoing.ad is not None:
        extra["referral"] = {
            "source_url": "https://fb.me/example",
            "source_id": "120200000000000000",
            "source_type": "ad",
            "headline": outgoing.ad,
            "body": "Book in a minute",
            "media_type": "image",
            "image_url": "https://example.com/ad.jpg",
            "ctwa_clid": "ARAkLkA8rmlFeiCktEJQ",
        }
    return extra


def _media(world: World, outgoing: Outgoing) -> tuple[str, dict[str, Any]]:
    kind, sample = SENDABLE[outgoing.kind]
    data = (SAMPLES / sample.file).read_bytes()
    media = world.keep_media(sample.mime_type, data, sample.file, inbound=True)
    captioned = kind in ("image", "document", "video")
    caption = outgoing.text.strip() or None if captioned else None
    return kind, media_content(media, caption=caption, **sample.content)


def _card(_world: World, outgoing: Outgoing, _writer: Customer) -> list[dict[str, Any]]:
    return [_contact(outgoing.text or "Kim Miller", "12125550199", "other")]


def _contact(name: str, phone: str, origin: str) -> dict[str, Any]:
    return {
        "name": {"formatted_name": name, "first_name": name.partition(" ")[0]},
        "phones": [{"phone": f"+{phone}", "wa_id": phone, "type": "CELL"}],
        "origin": origin,
    }


def _own_card(_world: World, _outgoing: Outgoing, writer: Customer) -> list[dict[str, Any]]:
    return [_contact(writer.name, writer.phone, "contact_request")]


def _order(_world: World, outgoing: Outgoing, _writer: Customer) -> dict[str, Any]:
    item = {
        "product_retailer_id": outgoing.text or "gift-card",
        "quantity": 1,
        "item_price": 50,
        "currency": "USD",
    }
    return {"catalog_id": "194836987003835", "text": "", "product_items": [item]}


def _changed(world: World, outgoing: Outgoing, writer: Customer) -> tuple[str, dict[str, Any]]:
    original = world.messages.get(outgoing.message_id or "")
    if original is None or original.author != "customer" or original.customer_id != writer.id:
        raise Refusal(131009, "message_id: no message of the customer has this id")
    named = {"original_message_id": original.id}
    if outgoing.kind == "delete":
        return "revoke", named
    new = {"type": "text", "text": {"body": outgoing.text}}
    return "edit", {**named, "message": new}


def _reaction(world: World, outgoing: Outgoing, _writer: Customer) -> dict[str, Any]:
    if outgoing.message_id not in world.messages:
        raise Refusal(131009, "message_id: no message has this id")
    reaction = {"message_id": outgoing.message_id}
    return {**reaction, "emoji": outgoing.emoji} if outgoing.emoji else reaction


def _form(world: World, outgoing: Outgoing, _writer: Customer) -> dict[str, Any]:
    message = world.messages.get(outgoing.message_id or "")
    form = form_of(message.kind, message.content) if message else None
    if form is None:
        raise Refusal(131009, "message_id: no form has this id")
    return form_reply(form, outgoing.values)


def _unsupported(_world: World, outgoing: Outgoing, _writer: Customer) -> dict[str, Any]:
    return {"type": outgoing.text or "poll"}


Composer = Callable[[World, Outgoing, Customer], Any]
COMPOSERS: dict[str, tuple[str, Composer]] = {
    "text": ("text", _text),
    "location": ("location", _location),
    "contact": ("contacts", _card),
    "own_number": ("contacts", _own_card),
    "order": ("order", _order),
    "reaction": ("reaction", _reaction),
    "form": ("interactive", _form),
    "unsupported": ("unsupported", _unsupported),
}
