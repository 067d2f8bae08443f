"""Reads what a business sends, and holds it to Meta's limits.

Where two of Meta's own pages disagree, the lower limit is enforced, and lengths are counted in
UTF-16 units (an emoji is two): what passes here passes there. Objects with unexpected keys are
refused, as Meta refuses them.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self, TypeVar

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from bot.simulator.errors import NotSimulated, Refusal

M = TypeVar("M", bound=BaseModel)

WEB_ADDRESS = r"^(?i:https?)://.+"


def length(most: int, least: int = 1) -> AfterValidator:
    """A check that a text has `least` to `most` characters and is not only white space."""

    def check(text: str) -> str:
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        if units > most or units < least or (least and not text.strip()):
            raise PydanticCustomError(
                "length",
                "length invalid. Min length: {least}, Max length: {most}",
                {"least": least, "most": most},
            )
        return text

    return AfterValidator(check)


def wrong(text: str) -> PydanticCustomError:
    """A value that has the right type and is refused all the same."""
    return PydanticCustomError("value", "{text}", {"text": text})


def lower(value: object) -> object:
    """Enum values are accepted in any case, as the Graph API does."""
    return value.lower() if isinstance(value, str) else value


AnyCase = BeforeValidator(lower)
Link = Annotated[str, StringConstraints(pattern=WEB_ADDRESS), length(2000)]
Caption = Annotated[str, length(1024)]


class Strict(BaseModel):
    """A part of a body: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Text(Strict):
    """A plain text message."""

    body: Annotated[str, length(4096)]
    preview_url: bool = False


class Media(Strict):
    """Something uploaded before (`id`) or fetched by Meta (`link`)."""

    id: str | None = None
    link: Link | None = None
    provider: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        """Exactly one of the two."""
        if (self.id is None) == (self.link is None):
            raise wrong("exactly one of id and link is needed")
        return self


class Sticker(Media):
    """A sticker."""


class Audio(Media):
    """A sound, or a voice note when `voice` is set."""

    voice: bool = False


class Picture(Media):
    """An image or a video."""

    caption: Caption | None = None


class Document(Picture):
    """A file to download."""

    filename: Annotated[str, length(240)] | None = None


class Location(Strict):
    """A pin on the map."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: Annotated[str, length(1000)] | None = None
    address: Annotated[str, length(1000)] | None = None


class Reaction(Strict):
    """An emoji on an earlier message; an empty one takes it back."""

    message_id: str
    emoji: Annotated[str, length(64, least=0)] = ""


class ContactName(Strict):
    """The name on a contact card."""

    formatted_name: Annotated[str, length(1000)]
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    prefix: str | None = None
    suffix: str | None = None


class Contact(Strict):
    """A contact card."""

    name: ContactName
    phones: list[dict[str, Any]] = []
    emails: list[dict[str, Any]] = []
    addresses: list[dict[str, Any]] = []
    urls: list[dict[str, Any]] = []
    org: dict[str, Any] | None = None
    birthday: str | None = None


class ReplyContext(Strict):
    """Which message is answered."""

    message_id: str


class Typing(Strict):
    """Asks for the three dots."""

    type: Annotated[Literal["text"], AnyCase]


class MarkRead(Strict):
    """`status: read`: the business has seen a message and all before it."""

    messaging_product: Literal["whatsapp"]
    status: Literal["read"]
    message_id: str
    typing_indicator: Typing | None = None


class Envelope(BaseModel):
    """What every message has around it. The content itself is read by its kind."""

    model_config = ConfigDict(extra="allow", frozen=True, coerce_numbers_to_str=True)

    messaging_product: Literal["whatsapp"]
    recipient_type: Annotated[str, AnyCase] = "individual"
    to: str | None = None
    recipient: str | None = None
    type: Annotated[str, AnyCase] = "text"
    context: ReplyContext | None = None
    biz_opaque_callback_data: Annotated[str, length(512, least=0)] | None = None


class Sending(BaseModel):
    """A message as it was accepted: envelope, and content in one spelling."""

    model_config = ConfigDict(frozen=True)

    to: str | None
    recipient: str | None
    kind: str
    content: Any
    reply_to: str | None
    callback_data: str | None

    @property
    def content_category(self) -> str | None:
        """The category of a declared template."""
        return self.content.get("category") if self.kind == "template" else None


ENVELOPE_KEYS = {*Envelope.model_fields, "product_policy", "message_activity_sharing"}
SIMPLE: dict[str, type[Strict]] = {
    "text": Text,
    "image": Picture,
    "video": Picture,
    "audio": Audio,
    "document": Document,
    "sticker": Sticker,
    "location": Location,
    "reaction": Reaction,
}
MOST_CONTACTS = 5


def read_json(raw: bytes) -> dict[str, Any]:
    """The body as an object, or code 100."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Refusal(100, "The body is not valid JSON") from None
    if not isinstance(body, dict):
        raise Refusal(100, "The body is not a JSON object")
    return body


