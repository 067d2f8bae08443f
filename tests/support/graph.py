"""A Graph API and customers' phones for tests: the real simulator, pleasant to use.

async with running_graph(webhook_url) as graph:
    ana = graph.customer("Ana")
    await ana.say("hi")
    welcome = await ana.reply()
    await ana.tap("Book a visit")
    assert "What would you like?" in (await ana.reply()).text
    assert len(graph.sent) == 2
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.simulator import (
    Customer,
    Message,
    Number,
    Pace,
    Retries,
    Rules,
    Simulator,
    Template,
    running_simulator,
)
from bot.simulator.composing import Outgoing, compose, extra_of
from bot.simulator.content import Choice, choices_of, text_of
from bot.simulator.courier import Delivery
from bot.simulator.model import Conversation, Reads, Sent
from bot.simulator.phones import Advance
from storage.clock import Clock, system_clock

APP_SECRET = "app-secret-of-the-tests"  # noqa: S105
SALON = Number(
    phone_number_id="100000000000001",
    name="Salon Lumi",
    display_phone="+1 555 010 0000",
    waba_id="200000000000001",
    timezone="America/New_York",
)
PATIENCE = 5.0


class Bubble:
    """A message as its reader sees it."""

    def __init__(self, message: Message) -> None:
        self.message = message

    @property
    def id(self) -> str:
        """Its wamid."""
        return self.message.id

    @property
    def kind(self) -> str:
        """Meta's type: text, interactive, document, …"""
        return self.message.kind

    @property
    def content(self) -> Any:
        """Meta's content object."""
        return self.message.content

    @property
    def text(self) -> str:
        """Its words, without the choices."""
        return text_of(self.message.kind, self.message.content)

    @property
    def choices(self) -> list[Choice]:
        """All that can be tapped."""
        return choices_of(self.message.kind, self.message.content)

    @property
    def buttons(self) -> list[str]:
        """Titles of the reply buttons."""
        return [one.title for one in self.choices if one.kind == "button"]

    @property
    def rows(self) -> list[str]:
        """Titles of the list rows."""
        return [one.title for one in self.choices if one.kind == "row"]

    def __repr__(self) -> str:
        return " ".join([f"<{self.kind}: {self.text!r}", *map(str, self.choices)]) + ">"


class Phone:
    """A customer with one business open on the screen."""

    def __init__(self, simulator: Simulator, customer: Customer, number: Number) -> None:
        self._simulator = simulator
        self._number = number
        self.customer = customer
        self._seen = 0

    @property
    def number(self) -> str:
        """The phone number, digits only."""
        return self.customer.phone

    @property
    def user_id(self) -> str:
        """The business-scoped user id that the business sees."""
        return self.customer.user_id(self._number)

    @property
    def bubbles(self) -> list[Bubble]:
        """What the business wrote, as far as it has arrived."""
        return [
            Bubble(message)
            for message in self.talk.messages
            if message.author == "business" and message.visible
        ]

    @property
    def last(self) -> Bubble:
        """The newest message of the business."""
        bubbles = self.bubbles
        assert bubbles, f"{self.customer.name} has no message yet"
        return bubbles[-1]

    async def say(self, text: str, *, reply_to: Bubble | None = None, wait: bool = True) -> Message:
        """Type something; with `wait`, until the business answered its webhook 200."""
        return await self._send(Outgoing(text=text), reply_to=reply_to, wait=wait)

    async def send(self, kind: str, *, wait: bool = True, **more: Any) -> Message:
        """Send a voice, photo, sticker, document, location, contact or unsupported message."""
        return await self._send(
            Outgoing.model_validate({"kind": kind, **more}), reply_to=None, wait=wait
        )

    async def send_raw(self, kind: str, content: Any, *, wait: bool = True) -> Message:
        """Send any inbound message, in Meta's words."""
        self._seen = len(self.bubbles)
        sent = self._simulator.exchange.from_customer(self.customer, self._number, kind, content)
        return await self._delivered(*sent, wait=wait)

    async def tap(self, title: str, *, on: Bubble | None = None, wait: bool = True) -> Message:
        """Tap a button or row by its title: of `on`, else of the newest message that has it."""
        bubble, choice = self._find(title, on)
        self._seen = len(self.bubbles)
        sent = self._simulator.exchange.tap(self.customer, bubble.message, choice.id)
        return await self._delivered(*sent, wait=wait)

    async def tap_id(self, bubble: Bubble, choice_id: str, *, wait: bool = True) -> Message:
        """Tap a button or row of a message by its id."""
        self._seen = len(self.bubbles)
        sent = self._simulator.exchange.tap(self.customer, bubble.message, choice_id)
        return await self._delivered(*sent, wait=wait)

    async def react(self, emoji: str, on: Bubble) -> Message:
        """Put an emoji on a message of the business; an empty one takes it back."""
        return await self.send("reaction", message_id=on.id, emoji=emoji)

    async def reply(self, *, seconds: float = PATIENCE) -> Bubble:
        """The next message of the business since this customer last said or read something."""
        came = await self._simulator.changes.until(lambda: len(self.bubbles) > self._seen, seconds)
        assert came, f"no reply for {self.customer.name} within {seconds} s"
        self._seen += 1
        return self.bubbles[self._seen - 1]

    async def quiet(self, *, seconds: float = 0.3) -> None:
        """Nothing more arrives for a while."""
        came = await self._simulator.changes.until(lambda: len(self.bubbles) > self._seen, seconds)
        assert not came, f"{self.customer.name} got {self.bubbles[self._seen :]}"

    def change_number(self, phone: str) -> list[Delivery]:
        """Move to another phone number: the business is told."""
        return self._simulator.exchange.change_phone(self.customer, phone)

    def go_offline(self) -> None:
        """Lose the connection: what is sent meanwhile waits."""
        self.customer.online = False

    def come_online(self) -> None:
        """Get the connection back."""
        self._simulator.exchange.come_online(self.customer)

    def read(self) -> int:
        """Look at the screen: what has arrived is read."""
        return self._simulator.exchange.read_by_customer(self.talk)

    def open_window(self) -> None:
        """Let the business write free-form for 24 hours, without having written a message."""
        self.talk.last_from_customer = self._simulator.world.clock()

    @property
    def talk(self) -> Conversation:
        """All that was written, from both sides."""
        return self._simulator.world.conversation(self.customer, self._number)

    async def _send(self, outgoing: Outgoing, *, reply_to: Bubble | None, wait: bool) -> Message:
        self._seen = len(self.bubbles)
        kind, content = compose(self._simulator.world, outgoing, writer=self.customer)
        sent = self._simulator.exchange.from_customer(
            self.customer,
            self._number,
            kind,
            content,
            reply_to=reply_to.id if reply_to else None,
            extra=extra_of(outgoing),
        )
        return await self._delivered(*sent, wait=wait)

    async def _delivered(self, message: Message, delivery: Delivery, *, wait: bool) -> Message:
        if wait:
            async with asyncio.timeout(PATIENCE):
                await delivery.settled.wait()
        return message

    def _find(self, title: str, on: Bubble | None) -> tuple[Bubble, Choice]:
        bubbles = [on] if on else self.bubbles[::-1]
        for bubble in bubbles:
            for choice in bubble.choices:
                if choice.title == title:
                    return bubble, choice
        offered = [str(choice) for bubble in bubbles for choice in bubble.choices]
        raise AssertionError(
            f"nothing says {title!r}; there are {' '.join(offered) or 'no choices'}"
        )


