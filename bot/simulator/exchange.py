"""What Meta's servers do: carry messages between phones and businesses, and report on them."""

import asyncio
import json
from datetime import datetime
from typing import Any

from bot.simulator import webhooks
from bot.simulator.courier import Courier, Delivery
from bot.simulator.errors import Refusal, status_error
from bot.simulator.limits import Sending
from bot.simulator.model import Conversation, Customer, Message, Number, Status
from bot.simulator.settings import Pace, Rules
from bot.simulator.tasks import Tasks
from bot.simulator.templates import Templates
from bot.simulator.world import World, new_message_id

FREE_SERVICE_MESSAGES = 1000


class Exchange:
    """Moves messages in both directions."""

    def __init__(
        self,
        *,
        world: World,
        courier: Courier,
        templates: Templates,
        tasks: Tasks,
        pace: Pace,
        rules: Rules,
    ) -> None:
        self._world = world
        self._courier = courier
        self._templates = templates
        self._tasks = tasks
        self._pace = pace
        self._rules = rules
        self._service_messages: dict[tuple[str, int, int], int] = {}

    def from_customer(
        self,
        customer: Customer,
        number: Number,
        kind: str,
        content: Any,
        *,
        reply_to: str | None = None,
    ) -> tuple[Message, Delivery]:
        """A customer sends something; the delivery settles when the business answered 200."""
        talk = self._world.conversation(customer, number)
        message = self._world.write(talk, "customer", kind, content, reply_to=reply_to)
        if kind == "reaction":
            target = self._world.messages.get(content["message_id"])
            if target:
                self._world.react("customer", target, content.get("emoji", ""))
        self._world.move(message, "sent")
        return message, self._report(talk, message)

    def tap(self, customer: Customer, message: Message, choice_id: str) -> tuple[Message, Delivery]:
        """A customer taps a reply button, a list row or a template's button of a message."""
        number = self._world.numbers[message.phone_number_id]
        kind, content = tapped(message, choice_id)
        return self.from_customer(customer, number, kind, content, reply_to=message.id)

    def change_phone(self, customer: Customer, phone: str) -> list[Delivery]:
        """A customer takes another phone number; every business they know is told."""
        old = self._world.change_phone(customer, phone)
        now = self._world.clock()
        return [
            self._courier.post(
                webhooks.number_changed(talk, message_id=new_message_id(), old=old, at=now)
            )
            for talk in self._world.conversations_of(customer)
        ]

    def to_customer(
        self, customer: Customer, number: Number, sending: Sending, *, late_error: int | None = None
    ) -> Message:
        """Accept a message of a business and set it on its way."""
        talk = self._world.conversation(customer, number)
        message = self._world.write(
            talk,
            "business",
            sending.kind,
            sending.content,
            reply_to=sending.reply_to,
            callback_data=sending.callback_data,
        )
        if late_error is None:
            self._tasks.spawn(self._carry(talk, message))
        else:
            self._tasks.spawn(self._fail(talk, message, late_error))
        return message

    def react(self, message: Message, emoji: str) -> None:
        """A business reacts to a message."""
        self._world.react("business", message, emoji)

    def read_by_business(self, message: Message, *, typing: bool) -> None:
        """A business read a message, and with it all that came before."""
        talk = self._world.conversation_of(message)
        for earlier in talk.messages:
            if earlier.author == "customer":
                self._world.move(earlier, "read")
            if earlier is message:
                break
        if typing:
            self._world.begin_typing(talk)

    def read_by_customer(self, talk: Conversation) -> int:
        """A customer looked at the conversation; answers how many messages were new."""
        unread = [
            message
            for message in talk.messages
            if message.author == "business" and message.status == "delivered"
        ]
        for message in unread:
            self._step(talk, message, "read")
        return len(unread)

    def come_online(self, customer: Customer) -> None:
        """A phone has a connection again: what waited for it arrives."""
        customer.online = True
        for talk in self._world.conversations_of(customer):
            for message in talk.messages:
                if message.author == "business" and message.status == "sent":
                    self._tasks.spawn(self._arrive(talk, message))

    def resume(self) -> None:
        """Go on with what was on its way when the simulator was stopped."""
        for talk in self._world.conversations():
            for message in talk.messages:
                if message.author == "customer" and message.status in ("accepted", "sent"):
                    self._world.move(message, "sent")
                    self._report(talk, message)
                elif message.author == "business" and message.status in ("accepted", "sent"):
                    self._tasks.spawn(self._carry(talk, message))

    def window_open(self, talk: Conversation, now: datetime) -> bool:
        """Whether free-form messages may be sent."""
        window = self._rules.window
        last = talk.last_from_customer
        return window is None or (last is not None and now - last < window)

    def _report(self, talk: Conversation, message: Message) -> Delivery:
        def answered() -> None:
            self._world.move(message, "delivered")

        return self._courier.post(webhooks.inbound(talk, message, answered=answered))

    async def _carry(self, talk: Conversation, message: Message) -> None:
        await asyncio.sleep(self._pace.sent)
        self._step(talk, message, "sent")
        if message.kind == "reaction":
            return
        await asyncio.sleep(self._pace.delivered)
        if talk.customer.online:
            await self._arrive(talk, message)

    async def _arrive(self, talk: Conversation, message: Message) -> None:
        self._step(talk, message, "delivered")
        if talk.customer.reads == "at_once":
            await asyncio.sleep(self._pace.read)
            self._step(talk, message, "read")

    async def _fail(self, talk: Conversation, message: Message, code: int) -> None:
        await asyncio.sleep(self._pace.sent)
        self._step(talk, message, "failed", status_error(code))

    def _step(
        self, talk: Conversation, message: Message, new: Status, error: dict[str, Any] | None = None
    ) -> None:
        if not self._world.move(message, new, error):
            return
        priced = new in ("sent", "delivered") and message.kind != "reaction"
        pricing = self._pricing(message, count=new == "delivered") if priced else None
        notice = webhooks.status(
            talk,
            message,
            new,
            at=message.times[new],
            pricing=pricing,
            conversation=self._conversation_object(message, pricing),
        )
        self._courier.post(notice)

    def _pricing(self, message: Message, *, count: bool) -> dict[str, Any]:
        if message.kind == "template":
            category = self._templates.category(message.content)
            return price(category, "regular")
        key = (message.phone_number_id, message.at.year, message.at.month)
        used = self._service_messages.get(key, 0)
        if count:
            self._service_messages[key] = used + 1
        free = used < FREE_SERVICE_MESSAGES
        return price("service", "free_customer_service" if free else "regular")

    def _conversation_object(
        self, message: Message, pricing: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        if not (self._rules.conversation_objects and pricing):
            return None
        return {
            "id": message.id.removeprefix("wamid.")[:32],
            "origin": {"type": pricing["category"]},
        }


def price(category: str, kind: str) -> dict[str, Any]:
    """The pricing object of a status."""
    return {
        "billable": kind == "regular",
        "pricing_model": "PMP",
        "category": category,
        "type": kind,
    }


def tapped(message: Message, choice_id: str) -> tuple[str, dict[str, Any]]:
    """What a phone sends when a choice of a message is tapped: kind and content."""
    if message.kind == "template":
        for button in message.content["shown"]["buttons"]:
            if button["payload"] == choice_id:
                return "button", {"text": button["title"], "payload": button["payload"]}
    action = message.content.get("action", {}) if message.kind == "interactive" else {}
    for button in action.get("buttons", ()):
        if button["reply"]["id"] == choice_id:
            return "interactive", {"type": "button_reply", "button_reply": button["reply"]}
    for section in action.get("sections", ()):
        for row in section.get("rows", ()):
            if row["id"] == choice_id:
                return "interactive", {"type": "list_reply", "list_reply": row}
    raise Refusal(131009, "the message has no such choice")


def form_reply(message: Message, values: dict[str, Any]) -> dict[str, Any]:
    """What a phone sends when the form of a message was filled in."""
    token = message.content["action"]["parameters"].get("flow_token", "unused")
    answer = json.dumps({"flow_token": token, **values})
    return {
        "type": "nfm_reply",
        "nfm_reply": {"name": "flow", "body": "Sent", "response_json": answer},
    }
