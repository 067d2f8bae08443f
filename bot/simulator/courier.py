"""Carries webhooks to the business: signed, repeated until answered 200, spoiled on demand."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import aiohttp

from bot.simulator.accounts import Accounts
from bot.simulator.faults import Armed, Faults, Occasion
from bot.simulator.settings import Retries
from bot.simulator.tasks import Tasks
from bot.simulator.webhooks import Notice, Shape, envelope, signature
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
    """Posts notices to `url`, which may be set later: until then they wait. `fields` are those that
    are subscribed to, None for all."""

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
        accounts: Accounts,
    ) -> None:
        self.url = url
        self.fields: frozenset[str] | None = None
        self.deliveries: deque[Delivery] = deque(maxlen=REMEMBERED)
        self.unsettled: dict[int, Delivery] = {}
        self._app_secret = app_secret
        self._session = session
        self._tasks = tasks
        self._faults = faults
        self._clock = clock
        self._retries = retries
        self._accounts = accounts
        self._posted = 0
        self._held: dict[int, tuple[Armed, list[Delivery]]] = {}

    def post(self, notice: Notice, *, lost: bool = False) -> Delivery:
        """Send a notice in the background, with what faults make of it; a lost one stays here."""
        self._posted += 1
        delivery = Delivery(self._posted, notice, self._clock())
        self.deliveries.append(delivery)
        self.unsettled[delivery.number] = delivery
        ignored = self.fields is not None and notice.field not in self.fields
        if lost or ignored or not self._accounts.listens(notice):
            self._settle([delivery], "lost")
            return delivery
        occasion = Occasion("webhook", notice.customer, notice.events)
        spoiled = self._faults.take(occasion, HOOK_FAULTS)
        if spoiled is None:
            self._tasks.spawn(self._send([delivery]))
        else:
            self._spoil(delivery, spoiled)
        return delivery

    def put_back(self, deliveries: Iterable[Delivery]) -> None:
        """Remember what was delivered before."""
        self.deliveries.extend(deliveries)
        self._posted = max((one.number for one in self.deliveries), default=0)

    def again(self, delivery: Delivery) -> None:
        """Post a notice once more, whatever became of it before."""
        self._tasks.spawn(self._send([delivery]))

    def release(self, only: Armed | None = None) -> None:
        """Send what was held back: all of it, or what one fault holds."""
        for armed, held in [*self._held.values()]:
            if only is None or armed is only:
                del self._held[armed.id]
                self._flush(armed, held)

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
            self._tasks.spawn(self._send(held, shape=armed.fault.shape))
        else:
            self._tasks.spawn(self._one_by_one(held[::-1]))

    async def _one_by_one(self, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            await self._send([delivery])

    async def _send(
        self, deliveries: list[Delivery], after: float = 0.0, shape: Shape = "entries"
    ) -> None:
        if after:
            await asyncio.sleep(after)
        body = envelope([delivery.notice for delivery in deliveries], shape)
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
        url = self._accounts.url_for(deliveries[0].notice, self.url)
        status = await self._post(url, body)
        for delivery in deliveries:
            delivery.attempts += 1
            delivery.last_status = status
        return status == 200

    async def _post(self, url: str | None, body: bytes) -> int | None:
        if url is None:
            return None
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": signature(self._app_secret, body),
        }
        patience = aiohttp.ClientTimeout(total=self._retries.answer_within)
        try:
            async with self._session.post(
                url, data=body, headers=headers, timeout=patience, allow_redirects=False
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
