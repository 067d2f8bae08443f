"""What a turn costs by kind: statements sent to PostgreSQL, and milliseconds, one at a time.

Everything is real and in this process: webhook, inbox, engine, sender and a simulated Graph API.
Receiving, taking turns and sending have pools of their own, so that their statements are counted
apart. Turns are taken here and not by a worker: then nothing else runs meanwhile.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any, Final

from aiohttp import web

from bot import webhook
from bot.engine import Engine
from bot.intake import Intake
from bot.processes import listening
from bot.sender import Sender
from bot.simulator import Number, Rules
from bot.whatsapp.client import GraphClient
from storage import migrate, seeds
from storage.catalog import CatalogCache
from storage.clock import system_clock
from storage.companies import Directory
from storage.embedded import Servers
from storage.inbox import Received
from storage.pool import Pool, RoundTrips, connect, open_pool
from storage.redis import open_redis
from tests.support.database import create
from tests.support.graph import Graph, Phone, running_graph
from tests.support.settings import settings_for

DATABASE: Final = "turns"
BENCH: Final = Number("100000000000003", "Bench", "+1 212 555 0130")
ELSEWHERE: Final = re.compile(
    r"More|Later|Different|Call|Talk|Waitlist|\bday\b|today", re.IGNORECASE
)


@dataclass
class Scene:
    """A bot whose turns are taken by hand."""

    graph: Graph
    engine: Engine
    waiting: asyncio.Queue[tuple[int, int]]
    turn_trips: RoundTrips
    receive_trips: RoundTrips
    send_trips: RoundTrips


@dataclass
class Costs:
    """What the turns of one kind have cost."""

    milliseconds: list[float] = field(default_factory=list)
    turn: list[int] = field(default_factory=list)
    receive: list[int] = field(default_factory=list)
    send: list[int] = field(default_factory=list)
    statements: Sequence[str] = ()

    def summary(self, kind: str) -> dict[str, Any]:
        """Medians; the statements are those of the last turn."""
        spread = quantiles(self.milliseconds, n=20) if len(self.milliseconds) > 1 else [0.0] * 19
        return {
            "kind": kind,
            "count": len(self.milliseconds),
            "round_trips": int(median(self.turn)),
            "round_trips_to_receive": int(median(self.receive)),
            "round_trips_to_send": int(median(self.send)),
            "p50_ms": round(median(self.milliseconds), 3),
            "p95_ms": round(spread[-1], 3),
            "statements": list(self.statements),
        }


async def measure(servers: Servers, *, quick: bool) -> list[dict[str, Any]]:
    """Take some customers through a booking, their visits, a move and a cancellation."""
    customers = 10 if quick else 100
    costs: dict[str, Costs] = defaultdict(Costs)
    async with _scene(servers) as scene:
        for number in range(customers + 1):
            # The first customer pays for caches and prepared statements.
            await _Journey(scene, costs if number else defaultdict(Costs)).go()
    return [found.summary(kind) for kind, found in costs.items()]


class _Journey:
    """One customer from the first word to a cancelled visit."""

    def __init__(self, scene: Scene, costs: dict[str, Costs]) -> None:
        self._scene, self._costs = scene, costs
        self._phone: Phone = scene.graph.customer("Ana")

    async def go(self) -> None:
        phone = self._phone
        await self._turn("greeting", text="hi")
        await self._turn("service", tap=phone.last.buttons[0])
        await self._turn("staff", tap=self._row())
        await self._turn("day", tap=self._row())
        await self._turn("times", tap=self._row())
        await self._turn("hold a time", tap=self._row())
        await self._turn("book", tap=phone.last.buttons[0])
        booked = phone.last
        await self._turn("my visits", text="my visits")
        await self._turn("ask to cancel", tap=booked.buttons[-1])
        if phone.last.buttons:
            await self._turn("cancel", tap=phone.last.buttons[0])

    def _row(self) -> str:
        rows = [row for row in self._phone.last.rows if not ELSEWHERE.search(row)]
        return rows[int(self._phone.number) % len(rows)]

    async def _turn(self, kind: str, *, text: str = "", tap: str = "") -> None:
        scene = self._scene
        for trips in (scene.turn_trips, scene.receive_trips, scene.send_trips):
            await trips.taken()
        await (self._phone.say(text) if text else self._phone.tap(tap))
        key = await asyncio.wait_for(scene.waiting.get(), 5)
        begun = time.perf_counter()
        taken = await scene.engine.take_turn(*key)
        spent = (time.perf_counter() - begun) * 1000
        if not taken.turn:
            raise RuntimeError(f"no turn was taken for {kind!r}")
        statements = await scene.turn_trips.taken()
        await self._phone.reply()
        await asyncio.sleep(0.02)  # for the sender to write down that it was sent
        costs = self._costs[kind]
        costs.milliseconds.append(spent)
        costs.turn.append(len(statements))
        costs.receive.append(len(await scene.receive_trips.taken()))
        costs.send.append(len(await scene.send_trips.taken()))
        costs.statements = [_short(statement) for statement in statements]


def _short(statement: str) -> str:
    """A statement by its name, where it has one."""
    named = re.match(r"/\* (\S+) \*/", statement)
    return named[1] if named else statement[:60]


@asynccontextmanager
async def _scene(servers: Servers) -> AsyncIterator[Scene]:
    database_url = await create(servers.database_url, DATABASE)
    await migrate.up(database_url)
    await _seed(database_url)
    waiting: asyncio.Queue[tuple[int, int]] = asyncio.Queue()

    def received(events: Sequence[Received]) -> None:
        for event in events:
            if event.kind == "message" and event.conversation_id is not None:
                waiting.put_nowait((event.company_id, event.conversation_id))

    async with AsyncExitStack() as stack:
        graph = await stack.enter_async_context(
            running_graph(numbers=[BENCH], rules=Rules(number_rate=False))
        )
        settings = settings_for(graph, database_url, servers.redis_url)
        turn_pool, turn_trips = await _counted(stack, database_url)
        receive_pool, receive_trips = await _counted(stack, database_url)
        send_pool, send_trips = await _counted(stack, database_url)
        redis = open_redis(servers.redis_url)
        stack.push_async_callback(redis.aclose)
        client = await stack.enter_async_context(GraphClient.open(settings))
        sender = Sender(send_pool, redis, client, clock=system_clock, settings=settings)
        await _background(stack, sender)
        intake = Intake(receive_pool, Directory(), clock=system_clock, on_received=received)
        app = web.Application()
        webhook.add_routes(app, settings, intake)
        port = await stack.enter_async_context(listening(app, "127.0.0.1", 0))
        graph.simulator.webhook_url = f"http://127.0.0.1:{port}/webhook"
        engine = Engine(turn_pool, CatalogCache(), sender, system_clock)
        yield Scene(graph, engine, waiting, turn_trips, receive_trips, send_trips)


async def _seed(database_url: str) -> None:
    conn = await connect(database_url)
    try:
        await seeds.load(
            conn,
            now=system_clock(),
            companies=0,
            bookings=0,
            messages=0,
            conversations=0,
            progress=lambda what, done, total: None,
        )
    finally:
        await conn.close()


async def _counted(stack: AsyncExitStack, database_url: str) -> tuple[Pool, RoundTrips]:
    trips = RoundTrips()
    pool = await open_pool(database_url, size=4, on_statement=trips)
    stack.push_async_callback(pool.close)
    return pool, trips


async def _background(stack: AsyncExitStack, sender: Sender) -> None:
    task = asyncio.create_task(sender.run())

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)
