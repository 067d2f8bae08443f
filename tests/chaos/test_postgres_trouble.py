"""A PostgreSQL that is there and does not do as it is asked: full, broken, locked, in conflict."""

from __future__ import annotations

import asyncio
import random
import shutil
import string
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from bot.simulator import Rules
from storage import migrate
from storage.pool import connect, own_transaction
from tests.chaos.conftest import World, seed
from tests.chaos.gates import HOLD_ROW, WAITS_FOR_US, about_to_book, found
from tests.chaos.harness import (
    all_heard,
    assert_nothing_lost_or_doubled,
    crowd,
    everybody_is_booked,
    free_port,
    people,
    rows,
    under_way,
)
from tests.support.bot import running_scene
from tests.support.embedded_servers import children
from tests.support.graph import running_graph
from tests.support.small_disk import impossible, small_disk
from tests.support.timing import times

pytestmark = pytest.mark.timeout(180)

DISTURB = """
CREATE SEQUENCE statements;
CREATE FUNCTION disturb() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    n bigint := nextval('statements');
BEGIN
    IF n % 20 = 0 THEN
        RAISE EXCEPTION 'disturbed'
            USING ERRCODE = CASE WHEN n % 40 = 0 THEN '40001' ELSE '40P01' END;
    END IF;
    RETURN NULL;
END
$$;
"""
"""Every twentieth statement that writes fails as if others had been in its way."""
WRITTEN = ("bookings", "dialog_contexts", "inbox", "messages", "outbox", "slot_claims", "timers")


# --- conflicts (20) ---


@pytest.mark.fault(20)
async def test_every_twentieth_statement_is_in_conflict(own_world: World, tmp_path: Path) -> None:
    """Serialization failures and deadlocks: the transaction again, and no part of it twice."""
    async with own_world.serving(tmp_path) as bot:
        async with own_world.hand() as hand:
            await hand.execute(DISTURB)
            for table in WRITTEN:
                await hand.execute(
                    f"CREATE TRIGGER disturb BEFORE INSERT OR UPDATE OR DELETE ON {table}"
                    " EXECUTE FUNCTION disturb()"
                )
        await everybody_is_booked(crowd(own_world.graph, 30), own_world.database_url)
        await assert_nothing_lost_or_doubled(own_world.graph, own_world.database_url)
        (counted,) = await rows(own_world.database_url, "SELECT last_value AS n FROM statements")
        assert counted["n"] > 200
        assert '"turn.failed"' not in bot.said


@pytest.mark.fault(20)
async def test_two_transactions_cross(database_url: str, redis_url: str) -> None:
    """A turn waits for somebody who waits for the turn; one of them is told, and tries again."""
    async with running_scene(database_url, redis_url) as scene:
        hand = await connect(database_url)
        ana = scene.graph.customer("Ana")
        await about_to_book(ana)
        with suppress(asyncpg.DeadlockDetectedError):
            async with own_transaction(hand):
                await hand.execute(HOLD_ROW, ana.number)
                await ana.tap("Book it", wait=False)
                await found(hand, WAITS_FOR_US)
                await hand.execute("LOCK TABLE bookings, slot_claims IN EXCLUSIVE MODE")
        assert (await ana.reply(seconds=20)).text.startswith("Booked")
        deadlocks = (
            "SELECT nullif(deadlocks, 0) FROM pg_stat_database WHERE datname = current_database()"
        )
        assert await found(hand, deadlocks)
        await assert_nothing_lost_or_doubled(scene.graph, database_url)
        await hand.close()


# --- locks (19) ---


