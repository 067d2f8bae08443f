"""Who a message is for, and whether it may be sent to them now."""

from typing import Any

from bot.simulator.accounts import Accounts
from bot.simulator.errors import Refusal
from bot.simulator.exchange import Exchange
from bot.simulator.limits import Sending
from bot.simulator.model import Customer, Number, only_digits
from bot.simulator.rates import Rates
from bot.simulator.settings import Rules
from bot.simulator.world import World

MEDIA_TYPES: dict[str, tuple[str, ...]] = {
    "image": ("image/jpeg", "image/png"),
    "sticker": ("image/webp",),
    "audio": ("audio/",),
    "video": ("video/",),
    "document": ("",),
}


class Recipients:
    """Finds recipients and applies the rules about them."""

    def __init__(
        self,
        *,
        world: World,
        exchange: Exchange,
        accounts: Accounts,
        rates: Rates,
        rules: Rules,
    ) -> None:
        self._world = world
        self._accounts = accounts
        self._exchange = exchange
        self._rates = rates
        self._rules = rules

    def names(self, number: Number, body: dict[str, Any]) -> frozenset[str]:
        """All that the recipient of a raw body is called by, for faults that name a customer."""
        to, recipient = body.get("to"), body.get("recipient")
        customer = None
        if to:
            customer = self._world.by_phone(str(to))
        elif recipient:
            customer = self._world.by_user_id(str(recipient), number)
        names = {only_digits(str(to))} if to else {str(recipient)}
        return frozenset(names | ({customer.id, customer.phone} if customer else set()))

    def find(self, number: Number, sending: Sending) -> Customer:
        """The customer with this phone number or user id; `to` wins over `recipient`."""
        if sending.to is not None:
            return self._by_phone(number, sending.to)
        customer = self._world.by_user_id(sending.recipient or "", number)
        if customer is None:
            raise Refusal(100, "Invalid recipient")
        return customer

    def admit(self, number: Number, customer: Customer, sending: Sending) -> int | None:
        """Check everything that depends on the recipient.

        Answers with the code of a failure that Meta would report later, or None. What is refused
        at once is raised.
        """
        self._rates.take_pair(number, customer)
        check_kind(sending)
        for code, details in self._doubts(number, customer, sending):
            if self._rules.late:
                return code
            raise Refusal(code, details)
        if sending.kind == "template" and not self._open(number, customer):
            self._accounts.begin(number, customer)
        return None

    def _open(self, number: Number, customer: Customer) -> bool:
        talk = self._world.conversation(customer, number)
        return self._exchange.window_open(talk, self._world.clock())

    def _by_phone(self, number: Number, to: str) -> Customer:
        digits = only_digits(to)
        if not 7 <= len(digits) <= 15:
            raise Refusal(131009, f"to: a phone number has 7 to 15 digits, not {len(digits)}")
        if digits == number.digits:
            raise Refusal(131021, "Sender and recipient are the same phone number.")
        if self._rules.allowed is not None and digits not in self._rules.allowed:
            raise Refusal(131030, "Recipient phone number not in allowed list")
        customer = self._world.by_phone(digits)
        if customer is None and self._rules.adopt_strangers:
            customer = self._world.add_customer("Guest", phone=digits)
            talk = self._world.conversation(customer, number)
            talk.last_from_customer = self._world.clock()
        return customer or self._world.nobody(digits)

    def _doubts(
        self, number: Number, customer: Customer, sending: Sending
    ) -> list[tuple[int, str]]:
        doubts = []
        if customer.id not in self._world.customers:
            doubts.append((131026, "The phone number is not on WhatsApp."))
        talk = self._world.conversation(customer, number)
        if talk.blocked:
            doubts.append((131026, "The customer has blocked this business."))
        if sending.kind != "template" and not self._open(number, customer):
            doubts.append((131047, "More than 24 hours have passed since the customer last wrote."))
        if talk.no_marketing and sending.content_category == "marketing":
            doubts.append((131050, "The customer has stopped marketing messages."))
        return doubts + self._media_doubts(sending)

    def _media_doubts(self, sending: Sending) -> list[tuple[int, str]]:
        doubts = []
        for kind, media_id in uploaded_media(sending.kind, sending.content):
            media = self._world.media_with(media_id)
            if media is None:
                raise Refusal(131009, f"{kind}.id: there is no media with id {media_id}")
            if not media.mime_type.startswith(MEDIA_TYPES[kind]):
                doubts.append((131053, f"{media.mime_type} cannot be sent as {kind}"))
        return doubts


def check_kind(sending: Sending) -> None:
    """Codes to sign in with need a phone number: 131062 for a user id."""
    if sending.to is not None or sending.content_category != "authentication":
        return
    raise Refusal(131062, "Authentication templates with a code cannot be sent to a user id.")


def uploaded_media(kind: str, content: Any) -> list[tuple[str, str]]:
    """The kinds and ids of all uploaded media that a message refers to."""
    if kind in MEDIA_TYPES:
        holders = [{kind: content}]
    elif kind == "interactive":
        cards = content.get("action", {}).get("cards", ())
        holders = [content.get("header", {}), *(card["header"] for card in cards)]
    elif kind == "template":
        components = content.get("components", ())
        holders = [one for part in components for one in part.get("parameters", ())]
    else:
        holders = []
    return [
        (name, holder[name]["id"])
        for holder in holders
        for name in MEDIA_TYPES
        if isinstance(holder.get(name), dict) and "id" in holder[name]
    ]
