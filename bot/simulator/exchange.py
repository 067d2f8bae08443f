"""What Meta's servers do: carry messages between phones and businesses, and report on them."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.simulator import news, webhooks
from bot.simulator.accounts import Accounts
from bot.simulator.content import reply_buttons
from bot.simulator.courier import Courier, Delivery
from bot.simulator.errors import Refusal, status_error
from bot.simulator.limits import Sending
from bot.simulator.model import Conversation, Customer, Message, Number, Status, StoredMedia
from bot.simulator.prices import Prices
from bot.simulator.rates import Rates
from bot.simulator.settings import Pace, Rules
from bot.simulator.tasks import Tasks
from bot.simulator.world import World, new_message_id

# Who comes by an ad and is answered within a day may be written to for three days, free of charge.
ANSWERED_WITHIN = timedelta(hours=24)
FREE_ENTRY_LASTS = timedelta(hours=72)


class Exchange:
    """Moves messages in both directions."""

    def __init__(
        self,
        *,
        world: World,
        courier: Courier,
        accounts: Accounts,
        rates: Rates,
        media_url: Callable[[StoredMedia], str],
        tasks: Tasks,
        pace: Pace,
        rules: Rules,
    ) -> None:
        self._world = world
        self._courier = courier
        self._accounts = accounts
        self._rates = rates
        self._media_url = media_url
        self._tasks = tasks
        self._pace = pace
        self._rules = rules
        self.prices = Prices(rules)

    def from_customer(
        self,
        customer: Customer,
        number: Number,
        kind: str,
        content: Any,
        *,
        reply_to: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> tuple[Message, Delivery]:
        """A customer sends something; the delivery settles when the business answered 200."""
        talk = self._world.conversation(customer, number)
        self._rates.count_inbound(number)
        message = self._world.write(talk, "customer", kind, content, reply_to=reply_to, extra=extra)
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

    def change_user_id(self, customer: Customer) -> list[Delivery]:
        """A customer gets another user id; every business they know is told."""
        talks = self._world.conversations_of(customer)
        before = [customer.user_id(talk.number) for talk in talks]
        customer.generation += 1
        now = self._world.clock()
        return [
            self._courier.post(
                webhooks.user_id_changed(
                    talk, message_id=new_message_id(), previous=previous, at=now
                )
            )
            for talk, previous in zip(talks, before, strict=True)
        ]

    def wish_about_marketing(self, talk: Conversation, value: Literal["stop", "resume"]) -> None:
        """A customer stops or resumes marketing messages in the app."""
        talk.no_marketing = value == "stop"
        self._courier.post(news.marketing_wish(talk, value, at=self._world.clock()))

    def play(self, talk: Conversation, message: Message) -> None:
        """A customer plays a voice note of the business."""
        self._step(talk, message, "played")

    def to_customer(
        self, customer: Customer, number: Number, sending: Sending, *, late_error: int | None = None
    ) -> Message:
        """Accept a message of a business and set it on its way."""
        talk = self._world.conversation(customer, number)
        now = self._world.clock()
        if talk.ad_tapped and now - talk.ad_tapped < ANSWERED_WITHIN:
            talk.free_until, talk.ad_tapped = now + FREE_ENTRY_LASTS, None
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
                if message.author == "business" and "delivered" in message.times:
                    self.prices.delivered(talk, message)
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

        media = self._world.media.get(message.content.get("id", "")) if message.is_media else None
        url = self._media_url(media) if media else None
        notice = webhooks.inbound(talk, message, media_url=url, answered=answered)
        blocked = talk.customer.id in self._accounts.line(talk.number).blocked
        return self._courier.post(notice, lost=blocked)

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
        pricing = self.prices.of(talk, message) if priced else None
        if new == "delivered":
            self.prices.delivered(talk, message)
        notice = webhooks.status(
            talk,
            message,
            new,
            at=message.times[new],
            pricing=pricing,
            conversation=self._conversation_object(talk, message, pricing),
        )
        self._courier.post(notice)

    def _conversation_object(
        self, talk: Conversation, message: Message, pricing: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        free = bool(talk.free_until and message.at < talk.free_until)
        if not pricing or not (self._rules.conversation_objects or free):
            return None
        found: dict[str, Any] = {"id": message.id.removeprefix("wamid.")[:32]}
        if free and talk.free_until:
            found["expiration_timestamp"] = webhooks.seconds(talk.free_until)
        return {**found, "origin": {"type": pricing["category"]}}


def tapped(message: Message, choice_id: str) -> tuple[str, dict[str, Any]]:
    """What a phone sends when a choice of a message is tapped: kind and content."""
    if message.kind == "template":
        for button in message.content["shown"]["buttons"]:
            if button["payload"] == choice_id:
                return "button", {"text": button["title"], "payload": button["payload"]}
    action = message.content.get("action", {}) if message.kind == "interactive" else {}
    for button in reply_buttons(action):
        if button["reply"]["id"] == choice_id:
            return "interactive", {"type": "button_reply", "button_reply": button["reply"]}
    for section in action.get("sections", ()):
        for row in section.get("rows", ()):
            if row["id"] == choice_id:
                return "interactive", {"type": "list_reply", "list_reply": row}
    raise Refusal(131009, "the message has no such choice")


def form_reply(form: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """What a phone sends when the form of a message was filled in."""
    token = form.get("flow_token", "unused")
    answer = json.dumps({"flow_token": token, **values})
    return {
        "type": "nfm_reply",
        "nfm_reply": {"name": "flow", "body": "Sent", "response_json": answer},
    }
