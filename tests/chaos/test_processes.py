"""Whole processes in trouble of their own: told to stop, starved, killed in mid-word."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.processes import listening
from bot.whatsapp.signature import HEADER
from tests.chaos.conftest import World
from tests.chaos.harness import (
    Bot,
    assert_nothing_lost_or_doubled,
    crowd,
    everybody_is_booked,
    free_port,
    rows,
    under_way,
)
from tests.support.graph import Graph
from tests.support.proxy import proxied
from tests.support.sending import until

pytestmark = pytest.mark.timeout(180)

DRAINS_WITHIN_S = 10.0
STATUSES = "SELECT FROM inbox WHERE kind = 'status' AND status = 'done'"

TROUBLES: Sequence[tuple[str, dict[str, Any]]] = [
    ("accept_then_drop", {}),
    ("error", {"code": 131000}),
    ("error", {"code": 130429}),
    ("slow", {"seconds": 1.5}),
    ("duplicate", {"event": "status", "copies": 2}),
    ("reorder", {"event": "status", "times": 2}),
    ("duplicate", {"event": "message"}),
    ("delay", {"event": "sent", "seconds": 1.0}),
]


@pytest.mark.fault(26)
async def test_a_bot_that_is_told_to_stop_finishes_what_it_has_begun(
    world: World, tmp_path: Path
) -> None:
    """SIGTERM in the middle of a crowd: all it began is done within ten seconds (26)."""
    world.graph.fail("slow", times=0, seconds=0.3)
    async with world.serving(tmp_path) as bot:
        tasks = crowd(world.graph, 40)
        await under_way(tasks, world.database_url, 80)
        begun = time.monotonic()
        assert await bot.stop() == 0
        took = time.monotonic() - begun
        assert took < DRAINS_WITHIN_S
        left = await rows(world.database_url, "SELECT DISTINCT status FROM outbox")
        assert {row["status"] for row in left} <= {"sent", "pending"}, "a send without an outcome"
        idle = await rows(
            world.database_url,
            "SELECT state FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'usual' AND pid <> pg_backend_pid()",
        )
        assert idle == []
        sent = len(world.graph.sent)
        await asyncio.sleep(0.5)
        assert len(world.graph.sent) == sent
        world.graph.clear_faults()
        await bot.start()
        await everybody_is_booked(tasks, world.database_url)
        await assert_nothing_lost_or_doubled(world.graph, world.database_url)
    print(f"stopped within {took:.1f} s")  # noqa: T201


@pytest.mark.fault(23)
async def test_a_receiver_is_killed_between_its_commit_and_its_answer(
    world: World, tmp_path: Path
) -> None:
    """The message is in the inbox, Meta has no 200 and posts it again: it is heard once (23)."""
    async with (
        proxied(world.database_url) as (far_url, to_database),
        world.serving(tmp_path, DATABASE_URL=far_url) as bot,
    ):
        ana = world.graph.customer("Ana")
        await ana.say("hi")
        await ana.reply()
        # Its statuses would be the next to be put into the inbox: "sent" and "delivered".
        while len(await rows(world.database_url, STATUSES)) < 2:
            await asyncio.sleep(0.05)
        killed: list[str] = []

        def kill() -> None:
            killed.append(bot.said)
            os.kill(bot.pid, signal.SIGKILL)

        to_database.on_swallowed, to_database.swallow_after = kill, b"inbox.put"
        await ana.say("women's cut", wait=False)
        await until(lambda: bool(killed), "the kill")
        to_database.mend()
        kept = await rows(world.database_url, "SELECT status FROM inbox WHERE status = 'pending'")
        assert len(kept) == 1
        await bot.kill()
        await bot.start()
        await ana.reply(seconds=20)
        await ana.quiet(seconds=1.5)
        await assert_nothing_lost_or_doubled(world.graph, world.database_url)


@asynccontextmanager
async def told_all(ports: Sequence[int], chance: random.Random) -> AsyncIterator[str]:
    """An address that passes each webhook on to all of these ports at once, in any order.

    Meta hears 200 when one of them has said so.
    """
    async with aiohttp.ClientSession() as session:

        async def post(port: int, body: bytes, headers: dict[str, str]) -> int:
            await asyncio.sleep(chance.uniform(0, 0.05))
            url = f"http://127.0.0.1:{port}/webhook"
            try:
                async with session.post(url, data=body, headers=headers) as answer:
                    return answer.status
            except aiohttp.ClientError:
                return 503

        async def pass_on(request: web.Request) -> web.Response:
            body = await request.read()
            headers = {HEADER: request.headers[HEADER]}
            said = await asyncio.gather(*(post(port, body, headers) for port in ports))
            return web.Response(status=min(said))

        application = web.Application()
        application.router.add_post("/webhook", pass_on)
        async with listening(application, "127.0.0.1", 0) as port:
            yield f"http://127.0.0.1:{port}/webhook"


@pytest.mark.fault(22, 26)
async def test_every_webhook_comes_to_three_bots_of_which_two_are_replaced(
    world: World, tmp_path: Path
) -> None:
    """Three copies of each, a burst of one customer, and a deploy that rolls (22, 26)."""
    seed = random.randrange(10_000)  # noqa: S311
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    worlds = [replace(world, port=free_port()) for _ in range(3)]
    ports = [one.port for one in worlds]
    async with (
        worlds[0].serving(tmp_path) as first,
        worlds[1].serving(tmp_path) as second,
        worlds[2].serving(tmp_path),
        told_all(ports, random.Random(seed)) as url,  # noqa: S311
    ):
        world.graph.simulator.webhook_url = url
        tasks = crowd(world.graph, 20)
        ana = world.graph.customer("Ana")
        for _ in range(40):  # what Meta lets us answer at once
            await ana.say("hi", wait=False)
        for replaced in (first, second):
            assert await replaced.stop() == 0
            await replaced.start()
        await everybody_is_booked(tasks, world.database_url)
        await assert_nothing_lost_or_doubled(world.graph, world.database_url)
        assert len(ana.bubbles) == 40


async def trouble(graph: Graph, chance: random.Random) -> None:
    """Order one trouble after another at the Graph API, of every kind there is.

    Seldom enough that no message meets so many of them that it is given up.
    """
    while True:
        if not graph.simulator.faults.list():
            kind, more = chance.choice(TROUBLES)
            graph.fail(kind, **more)
        await asyncio.sleep(chance.uniform(0.3, 0.6))


@pytest.mark.long
@pytest.mark.fault(24)
async def test_a_graph_api_that_has_every_kind_of_trouble(world: World, tmp_path: Path) -> None:
    """Accepted and cut off, refused, slow, too busy, statuses twice and in any order (24)."""
    seed = random.randrange(10_000)  # noqa: S311
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    async with world.serving(tmp_path, IN_DOUBT_SECONDS="6"):
        for n, kind in enumerate(("drop", "http")):  # nobody can tell that it was not taken
            world.graph.fail(kind, customer=f"1555100{n:04}")
        world.graph.fail("error", code=131056, customer="15551000002")  # from here on they wait
        troubled = asyncio.create_task(trouble(world.graph, random.Random(seed)))  # noqa: S311
        tasks = crowd(world.graph, 25)
        await asyncio.wait(tasks, timeout=20)
        troubled.cancel()
        world.graph.clear_faults()
        await everybody_is_booked(tasks, world.database_url)
        await assert_nothing_lost_or_doubled(world.graph, world.database_url)


def starve(bot: Bot, what: str) -> None:
    """Leave a process no more than it has."""
    kind = {"descriptors": resource.RLIMIT_NOFILE, "memory": resource.RLIMIT_AS}[what]
    place = Path(f"/proc/{bot.pid}")
    if what == "descriptors":
        has = len(list((place / "fd").iterdir()))
    else:
        has = int((place / "statm").read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.prlimit(bot.pid, kind)
    resource.prlimit(bot.pid, kind, (has, hard))


def feed(bot: Bot) -> None:
    """Let it have whatever there is again."""
    for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS):
        _, hard = resource.prlimit(bot.pid, kind)
        resource.prlimit(bot.pid, kind, (hard, hard))


@pytest.mark.fault("descriptors", "memory")
@pytest.mark.parametrize("what", ["descriptors", pytest.param("memory", marks=pytest.mark.long)])
async def test_a_bot_that_has_nothing_left(world: World, tmp_path: Path, what: str) -> None:
    """No file can be opened, or no memory had, just when every connection breaks."""
    if not Path("/proc/self/statm").exists():
        pytest.skip("the limits of another process can only be set on Linux")
    async with world.hand() as hand, world.serving(tmp_path) as bot:
        tasks = crowd(world.graph, 30)
        await under_way(tasks, world.database_url, 30)
        starve(bot, what)
        await hand.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await asyncio.sleep(4)
        if bot.ended and what == "memory":
            await bot.start()  # as whoever runs it does
        feed(bot)
        assert not bot.ended
        await everybody_is_booked(tasks, world.database_url)
        await assert_nothing_lost_or_doubled(world.graph, world.database_url)
