"""Carries webhooks to the business: signed, repeated until answered 200, spoiled on demand."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import aiohttp

from bot.simulator.faults import Armed, Faults, Occasion
from bot.simulator.settings import Retries
from bot.simulator.tasks import Tasks
from bot.simulator.webhooks import Notice, envelope, signature
from storage.clock import Clock

State = Literal["waiting", "held", "answered", "lost", "given_up"]
HOOK_FAULTS = frozenset({"lose", "duplicate", "delay", "reorder", "batch"})
REMEMBERED = 1000


@dataclass(slots=True)
class Delivery:
    """One notice on its way."""

    number: int
    notice: Notice
    at: datetime
    state: State = "waiting"
    attempts: int = 0
    last_status: int | None = None
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    def view(self) -> dict[str, Any]:
        """The delivery as JSON."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "events": sorted(self.notice.events),
            "state": self.state,
            "attempts": self.attempts,
            "last_status": self.last_status,
            "value": self.notice.value,
        }


class Courier:
    """Posts notices to `url`, which may be set later: until then they wait."""

    def __init__(
        self,
        *,
        url: str | None,
        app_secret: str,
        session: aiohttp.ClientSession,
        tasks: Tasks,
        faults: Faults,
        clock: Clock,
        retries: Retries,
    ) -> None:
        self.url = url
        self.deliveries: deque[Delivery] = deque(maxlen=REMEMBERED)
        self.unsettled: dict[int, Delivery] = {}
        self._app_secret = app_secret
        self._session = session
        self._tasks = tasks
        self._faults = faults
        self._clock = clock
        self._retries = retries
        self._posted = 0
        self._held: dict[int, tuple[Armed, list[Delivery]]] = {}

    def post(self, notice: Notice) -> Delivery:
        """Send a notice in the background, with what faults make of it."""
        self._posted += 1
        delivery = Delivery(self._posted, notice, self._clock())
        self.deliveries.append(delivery)
        self.unsettled[delivery.number] = delivery
        occasion = Occasion("webhook", notice.customer, notice.events)
        spoiled = self._faults.take(occasion, HOOK_FAULTS)
        if spoiled is None:
            self._tasks.spawn(self._send([delivery]))
        else:
            self._spoil(delivery, spoiled)
        return delivery

    def release(self) -> None:
        """Send all that was held back."""
        for armed, held in self._held.values():
            self._flush(armed, held)
        self._held.clear()

    def _spoil(self, delivery: Delivery, armed: Armed) -> None:
        fault = armed.fault
        if fault.kind == "lose":
            self._settle([delivery], "lost")
        elif fault.kind == "delay":
            self._tasks.spawn(self._send([delivery], after=fault.seconds))
        elif fault.kind == "duplicate":
            for _ in range(fault.copies + 1):
                self._tasks.spawn(self._send([delivery]))
        else:
            self._hold(delivery, armed)

    def _hold(self, delivery: Delivery, armed: Armed) -> None:
        delivery.state = "held"
        held = self._held.setdefault(armed.id, (armed, []))[1]
        held.append(delivery)
        if armed.left == 0:
            del self._held[armed.id]
            self._flush(armed, held)

    def _flush(self, armed: Armed, held: list[Delivery]) -> None:
        if armed.fault.kind == "batch":
            self._tasks.spawn(self._send(held))
        else:
            self._tasks.spawn(self._one_by_one(held[::-1]))

    async def _one_by_one(self, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            await self._send([delivery])

    async def _send(self, deliveries: list[Delivery], after: float = 0.0) -> None:
        if after:
            await asyncio.sleep(after)
        body = envelope([delivery.notice for delivery in deliveries])
        given_up = deliveries[0].at + self._retries.give_up_after
        wait = 0.0
        while not await self._attempt(deliveries, body):
            if self._clock() >= given_up:
                self._settle(deliveries, "given_up")
                return
            await asyncio.sleep(wait)
            wait = max(self._retries.first, min(wait * self._retries.factor, self._retries.longest))
        self._settle(deliveries, "answered")

    async def _attempt(self, deliveries: list[Delivery], body: bytes) -> bool:
        status = await self._post(body)
        for delivery in deliveries:
            delivery.attempts += 1
            delivery.last_status = status
        return status == 200

    async def _post(self, body: bytes) -> int | None:
        if self.url is None:
            return None
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": signature(self._app_secret, body),
        }
        patience = aiohttp.ClientTimeout(total=self._retries.answer_within)
        try:
            async with self._session.post(
                self.url, data=body, headers=headers, timeout=patience, allow_redirects=False
            ) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    def _settle(self, deliveries: list[Delivery], state: State) -> None:
        for delivery in deliveries:
            first = not delivery.settled.is_set()
            delivery.state = state
            delivery.settled.set()
            self.unsettled.pop(delivery.number, None)
            if first and state == "answered" and delivery.notice.answered:
                delivery.notice.answered()