@pytest.mark.fault(19)
@pytest.mark.parametrize(
    ("seconds", "count"), [(5, 600), pytest.param(20, 20_000, marks=pytest.mark.long)]
)
async def test_a_table_is_locked_and_an_old_snapshot_kept(
    world: World, tmp_path: Path, seconds: int, count: int
) -> None:
    """A migration takes its time and somebody has left a report open: all is taken in, and later
    caught up with."""
    async with (
        world.pool() as pool,
        world.hand() as hand,
        world.hand() as reader,
        world.serving(tmp_path) as bot,
    ):
        await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM companies")
        kept = await times(pool)
        tasks = crowd(world.graph, 20)
        await under_way(tasks, world.database_url, 20)
        await kept.arm_many(count, first_s=0.5, last_s=1.0)
        await people(kept, 64)
        async with own_transaction(hand):
            await hand.execute("LOCK TABLE timers IN ACCESS EXCLUSIVE MODE")
            over = time.monotonic() + seconds
            newcomers = 0
            while time.monotonic() < over:
                # To say it takes a 200 within five seconds.
                newcomers += 1
                await world.graph.customer(phone=f"1555200{newcomers:04}").say("hi")
                await asyncio.sleep(0.2)
        freed = time.monotonic()
        await all_heard(kept, world.database_url)
        rate = count / (time.monotonic() - freed)
        await everybody_is_booked(tasks, world.database_url)
        assert not bot.ended
        await assert_nothing_lost_or_doubled(world.graph, world.database_url)
        await reader.execute("ROLLBACK")
    print(f"{newcomers} taken in while locked; caught up at {rate:.0f}/s")  # noqa: T201


# --- disks (17, 18) ---


def at_length(seed: int) -> str:
    """As much as fits into a message, and nothing that could be compressed."""
    letters = random.Random(seed).choices(string.ascii_letters, k=4_000)  # noqa: S311
    return "".join(letters)


@pytest.mark.long
@pytest.mark.fault(17)
async def test_a_full_disk(tmp_path: Path, own_folder: Path, redis_url: str) -> None:
    """Meta is asked to come again, and when there is room, everything goes on where it was (17)."""
    if reason := impossible():
        pytest.skip(f"this system lets nobody have a small disk: {reason}")
    own_folder.mkdir()
    async with (
        small_disk(own_folder, megabytes=200) as disk,
        running_graph(rules=Rules(number_rate=False)) as graph,
    ):
        await migrate.up(disk.database_url)
        await seed(disk.database_url)
        world = World(graph, disk.database_url, redis_url, free_port())
        async with world.serving(tmp_path):
            tasks = crowd(graph, 40)
            await under_way(tasks, world.database_url, 60)
            await disk.fill()
            tasks += crowd(graph, 40, prefix="1555101")
            for n in range(2_000):  # there is room in the files themselves, for a while
                if any(one.last_status == 503 for one in graph.deliveries):
                    break
                await graph.customer(phone=f"1555200{n:04}").say(at_length(n), wait=False)
                await asyncio.sleep(0.02)
            else:
                raise AssertionError("the disk was never full")
            await asyncio.sleep(5)
            await disk.free()
            await everybody_is_booked(tasks, world.database_url)
            await assert_nothing_lost_or_doubled(graph, world.database_url)


@pytest.mark.long
@pytest.mark.fault(18)
async def test_a_disk_that_does_not_keep_what_it_is_given(
    own_world: World, own_folder: Path, tmp_path: Path
) -> None:
    """fsync fails: PostgreSQL panics and recovers what was promised (18)."""
    async with own_world.hand() as hand, own_world.serving(tmp_path):
        tasks = crowd(own_world.graph, 40)
        await under_way(tasks, own_world.database_url, 60)
        text = await hand.fetchval("SELECT pg_read_file('postmaster.pid')")
        log = own_folder / "postgres" / "server.log"
        async with failing(int(text.split()[0]), "fsync,fdatasync") as strace:
            while "PANIC" not in log.read_text():
                if strace.returncode is not None:
                    assert strace.stderr is not None
                    said = (await strace.stderr.read()).decode()
                    pytest.skip(f"this system lets nobody trace the server: {said}")
                await asyncio.sleep(0.01)
        await everybody_is_booked(tasks, own_world.database_url)
        await assert_nothing_lost_or_doubled(own_world.graph, own_world.database_url)


@asynccontextmanager
async def failing(pid: int, calls: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Have these system calls fail in a process and all its children, those to come included."""
    program = shutil.which("strace")
    if program is None:
        pytest.skip("there is no program `strace` here")
    whom = [word for one in (pid, *children(pid)) for word in ("-p", str(one))]
    strace = await asyncio.create_subprocess_exec(
        *(program, "-f", "-qq", "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO", *whom),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield strace
    finally:
        with suppress(ProcessLookupError):
            strace.terminate()
        await strace.communicate()
