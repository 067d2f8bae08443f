"""The nouns of the simulator: numbers, customers, messages, conversations, files, sends."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

Author = Literal["customer", "business"]
Reads = Literal["at_once", "by_hand", "never"]
Status = Literal["accepted", "sent", "delivered", "read", "played", "failed"]


MEDIA_KINDS = frozenset({"image", "audio", "video", "document", "sticker"})


@dataclass(frozen=True, slots=True)
class Number:
    """A business phone number, as Meta knows it, and the time zone that it works in."""

    phone_number_id: str
    name: str
    display_phone: str
    waba_id: str = "100000000000001"
    messages_per_second: int = 80
    timezone: str | None = None

    @property
    def digits(self) -> str:
        """The phone number itself, digits only."""
        return only_digits(self.display_phone)


@dataclass(slots=True)
class Customer:
    """Somebody with a phone. With `shows_phone` off, businesses see the user id only."""

    id: str
    name: str
    phone: str
    shows_phone: bool = True
    username: str | None = None
    reads: Reads = "at_once"
    online: bool = True
    generation: int = 0

    def user_id(self, number: Number) -> str:
        """The business-scoped user id: another one for every business portfolio."""
        again = f":{self.generation}" if self.generation else ""
        seed = f"{number.waba_id}:{self.phone}{again}".encode()
        digits = int.from_bytes(hashlib.sha256(seed).digest()[:8]) % 10**18
        return f"US.{digits:018d}"

    def view(self) -> dict[str, Any]:
        """The customer for the chat page."""
        return {
            "id": self.id,
            "name": self.name,
            "phone": self.phone,
            "shows_phone": self.shows_phone,
            "username": self.username,
            "online": self.online,
        }


@dataclass(slots=True)
class Message:
    """One message of a conversation, from either side, in Meta's content objects; `extra` is what
    a webhook says beside the content: whether it was forwarded, which ad it came from."""

    id: str
    author: Author
    customer_id: str
    phone_number_id: str
    kind: str
    content: Any
    at: datetime
    order: int
    reply_to: str | None = None
    file_size: int | None = None
    callback_data: str | None = None
    status: Status = "accepted"
    version: int = 0
    times: dict[str, datetime] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    reactions: dict[Author, str] = field(default_factory=dict)

    @property
    def is_media(self) -> bool:
        """Whether its content is a file."""
        return self.kind in MEDIA_KINDS

    @property
    def visible(self) -> bool:
        """Whether the customer's phone shows it."""
        return self.author == "customer" or self.status in ("delivered", "read", "played")

    def view(self) -> dict[str, Any]:
        """The message for the chat page."""
        return {
            "id": self.id,
            "author": self.author,
            "customer_id": self.customer_id,
            "phone_number_id": self.phone_number_id,
            "kind": self.kind,
            "content": self.content,
            "at": self.at.isoformat(),
            "order": self.order,
            "reply_to": self.reply_to,
            "file": None if self.file_size is None else {"size": self.file_size},
            "status": self.status,
            "version": self.version,
            "error": self.error,
            "reactions": list(self.reactions.values()),
        }


@dataclass(slots=True)
class Conversation:
    """What one customer and one business wrote to each other."""

    customer: Customer
    number: Number
    messages: list[Message] = field(default_factory=list)
    last_from_customer: datetime | None = None
    ad_tapped: datetime | None = None
    free_until: datetime | None = None
    typing_until: datetime | None = None
    blocked: bool = False
    no_marketing: bool = False

    def view(self, now: datetime) -> dict[str, Any]:
        """The conversation for the chat page."""
        left = self.typing_until - now if self.typing_until else timedelta()
        return {
            "customer_id": self.customer.id,
            "phone_number_id": self.number.phone_number_id,
            "messages": [message.view() for message in self.messages if message.visible],
            "typing_seconds": max(0.0, left.total_seconds()),
        }


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """A file that one side gave to the other."""

    id: str
    mime_type: str
    data: bytes
    at: datetime
    filename: str | None = None
    inbound: bool = False

    @property
    def sha256(self) -> str:
        """The checksum that Meta gives."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Sent:
    """A send that was accepted, with the body as it came."""

    number: int
    wamid: str
    phone_number_id: str
    customer_id: str
    to: str
    kind: str
    body: dict[str, Any]
    callback_data: str | None
    at: datetime

    def view(self) -> dict[str, Any]:
        """The send as JSON."""
        return {
            "number": self.number,
            "wamid": self.wamid,
            "phone_number_id": self.phone_number_id,
            "customer_id": self.customer_id,
            "to": self.to,
            "type": self.kind,
            "body": self.body,
            "biz_opaque_callback_data": self.callback_data,
            "at": self.at.isoformat(),
        }


def only_digits(phone: str) -> str:
    """A phone number without plus, spaces and dashes."""
    return "".join(char for char in phone if char.isdigit())
