"""Processes that stop running and go on later, knowing nothing of what happened meanwhile."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.chaos.conftest import World
from tests.chaos.gates import caught, let_go
from tests.chaos.harness import (
    all_heard,
    assert_nothing_lost_or_doubled,
    crowd,
    everybody_is_booked,
    people,
)
from tests.support.timing import times

pytestmark = pytest.mark.timeout(180)


@pytest.mark.fault(5, "frozen loop")
@pytest.mark.parametrize("seconds", [8, pytest.param(30, marks=pytest.mark.long)])
async def test_a_worker_that_stands_still_in_a_transaction(
    world: World, tmp_path: Path, seconds: int
) -> None:
    """SIGSTOP with a claim and row locks held: others go on, and it wakes up to nothing (5)."""
    async with (
        world.pool() as pool,
        world.hand() as hand,
        world.serving(tmp_path, "--no-workers"),
        world.working(tmp_path) as victim,
    ):
        kept = await times(pool)
        ana = world.graph.customer("Ana", phone="15553000001")
        await kept.arm_many(400, first_s=1.0, last_s=5.0)
        await people(kept, 16)
        pid = await caught(hand, ana, victim.freeze)
        frozen = time.monotonic()
        async with world.working(tmp_path):
            others = crowd(world.graph, 6)
            booked = await ana.reply(seconds=20)  # by the other: the turn was free again
            assert booked.text.startswith("Booked")
            assert await let_go(hand, pid)
            await everybody_is_booked(others, world.database_url)
            late = await all_heard(kept, world.database_url)
            await asyncio.sleep(frozen + seconds - time.monotonic())
            victim.thaw()
            await ana.quiet(seconds=1.0)
            assert not victim.ended
            await assert_nothing_lost_or_doubled(world.graph, world.database_url)
    print(f"timers {late:.2f} s late at most")  # noqa: T201