def read_mark_read(body: dict[str, Any]) -> MarkRead:
    """The body of a read receipt."""
    return checked(MarkRead, body)


def read_sending(
    body: dict[str, Any], richer: dict[str, Callable[[Any], dict[str, Any]]]
) -> Sending:
    """The body of a message, checked; `richer` reads the kinds that are not in this module."""
    envelope = checked(Envelope, body)
    kind = envelope.type
    if envelope.recipient_type != "individual":
        raise NotSimulated(f"recipient_type {envelope.recipient_type!r}")
    if "category" in body or "ttl_seconds" in body:
        raise NotSimulated("direct send (category, ttl_seconds)")
    _only_known_keys(body, kind)
    if envelope.to is None and envelope.recipient is None:
        raise Refusal(100, "The parameter to is required.")
    return Sending(
        to=envelope.to,
        recipient=envelope.recipient,
        kind=kind,
        content=_content(kind, body, richer),
        reply_to=envelope.context.message_id if envelope.context else None,
        callback_data=envelope.biz_opaque_callback_data,
    )


def checked(model: type[M], value: Any, *, at: str = "") -> M:
    """`value` as a `model`, or the refusal that Meta gives for its first fault."""
    try:
        return model.model_validate(value)
    except ValidationError as invalid:
        raise refusal_for(invalid.errors(include_url=False)[0], at) from None


def refusal_for(fault: ErrorDetails, at: str = "") -> Refusal:
    """Meta's code for one fault: missing 131008, unexpected key 100, anything else 131009."""
    where = path_text([at, *fault["loc"]] if at else list(fault["loc"]))
    if fault["type"] == "missing":
        if "." not in where:
            return Refusal(100, f"The parameter {where} is required.")
        return Refusal(131008, f"{where} is missing")
    if fault["type"] == "extra_forbidden":
        parent, _, key = where.rpartition(".")
        return Refusal(100, f'Unexpected key "{key}" on param "{parent}".')
    if where == "text.body" and fault["type"] == "length":
        return Refusal(100, "Param text['body'] must be at most 4096 characters long.")
    return Refusal(131009, f"{where}: {fault['msg']}")


def path_text(parts: list[Any]) -> str:
    """`["interactive", "action", "buttons", 0]` as `interactive.action.buttons[0]`."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _only_known_keys(body: dict[str, Any], kind: str) -> None:
    unknown = sorted(body.keys() - ENVELOPE_KEYS - {kind})
    if unknown:
        raise Refusal(100, f'Unexpected key "{unknown[0]}" on param "message".')


def _content(
    kind: str, body: dict[str, Any], richer: dict[str, Callable[[Any], dict[str, Any]]]
) -> Any:
    if kind not in SIMPLE and kind not in richer and kind != "contacts":
        raise Refusal(131009, f"type: {kind!r} is not a kind of message")
    if kind not in body:
        raise Refusal(131008, f"{kind} is missing")
    if kind in richer:
        return richer[kind](body[kind])
    if kind == "contacts":
        return _contacts(body[kind])
    content = checked(SIMPLE[kind], body[kind], at=kind)
    return content.model_dump(exclude_none=True, exclude_defaults=True)


def _contacts(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_CONTACTS:
        raise Refusal(131009, f"contacts: a list of 1 to {MOST_CONTACTS} is needed")
    return [
        checked(Contact, card, at=f"contacts[{n}]").model_dump(exclude_none=True)
        for n, card in enumerate(value)
    ]
