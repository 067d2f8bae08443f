"""What a phone can send: the chat page's and the tests' wishes as Meta's inbound contents."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.simulator.errors import Refusal
from bot.simulator.exchange import form_reply
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
]


class Outgoing(BaseModel):
    """Something a customer wants to send."""

    model_config = ConfigDict(extra="forbid")

    kind: OutgoingKind = "text"
    text: str = Field(default="", max_length=LONGEST_TEXT)
    reply_to: str | None = None
    message_id: str | None = None
    emoji: str = ""
    latitude: float = 40.7411
    longitude: float = -73.9897
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
    "sticker": (
        "sticker",
        Sample(file="sticker.webp", mime_type="image/webp", content={"animated": False}),
    ),
    "document": (
        "document",
        Sample(file="letter.txt", mime_type="text/plain", content={"filename": "letter.txt"}),
    ),
}


def compose(world: World, outgoing: Outgoing) -> tuple[str, Any]:
    """The kind and content that the webhook will carry."""
    if outgoing.kind in SENDABLE:
        return _media(world, outgoing)
    match outgoing.kind:
        case "text":
            if not outgoing.text.strip():
                raise Refusal(131009, "text: there is nothing to send")
            return "text", {"body": outgoing.text}
        case "location":
            return "location", {"latitude": outgoing.latitude, "longitude": outgoing.longitude}
        case "contact":
            return "contacts", [_card(outgoing.text or "Kim Miller")]
        case "reaction":
            return "reaction", _reaction(world, outgoing)
        case "form":
            return "interactive", _form(world, outgoing)
        case _:
            return "unsupported", {"type": outgoing.text or "poll"}


def _media(world: World, outgoing: Outgoing) -> tuple[str, dict[str, Any]]:
    kind, sample = SENDABLE[outgoing.kind]
    data = (SAMPLES / sample.file).read_bytes()
    media = world.keep_media(sample.mime_type, data, sample.file)
    caption = outgoing.text.strip() or None if kind in ("image", "document") else None
    return kind, media_content(media, caption=caption, **sample.content)


def _card(name: str) -> dict[str, Any]:
    return {
        "name": {"formatted_name": name, "first_name": name.partition(" ")[0]},
        "phones": [{"phone": "+1 212-555-0199", "wa_id": "12125550199", "type": "CELL"}],
        "origin": "other",
    }


def _reaction(world: World, outgoing: Outgoing) -> dict[str, Any]:
    if outgoing.message_id not in world.messages:
        raise Refusal(131009, "message_id: no message has this id")
    reaction = {"message_id": outgoing.message_id}
    return {**reaction, "emoji": outgoing.emoji} if outgoing.emoji else reaction


def _form(world: World, outgoing: Outgoing) -> dict[str, Any]:
    message = world.messages.get(outgoing.message_id or "")
    if message is None or message.kind != "interactive" or message.content["type"] != "flow":
        raise Refusal(131009, "message_id: no form has this id")
    return form_reply(message, outgoing.values)
