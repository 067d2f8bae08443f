"""A Graph API, senders and status workers on it, and a database for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from redis.asyncio import Redis

from bot.sender import Sender
from bot.settings import Settings
from bot.simulator import Pace, Rules
from bot.statuses import Statuses
from bot.whatsapp.client import GraphClient
from storage.clock import ShiftedClock
from storage.outbox import Outgoing
from storage.pool import Pool
from tests.support.business import Business, running_business
from tests.support.graph import Graph, running_graph
from tests.support.outgoing import Writer, hear

LENIENT = Rules(adopt_strangers=True, number_rate=False, pair_rate=False)
PATIENCE = 5.0


@dataclass
class Process:
    """A sender as in a process of its own, which can be killed."""

    sender: Sender
    task: asyncio.Task[None]
    woken: list[Any] = field(default_factory=list)

    async def stop(self) -> None:
        """End it in good order."""
        await self.sender.stop()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(self.task, return_exceptions=True)

    async def kill(self) -> None:
        """End it at once: nothing is finished, nothing is told."""
        self.sender.wake = lambda: None  # type: ignore[method-assign]
        doomed = [self.task, *self.sender.tasks]
        for task in doomed:
            task.cancel()
        await asyncio.gather(*doomed, return_exceptions=True)


@dataclass
class Bench:
    """Everything that sending takes."""

    graph: Graph
    business: Business
    writer: Writer
    pool: Pool
    redis: Redis
    clock: ShiftedClock
    settings: Settings
    stack: AsyncExitStack
    heard: int = 0

    async def process(self) -> Process:
        """A sender at work."""
        client = await self.stack.enter_async_context(GraphClient.open(self.settings))
        woken: list[Any] = []
        sender = Sender(
            self.pool,
            self.redis,
            client,
            clock=self.clock,
            settings=self.settings,
            wake=woken.extend,
        )
        process = Process(sender, asyncio.create_task(sender.run()), woken)
        self.stack.push_async_callback(process.stop)
        return process

    async def sender(self) -> Sender:
        """A sender at work."""
        return (await self.process()).sender

    def statuses(self, sender: Sender | None = None) -> Statuses:
        """A status worker, to be driven by `drain`."""
        return Statuses(
            self.pool,
            clock=self.clock,
            freed=sender.nudge if sender else None,
            held=sender.hold if sender else None,
        )

    @property
    def texts(self) -> list[str]:
        """The texts that were accepted, in order."""
        return [sent.body["text"]["body"] for sent in self.graph.sent]

    async def take_in(self, company_id: int, *, at_least: int = 1) -> None:
        """Take what webhooks have come since into the inbox."""
        bodies = self.business.bodies
        await until(lambda: len(bodies) >= self.heard + at_least, "webhooks")
        while self.heard < len(bodies):
            await hear(self.pool, company_id, bodies[self.heard], now=self.clock())
            self.heard += 1

    async def status(self, row: Outgoing, status: str) -> dict[str, Any]:
        """Wait until the outbox row stands so; the row."""
        return await self.when(row, status=status)

    async def when(self, row: Outgoing, **wanted: Any) -> dict[str, Any]:
        """Wait until the outbox row has these values; the row."""
        found = await self.writer.row(row)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while {key: found[key] for key in wanted} != wanted:
                    await asyncio.sleep(0.005)
                    found = await self.writer.row(row)
        assert {key: found[key] for key in wanted} == wanted, found
        return found


async def until(true: Callable[[], bool], what: str = "it", *, seconds: float = PATIENCE) -> None:
    """Wait until something is so."""
    try:
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"{what} did not happen within {seconds} s") from None


@asynccontextmanager
async def running_bench(
    pool: Pool, redis: Redis, *, rules: Rules = LENIENT, in_doubt_seconds: float = 30.0
) -> AsyncIterator[Bench]:
    """A Graph API that takes messages to anybody, and what is needed to send some."""
    clock = ShiftedClock()
    async with (
        running_business() as business,
        running_graph(business.url, clock=clock, rules=rules, pace=Pace.instant()) as graph,
        AsyncExitStack() as stack,
    ):
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            whatsapp_api_url=graph.simulator.base_url,
            whatsapp_access_token=SecretStr("token"),
            in_doubt_seconds=in_doubt_seconds,
        )
        writer = Writer(pool, clock())
        yield Bench(graph, business, writer, pool, redis, clock, settings, stack)