class Graph:
    """The Graph API of a test, and everybody's phones."""

    def __init__(self, simulator: Simulator, number: Number) -> None:
        self.simulator = simulator
        self.number = number

    @property
    def url(self) -> str:
        """What a client of the Graph API is given, version included."""
        return self.simulator.graph_url

    @property
    def sent(self) -> list[Sent]:
        """All accepted messages in order."""
        return self.simulator.world.sent

    @property
    def deliveries(self) -> list[Delivery]:
        """All webhooks."""
        return list(self.simulator.courier.deliveries)

    async def wait_for(self, count: int, *, seconds: float = PATIENCE) -> list[Sent]:
        """Wait until `count` messages were accepted in all; answers with them."""
        came = await self.simulator.changes.until(lambda: len(self.sent) >= count, seconds)
        assert came, f"{len(self.sent)} of {count} messages were sent within {seconds} s"
        return self.sent

    def customer(
        self,
        name: str = "Ana",
        *,
        phone: str | None = None,
        hides_phone: bool = False,
        username: str | None = None,
        number: Number | None = None,
        reads: Reads = "at_once",
    ) -> Phone:
        """Somebody new, with a phone of their own."""
        customer = self.simulator.world.add_customer(
            name, phone=phone, shows_phone=not hides_phone, username=username, reads=reads
        )
        return Phone(self.simulator, customer, number or self.number)

    def fail(self, kind: str, **more: Any) -> None:
        """Order trouble: `fail("error", code=131056, times=2)`; see `bot.simulator.faults`."""
        self.simulator.fail(kind=kind, **more)

    def clear_faults(self) -> None:
        """Call all trouble off."""
        self.simulator.clear_faults()


@asynccontextmanager
async def running_graph(
    webhook_url: str | None = None,
    *,
    app_secret: str = APP_SECRET,
    numbers: Sequence[Number] = (SALON,),
    clock: Clock = system_clock,
    advance: Advance | None = None,
    port: int = 0,
    pace: Pace | None = None,
    retries: Retries | None = None,
    rules: Rules | None = None,
    templates: Sequence[Template] | None = None,
    memory: Path | None = None,
) -> AsyncIterator[Graph]:
    """A Graph API on a free port, quick unless told otherwise.

    The bot's address may be set later: `graph.simulator.webhook_url = …`.
    """
    async with running_simulator(
        webhook_url=webhook_url,
        app_secret=app_secret,
        numbers=numbers,
        clock=clock,
        advance=advance,
        port=port,
        pace=pace or Pace.instant(),
        retries=retries or Retries(first=0.05, longest=1.0),
        rules=rules,
        templates=templates,
        memory=memory,
    ) as simulator:
        yield Graph(simulator, numbers[0])
