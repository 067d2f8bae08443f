"""The simulator's own HTTP API under `/simulator/`: phones, faults, clock, what was sent.

Every change can be followed at `/simulator/events` (server-sent events). A reader that falls
behind, or comes back after a break, gets or should act on `resync`: read everything again.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from inspect import isawaitable
from typing import Any, Literal, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.simulator.changes import Changes, Subscription
from bot.simulator.composing import Outgoing, compose, extra_of
from bot.simulator.courier import Courier
from bot.simulator.errors import Refusal
from bot.simulator.exchange import Exchange
from bot.simulator.faults import Fault, Faults
from bot.simulator.model import Conversation, Customer, Message, Reads
from bot.simulator.world import World

Advance = Callable[[timedelta], Awaitable[object] | object]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
M = TypeVar("M", bound=BaseModel)

HEARTBEAT = 15.0
RETRY_MS = 1000
SHOWN_INLINE = frozenset({"image/jpeg", "image/png", "image/webp", "audio/ogg"})


class NewCustomer(BaseModel):
    """Somebody to give a phone to."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=60)
    phone: str | None = Field(default=None, pattern=r"^\+?[0-9 ()-]{7,24}$")
    shows_phone: bool = True
    username: str | None = Field(default=None, max_length=30)
    reads: Reads = "by_hand"


class CustomerChange(BaseModel):
    """What can change about somebody."""

    model_config = ConfigDict(extra="forbid")

    phone: str | None = Field(default=None, pattern=r"^\+?[0-9 ()-]{7,24}$")
    online: bool | None = None
    reads: Reads | None = None


class Tap(BaseModel):
    """A choice that was tapped: the id of a button or row, or a template button's payload."""

    model_config = ConfigDict(extra="forbid")

    message_id: str
    choice_id: str


class ClockMove(BaseModel):
    """How far to move the clock: by seconds, or to nine o'clock of the next morning."""

    model_config = ConfigDict(extra="forbid")

    advance_seconds: float | None = Field(default=None, gt=0, le=400 * 24 * 3600)
    to: Literal["tomorrow"] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "ClockMove":
        if (self.advance_seconds is None) == (self.to is None):
            raise ValueError("either advance_seconds or to is needed")
        return self


