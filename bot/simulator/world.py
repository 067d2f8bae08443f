"""The world of the simulator: businesses' numbers, customers' phones, and what they wrote.

Only state and its rules; nothing here waits, sends or knows HTTP. Customers' phone numbers and
business-scoped user ids follow from their order, so that the same customer comes back after a
restart, while message ids are random, so that none ever comes back.
"""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.simulator.changes import Changes
from bot.simulator.model import (
    Author,
    Conversation,
    Customer,
    Message,
    Number,
    Reads,
    Sent,
    Status,
    StoredMedia,
    only_digits,
)
from storage.clock import Clock

RANK: dict[Status, int] = {
    "accepted": 0,
    "sent": 1,
    "delivered": 2,
    "read": 3,
    "played": 4,
    "failed": 5,
}
TYPING_LASTS = timedelta(seconds=25)
MEDIA_ID_LASTS = timedelta(days=30)
INBOUND_MEDIA_ID_LASTS = timedelta(days=7)
REACTED_TO_WITHIN = timedelta(days=30)
MORNING = time(9)
# Numbers that are reserved for fiction: +1 <area> 555 0100 to 0199.
AREAS = ("212", "415", "312", "646", "718", "213", "305", "617", "702", "206")


class World:
    """Everybody and everything that was said."""

    def __init__(self, *, numbers: Sequence[Number], clock: Clock, changes: Changes) -> None:
        self.numbers = {number.phone_number_id: number for number in numbers}
        self.customers: dict[str, Customer] = {}
        self.messages: dict[str, Message] = {}
        self.media: dict[str, StoredMedia] = {}
        self.sent: list[Sent] = []
        self.clock_moves: list[tuple[datetime, timedelta]] = []
        self.clock = clock
        self.changes = changes
        self._conversations: dict[tuple[str, str], Conversation] = {}
        self._by_phone: dict[str, Customer] = {}

    def add_customer(
        self,
        name: str,
        *,
        phone: str | None = None,
        shows_phone: bool = True,
        username: str | None = None,
        reads: Reads = "at_once",
    ) -> Customer:
        """A new phone; without `phone` it gets the next free fictional number."""
        digits = only_digits(phone) if phone else self._free_phone()
        if digits in self._by_phone:
            raise ValueError("another customer has this phone number")
        customer = Customer(
            id=f"c{len(self.customers) + 1}",
            name=name,
            phone=digits,
            shows_phone=shows_phone,
            username=username,
            reads=reads,
        )
        self.take_in(customer)
        return customer

    def take_in(self, customer: Customer) -> None:
        """Make somebody part of the world."""
        self.customers[customer.id] = customer
        self._by_phone[customer.phone] = customer
        self.changes.publish({"type": "customer", "customer": customer.view()})

    def change_phone(self, customer: Customer, phone: str) -> str:
        """Give the customer another phone number; answers with the old one."""
        digits = only_digits(phone)
        if digits in self._by_phone:
            raise ValueError("another customer has this phone number")
        old = customer.phone
        del self._by_phone[old]
        customer.phone = digits
        self._by_phone[digits] = customer
        self.changes.publish({"type": "customer", "customer": customer.view()})
        return old

    def by_phone(self, to: str) -> Customer | None:
        """Whose phone number this is, however it is written."""
        digits = only_digits(to)
        return next(
            (self._by_phone[one] for one in spellings(digits) if one in self._by_phone), None
        )

    def nobody(self, phone: str) -> Customer:
        """A stand-in for a phone number that has no WhatsApp; it is nobody's phone."""
        digits = only_digits(phone)
        return Customer(id=f"nobody-{digits}", name="", phone=digits, online=False)

    def by_user_id(self, user_id: str, number: Number) -> Customer | None:
        """Whose business-scoped user id this is for that business."""
        for customer in self.customers.values():
            if customer.user_id(number) == user_id:
                return customer
        return None

    def conversation(self, customer: Customer, number: Number) -> Conversation:
        """The conversation of these two, begun when there is none."""
        key = (customer.id, number.phone_number_id)
        if key not in self._conversations:
            self._conversations[key] = Conversation(customer, number)
        return self._conversations[key]

    def conversations(self) -> list[Conversation]:
        """All conversations of all customers."""
        return list(self._conversations.values())

    def conversations_of(self, customer: Customer) -> list[Conversation]:
        """All conversations of a customer."""
        return [talk for talk in self._conversations.values() if talk.customer is customer]

    def conversation_of(self, message: Message) -> Conversation:
        """The conversation that a message belongs to."""
        return self._conversations[message.customer_id, message.phone_number_id]

    def write(
        self,
        talk: Conversation,
        author: Author,
        kind: str,
        content: Any,
        *,
        reply_to: str | None = None,
        callback_data: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> Message:
        """Add a message to a conversation."""
        now = self.clock()
        message = Message(
            id=new_message_id(),
            author=author,
            customer_id=talk.customer.id,
            phone_number_id=talk.number.phone_number_id,
            kind=kind,
            content=content,
            at=now,
            order=talk.messages[-1].order + 1 if talk.messages else 1,
            reply_to=reply_to,
            file_size=self._file_size(content),
            callback_data=callback_data,
            extra=extra or {},
        )
        self.messages[message.id] = message
        talk.messages.append(message)
        if author == "customer":
            talk.last_from_customer = now
            if "referral" in message.extra:
                talk.ad_tapped = now
        self._tell(message)
        return message

    def put_back(self, talk: Conversation, message: Message) -> None:
        """Add a message that was written before."""
        self.messages[message.id] = message
        talk.messages.append(message)
        if message.author == "customer":
            talk.last_from_customer = message.at

    def react(self, author: Author, message: Message, emoji: str) -> None:
        """Put an emoji on a message, or take it back."""
        if emoji:
            message.reactions[author] = emoji
        else:
            message.reactions.pop(author, None)
        self._tell(message)

    def move(self, message: Message, status: Status, error: dict[str, Any] | None = None) -> bool:
        """Move a message forward; False when it had got there already."""
        if RANK[status] <= RANK[message.status]:
            return False
        message.status = status
        message.times[status] = self.clock()
        message.error = error
        if status == "delivered" and message.author == "business":
            self.conversation_of(message).typing_until = None
        self._tell(message)
        return True

    def is_old(self, message: Message) -> bool:
        """Whether it is too late to react to a message."""
        return self.clock() - message.at > REACTED_TO_WITHIN

    def begin_typing(self, talk: Conversation) -> None:
        """Show the three dots; they end with the next message or after 25 seconds."""
        talk.typing_until = self.clock() + TYPING_LASTS
        self.changes.publish(
            {
                "type": "typing",
                "customer_id": talk.customer.id,
                "phone_number_id": talk.number.phone_number_id,
                "seconds": TYPING_LASTS.total_seconds(),
            }
        )

    def record(self, message: Message, to: str, body: dict[str, Any]) -> Sent:
        """Write down that a send was accepted."""
        sent = Sent(
            number=len(self.sent) + 1,
            wamid=message.id,
            phone_number_id=message.phone_number_id,
            customer_id=message.customer_id,
            to=to,
            kind=message.kind,
            body=body,
            callback_data=message.callback_data,
            at=message.at,
        )
        self.sent.append(sent)
        self.changes.publish({"type": "sent", "number": sent.number})
        return sent

    def until_tomorrow(self) -> timedelta:
        """How long it is until the next morning, where the first business is."""
        now = self.clock()
        zone = next((ZoneInfo(one.timezone) for one in self.numbers.values() if one.timezone), None)
        morning = datetime.combine(
            now.astimezone(zone).date() + timedelta(days=1), MORNING, zone or now.tzinfo
        )
        return morning - now

    def note_clock_move(self, by: timedelta) -> None:
        """Remember that the clock is moved now: transcripts tell of it."""
        self.clock_moves.append((self.clock(), by))

    @property
    def ahead(self) -> timedelta:
        """How far the clock was moved in all."""
        return sum((by for _, by in self.clock_moves), timedelta())

    def keep_media(
        self, mime_type: str, data: bytes, filename: str | None = None, *, inbound: bool = False
    ) -> StoredMedia:
        """Store a file and give it an id, which lasts 30 days, or 7 if it came from a customer."""
        media = StoredMedia(
            id=str(10**15 + secrets.randbelow(9 * 10**15)),
            mime_type=mime_type,
            data=data,
            at=self.clock(),
            filename=filename,
            inbound=inbound,
        )
        self.media[media.id] = media
        return media

    def media_with(self, media_id: str) -> StoredMedia | None:
        """A file that is still there."""
        media = self.media.get(media_id)
        if media is None:
            return None
        lasts = INBOUND_MEDIA_ID_LASTS if media.inbound else MEDIA_ID_LASTS
        if self.clock() - media.at > lasts:
            return None
        return media

    def _file_size(self, content: Any) -> int | None:
        media = self.media.get(content.get("id", "")) if isinstance(content, dict) else None
        return len(media.data) if media else None

    def _free_phone(self) -> str:
        n = len(self.customers)
        businesses = {number.digits for number in self.numbers.values()}
        while True:
            area = AREAS[n // 100 % len(AREAS)]
            line = n % 100
            extra = n // (100 * len(AREAS))
            phone = f"1{area}555{'01' if not extra else f'{extra + 1:02d}'}{line:02d}"
            if phone not in self._by_phone and phone not in businesses:
                return phone
            n += 1

    def _tell(self, message: Message) -> None:
        message.version += 1
        if message.visible:
            self.changes.publish({"type": "message", "message": message.view()})
        else:
            self.changes.publish({"type": "status", "id": message.id, "status": message.status})


def spellings(digits: str) -> list[str]:
    """A phone number and how else WhatsApp may know it: Brazil's ninth digit, Mexico's 1 after
    the country code and Argentina's 9 are there or not."""
    found = [digits]
    if digits.startswith("55") and len(digits) == 13 and digits[4] == "9":
        found.append(digits[:4] + digits[5:])
    elif digits.startswith("55") and len(digits) == 12:
        found.append(digits[:4] + "9" + digits[4:])
    for country, mark, length in (("52", "1", 13), ("54", "9", 13)):
        if digits.startswith(country + mark) and len(digits) == length:
            found.append(country + digits[3:])
        elif digits.startswith(country) and len(digits) == length - 1:
            found.append(country + mark + digits[2:])
    return found


def new_message_id() -> str:
    """A message id that was never given before."""
    return "wamid." + base64.b64encode(b"\x1d\x04" + secrets.token_bytes(34)).decode()
