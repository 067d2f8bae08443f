"""Everything at once and at any moment: `SOAK_SECONDS` says how long, `SOAK_SEED` which moments.

Processes are killed and frozen, servers too, the Graph API fails and webhooks come in any order,
while customers book, tap twice, look again and cancel. What fails is told with its seed and the
troubles so far.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from storage.clock import system_clock
from storage.errors import StorageError
from tests.chaos.conftest import World
from tests.chaos.harness import Bot, assert_nothing_lost_or_doubled, book, rows
from tests.support import agreement
from tests.support.graph import Graph, Phone

SECONDS = float(os.environ.get("SOAK_SECONDS", "90"))
SEED = int(os.environ.get("SOAK_SEED", "0")) or random.randrange(1, 100_000)  # noqa: S311
AT_ONCE = 12
PATIENCE = 90.0
SURNAME = "Quillworth"
LEFT = """
SELECT
    'inbox ' || kind AS what, status, attempts, not_before - now() AS soon,
    last_error AS error, conversation_id
FROM inbox WHERE status = 'pending'
UNION ALL
SELECT
    'outbox', status, attempts, coalesce(lease_until, not_before) - now(),
    error_code::text, conversation_id
FROM outbox WHERE settled_at IS NULL
"""
# What Meta answers when something passes, or leaves in doubt: nothing that it means for good.
SENDS: tuple[dict[str, Any], ...] = (
    {"kind": "http", "status": 500},
    {"kind": "http", "status": 503, "retry_after": 1},
    {"kind": "error", "code": 131000},
    {"kind": "error", "code": 131016},
    {"kind": "error", "code": 130429},
    {"kind": "error", "code": 131056},
    {"kind": "drop"},
    {"kind": "accept_then_drop"},
    {"kind": "slow", "seconds": 2.0},
    {"kind": "slow", "seconds": 12.0},
)
HOOKS: tuple[dict[str, Any], ...] = (
    {"kind": "duplicate", "copies": 3},
    {"kind": "delay", "seconds": 1.5},
    {"kind": "reorder", "times": 3},
    {"kind": "batch", "times": 4, "shape": "entries"},
    {"kind": "batch", "times": 4, "shape": "changes"},
    {"kind": "batch", "times": 4, "shape": "items"},
)


class Troublemaker:
    """Does harm at random, one thing after the other, and mends what it broke."""

    def __init__(self, world: World, bots: list[Bot], chance: random.Random) -> None:
        self._world, self._bots, self._chance = world, bots, chance
        self.done: list[str] = []

    async def run(self) -> None:
        """Go on until cancelled; never in the middle of something."""
        deeds: list[Callable[[], Coroutine[Any, Any, str]]] = [
            *(self._kill, self._freeze, self._restart, self._postgres, self._backends),
            *(self._flush, self._redis, self._send, self._send, self._send, self._hook, self._hook),
        ]
        while True:
            await asyncio.sleep(self._chance.uniform(0.2, 2.5))
            deed = asyncio.create_task(self._chance.choice(deeds)())
            try:
                self.done.append(await asyncio.shield(deed))
            except asyncio.CancelledError:
                self.done.append(await deed)
                raise

    async def _kill(self) -> str:
        bot = self._chance.choice(self._bots)
        await bot.kill()
        await asyncio.sleep(self._chance.uniform(0, 3))
        await bot.start()
        return "kill -9"

    async def _restart(self) -> str:
        bot = self._chance.choice(self._bots)
        await bot.stop()
        await bot.start()
        return "restart"

    async def _freeze(self) -> str:
        bot = self._chance.choice(self._bots)
        bot.freeze()
        await asyncio.sleep(self._chance.uniform(0.5, 8))
        bot.thaw()
        return "freeze"

    async def _postgres(self) -> str:
        how = self._chance.choice([signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])
        text = await self._ask("SELECT pg_read_file('postmaster.pid') AS found")
        if text:
            os.kill(int(text[0]["found"].split()[0]), how)
            await asyncio.sleep(2)
        return f"PostgreSQL: {how.name}"

    async def _backends(self) -> str:
        share = self._chance.uniform(0.2, 1.0)
        await self._ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
            "'usual' AND pid <> pg_backend_pid() AND random() < $1",
            share,
        )
        return f"{share:.0%} of the connections cut"

    async def _ask(self, query: str, *values: Any) -> Any:
        try:
            return await rows(self._world.database_url, query, *values)
        except (OSError, StorageError):
            return []  # it is down already

    async def _flush(self) -> str:
        async with Redis.from_url(self._world.redis_url) as redis:
            try:
                await redis.flushall()
            except RedisError:
                return "Redis is down already"
        return "FLUSHALL"

    async def _redis(self) -> str:
        async with Redis.from_url(self._world.redis_url) as redis:
            try:
                pid = int((await redis.info("server"))["process_id"])
            except RedisError:
                return "Redis is down already"
        if self._chance.random() < 0.5:
            os.kill(pid, signal.SIGKILL)
            return "Redis: SIGKILL"
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(self._chance.uniform(0.5, 5))
        os.kill(pid, signal.SIGCONT)
        return "Redis: SIGSTOP"

    async def _send(self) -> str:
        fault = {"times": self._chance.randint(1, 6), **self._chance.choice(SENDS)}
        self._world.graph.fail(**fault)
        return str(fault)

    async def _hook(self) -> str:
        fault = {"times": self._chance.randint(1, 10), **self._chance.choice(HOOKS)}
        self._world.graph.fail(**fault)
        return str(fault)


async def customer(graph: Graph, number: int, chance: random.Random) -> Phone:
    """Book, and perhaps do more: whoever asks is answered, however long it takes."""
    hidden = chance.random() < 0.2
    phone = graph.customer(
        f"Zerafina {SURNAME} {number}",
        phone=f"1555{number:07}",
        hides_phone=hidden,
        username=f"zera{number}" if hidden else None,
    )
    pause = chance.uniform(0, 0.6)
    await book(phone, patience=PATIENCE, pause=pause)
    for _ in range(chance.randint(0, 3)):
        await asyncio.sleep(pause)
        deed = chance.choice(["twice", "look", "cancel", "chat"])
        if deed == "twice":
            held = next(one for one in reversed(phone.bubbles) if "Book it" in one.buttons)
            await asyncio.gather(*(phone.tap("Book it", on=held, wait=False) for _ in range(2)))
        elif deed == "look":
            await phone.say("my visits", wait=False)
        elif deed == "cancel":
            await phone.say("cancel my visit", wait=False)
            await phone.reply(seconds=PATIENCE)
            if "Yes, cancel it" in phone.last.buttons:
                await phone.tap("Yes, cancel it", wait=False)
            else:
                await phone.say("menu", wait=False)
        else:
            said = chance.choice(["hi", "what does a haircut cost?", "?", "thanks"])
            await phone.say(said, wait=False)
        await phone.reply(seconds=PATIENCE)
    return phone


async def crowds(graph: Graph, chance: random.Random, over: asyncio.Event) -> list[Phone]:
    """Let new customers come until it is over; all of them, when the last one is content."""
    phones: list[Phone] = []

    async def one_after_another(place: int) -> None:
        for n in range(1_000):
            if over.is_set():
                return
            own = random.Random(chance.random())  # noqa: S311
            phones.append(await customer(graph, place * 1_000 + n, own))

    await asyncio.gather(*(one_after_another(place) for place in range(AT_ONCE)))
    return phones


@asynccontextmanager
async def two_processes(world: World, folder: Path) -> AsyncIterator[list[Bot]]:
    """One that receives and works, and one that only works."""
    patient = {"IN_DOUBT_SECONDS": "20"}  # a status may be kept back as long as its reader is
    async with (
        world.serving(folder, **patient) as serving,
        world.working(folder, **patient) as working,
    ):
        yield [serving, working]


@pytest.mark.long
@pytest.mark.timeout(SECONDS + 300)
async def test_whatever_goes_wrong_whenever_everything_holds(
    own_world: World, tmp_path: Path
) -> None:
    print(f"seed {SEED}")  # noqa: T201 - shown when the test fails
    chance, graph, over = random.Random(SEED), own_world.graph, asyncio.Event()  # noqa: S311
    async with two_processes(own_world, tmp_path) as bots:
        maker = Troublemaker(own_world, bots, chance)
        coming = asyncio.create_task(crowds(graph, chance, over))
        trouble = asyncio.create_task(maker.run())
        await asyncio.wait([coming, trouble], timeout=SECONDS, return_when="FIRST_COMPLETED")
        over.set()
        trouble.cancel()
        await asyncio.wait([trouble])
        print("\n".join(maker.done))  # noqa: T201
        graph.clear_faults()
        try:
            phones = await coming
        except AssertionError as failure:
            failure.add_note(await _left(own_world.database_url))
            raise
        print(f"{len(phones)} customers, {len(maker.done)} troubles")  # noqa: T201
        await assert_nothing_lost_or_doubled(graph, own_world.database_url)
        await _agree(own_world, phones)
        _nothing_personal(bots, phones)
        assert await rows(own_world.database_url, "SELECT body FROM strays") == []


async def _left(database_url: str) -> str:
    """What is still to be done, and why not now."""
    found = await rows(database_url, LEFT)
    return "\n".join(str(dict(row)) for row in found[:40])


async def _agree(world: World, phones: list[Phone]) -> None:
    known = {
        row["bsuid"] or row["phone"]: row["id"]
        for row in await rows(world.database_url, "SELECT id, phone, bsuid FROM customers")
    }
    async with world.hand() as conn:
        for phone in phones:
            who = known.get(phone.user_id) or known[phone.number]
            told = world.graph.simulator.world
            await agreement.check(conn, told, phone, who, now=system_clock())


def _nothing_personal(bots: list[Bot], phones: list[Phone]) -> None:
    private = re.compile("|".join([SURNAME, "haircut", *(one.number for one in phones)]))
    for bot in bots:
        assert not private.search(bot.said)
        assert '"event":"event.parked"' not in bot.said