class PhonesApi:
    """The routes under `/simulator/`."""

    def __init__(
        self,
        *,
        world: World,
        exchange: Exchange,
        courier: Courier,
        faults: Faults,
        changes: Changes,
        advance: Advance | None,
    ) -> None:
        self._world = world
        self._exchange = exchange
        self._courier = courier
        self._faults = faults
        self._changes = changes
        self._advance = advance

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        talk = "/simulator/conversations/{customer}/{number}"
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/simulator/world", self.world),
            ("GET", "/simulator/events", self.events),
            ("POST", "/simulator/customers", self.add_customer),
            ("PATCH", "/simulator/customers/{customer}", self.change_customer),
            ("GET", talk, self.conversation),
            ("POST", talk + "/messages", self.write),
            ("POST", talk + "/tap", self.tap),
            ("POST", talk + "/read", self.read),
            ("GET", "/simulator/media/{media}", self.media),
            ("GET", "/simulator/sent", self.sent),
            ("GET", "/simulator/webhooks", self.webhooks),
            ("GET", "/simulator/faults", self.faults),
            ("POST", "/simulator/faults", self.add_fault),
            ("DELETE", "/simulator/faults", self.clear_faults),
            ("DELETE", "/simulator/faults/{fault}", self.call_off),
            ("POST", "/simulator/clock", self.move_clock),
        ]
        return [web.route(method, path, answered(one)) for method, path, one in routes]

    async def world(self, _request: web.Request) -> web.StreamResponse:
        """Numbers, customers and the time."""
        return answer(
            {
                "now": self._world.clock().isoformat(),
                "ahead": self._world.ahead.total_seconds(),
                "clock_moves": self._advance is not None,
                "numbers": [
                    {
                        "phone_number_id": one.phone_number_id,
                        "name": one.name,
                        "display_phone": one.display_phone,
                        "timezone": one.timezone,
                    }
                    for one in self._world.numbers.values()
                ],
                "customers": [one.view() for one in self._world.customers.values()],
            }
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The stream of changes."""
        stream = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        subscription = self._changes.subscribe()
        try:
            await stream.prepare(request)
            await stream.write(f"retry: {RETRY_MS}\n\n".encode())
            await self._follow(stream, subscription)
        except ConnectionError:
            pass
        finally:
            self._changes.unsubscribe(subscription)
        return stream

    async def _follow(self, stream: web.StreamResponse, subscription: Subscription) -> None:
        while not subscription.closed:
            change = await subscription.next(HEARTBEAT)
            if change is not None:
                await stream.write(b"data: " + orjson.dumps(change) + b"\n\n")
            elif not subscription.closed:
                await stream.write(b": still here\n\n")

    async def add_customer(self, request: web.Request) -> web.StreamResponse:
        """A new phone."""
        new = await body_of(request, NewCustomer)
        try:
            customer = self._world.add_customer(**new.model_dump())
        except ValueError as taken:
            return problem(409, str(taken))
        return answer(customer.view(), 201)

    async def change_customer(self, request: web.Request) -> web.StreamResponse:
        """Another phone number, on or off line, how messages are read."""
        customer = self._customer(request)
        change = await body_of(request, CustomerChange)
        if change.phone is not None:
            try:
                self._exchange.change_phone(customer, change.phone)
            except ValueError as taken:
                return problem(409, str(taken))
        if change.reads is not None:
            customer.reads = change.reads
        if change.online is False:
            customer.online = False
        elif change.online:
            self._exchange.come_online(customer)
        self._changes.publish({"type": "customer", "customer": customer.view()})
        return answer(customer.view())

    async def conversation(self, request: web.Request) -> web.StreamResponse:
        """All messages that the phone shows."""
        return answer(self._talk(request).view(self._world.clock()))

    async def write(self, request: web.Request) -> web.StreamResponse:
        """Send something from the phone."""
        talk = self._talk(request)
        outgoing = await body_of(request, Outgoing)
        kind, content = compose(self._world, outgoing, writer=talk.customer)
        reply_to = outgoing.message_id if outgoing.kind == "form" else outgoing.reply_to
        message, _ = self._exchange.from_customer(
            talk.customer,
            talk.number,
            kind,
            content,
            reply_to=reply_to,
            extra=extra_of(outgoing),
        )
        return answer(message.view(), 201)

    async def tap(self, request: web.Request) -> web.StreamResponse:
        """Tap a choice."""
        talk = self._talk(request)
        tap = await body_of(request, Tap)
        message = self._message(talk, tap.message_id)
        written, _ = self._exchange.tap(talk.customer, message, tap.choice_id)
        return answer(written.view(), 201)

    async def read(self, request: web.Request) -> web.StreamResponse:
        """The customer has looked."""
        return answer({"read": self._exchange.read_by_customer(self._talk(request))})

    async def media(self, request: web.Request) -> web.StreamResponse:
        """A file that was sent. It came from outside: only harmless types are shown inline."""
        media = self._world.media_with(request.match_info["media"])
        if media is None:
            return problem(404, "no such file")
        plain = media.mime_type.partition(";")[0]
        inline = plain in SHOWN_INLINE
        name = "".join(c if c.isalnum() or c in "._-" else "_" for c in media.filename or "file")
        disposition = "inline" if inline else f'attachment; filename="{name}"'
        return web.Response(
            body=media.data,
            headers={
                "Content-Type": plain if inline else "application/octet-stream",
                "Content-Disposition": disposition,
            },
        )

    async def sent(self, request: web.Request) -> web.StreamResponse:
        """Accepted sends in order; `?after=<number>` leaves out what is known."""
        after = request.query.get("after", "0")
        start = int(after) if after.isdecimal() else 0
        return answer({"sent": [one.view() for one in self._world.sent[start:]]})

    async def webhooks(self, _request: web.Request) -> web.StreamResponse:
        """The last webhooks, and how each was answered."""
        return answer({"webhooks": [one.view() for one in self._courier.deliveries]})

    async def faults(self, _request: web.Request) -> web.StreamResponse:
        """Trouble that waits for its occasion."""
        return answer({"faults": [one.view() for one in self._faults.list()]})

    async def add_fault(self, request: web.Request) -> web.StreamResponse:
        """Order trouble."""
        return answer(self._faults.add(await body_of(request, Fault)).view(), 201)

    async def clear_faults(self, _request: web.Request) -> web.StreamResponse:
        """Call all trouble off and send what was held back."""
        self._faults.clear()
        self._courier.release()
        return answer({"faults": []})

    async def call_off(self, request: web.Request) -> web.StreamResponse:
        """Call one trouble off, and send what it held back."""
        name = request.match_info["fault"]
        armed = self._faults.remove(int(name)) if name.isdecimal() else None
        if armed is not None:
            self._courier.release(armed)
        return await self.faults(request)

    async def move_clock(self, request: web.Request) -> web.StreamResponse:
        """Move the clock forward."""
        move = await body_of(request, ClockMove)
        if self._advance is None:
            return problem(501, "this simulator runs on a clock that cannot be moved")
        by = timedelta(seconds=move.advance_seconds or 0) or self._world.until_tomorrow()
        self._world.note_clock_move(by)
        moved = self._advance(by)
        if isawaitable(moved):
            await moved
        now = self._world.clock().isoformat()
        told = {"now": now, "ahead": self._world.ahead.total_seconds()}
        self._changes.publish({"type": "clock", **told})
        return answer(told)

    def _customer(self, request: web.Request) -> Customer:
        customer = self._world.customers.get(request.match_info["customer"])
        if customer is None:
            raise web.HTTPNotFound(text="no such customer")
        return customer

    def _talk(self, request: web.Request) -> Conversation:
        number = self._world.numbers.get(request.match_info["number"])
        if number is None:
            raise web.HTTPNotFound(text="no such business number")
        return self._world.conversation(self._customer(request), number)

    def _message(self, talk: Conversation, message_id: str) -> Message:
        message = self._world.messages.get(message_id)
        if message is None or self._world.conversation_of(message) is not talk:
            raise web.HTTPNotFound(text="no such message")
        return message


def answered(handler: Handler) -> Handler:
    """A handler whose refusals become answers."""

    async def answering(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return problem(400, refusal.details)
        except web.HTTPClientError as error:
            return problem(error.status, error.text or error.reason)

    return answering


async def body_of(request: web.Request, model: type[M]) -> M:
    """The JSON body. Other content types are refused, so that no foreign web page can post."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="the body has to be application/json")
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as invalid:
        fault = invalid.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise web.HTTPBadRequest(text=f"{where}: {fault['msg']}") from None


def answer(value: dict[str, Any], status: int = 200) -> web.StreamResponse:
    """A JSON answer."""
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")


def problem(status: int, why: str) -> web.StreamResponse:
    """A refusal in words."""
    return answer({"error": why}, status)
