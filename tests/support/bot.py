"""The whole bot in the test's process: real servers, and a clock that moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from bot import app
from bot.demo import approved_templates
from bot.processes import listening
from bot.runtime import Runtime, running
from bot.simulator import Rules
from bot.tracing import Tracer
from bot.turns import LatestTurns
from storage import seeds
from storage.clock import ShiftedClock
from storage.pool import connect
from tests.support.graph import Graph, running_graph
from tests.support.settings import settings_for


@dataclass(frozen=True)
class Scene:
    """A running bot with its customers."""

    graph: Graph
    runtime: Runtime
    clock: ShiftedClock
    url: str
    turns: LatestTurns

    def pass_time(self, by: timedelta) -> None:
        """Let time go by."""
        self.clock.advance(by)


@asynccontextmanager
async def running_scene(
    database_url: str, redis_url: str, *, workers: bool = True, rules: Rules | None = None
) -> AsyncIterator[Scene]:
    """Seed the demo companies, start the bot on a free port and point the Graph API at it."""
    clock = ShiftedClock()
    conn = await connect(database_url)
    try:
        await seeds.demo(conn, now=clock())
    finally:
        await conn.close()
    async with (
        running_graph(
            clock=clock,
            advance=lambda by: _move(clock, by),
            rules=rules,
            templates=approved_templates(),
        ) as graph,
        _running(graph, clock, database_url, redis_url, workers=workers) as scene,
    ):
        graph.simulator.webhook_url = f"{scene.url}/webhook"
        yield scene


@asynccontextmanager
async def another_process(
    scene: Scene, database_url: str, redis_url: str, *, workers: bool = True
) -> AsyncIterator[Scene]:
    """Start a second bot for the same customers; webhooks still go to the first."""
    async with _running(
        scene.graph, scene.clock, database_url, redis_url, workers=workers
    ) as other:
        yield other


@asynccontextmanager
async def _running(
    graph: Graph, clock: ShiftedClock, database_url: str, redis_url: str, *, workers: bool
) -> AsyncIterator[Scene]:
    settings = settings_for(graph, database_url, redis_url, in_doubt_seconds=1.0)
    turns = LatestTurns()
    async with (
        running(settings, clock=clock, receiver=True, workers=workers, watcher=turns) as runtime,
        listening(app.build_app(settings, runtime), "127.0.0.1", 0) as port,
    ):
        graph.simulator.trace = Tracer(runtime.pool, turns, clock)
        yield Scene(graph, runtime, clock, f"http://127.0.0.1:{port}", turns)


def _move(clock: ShiftedClock, by: timedelta) -> None:
    clock.advance(by)
