"""The simulator's clock, as the chat page moves it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from storage.clock import ShiftedClock
from tests.support.graph import SALON, Graph, running_graph

NEW_YORK = ZoneInfo("America/New_York")
LATE = datetime(2026, 10, 31, 23, 30, tzinfo=NEW_YORK)  # clocks go back in the night that follows


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock(lambda: LATE.astimezone(UTC))


@pytest.fixture
async def graph(clock: ShiftedClock, tmp_path: Path) -> AsyncIterator[Graph]:
    salon = replace(SALON, timezone="America/New_York")
    async with running_graph(
        clock=clock, advance=clock.advance, numbers=[salon], memory=tmp_path / "phones.json"
    ) as running:
        yield running


async def move(graph: Graph, **by: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession(graph.simulator.base_url) as session,
        session.post("/simulator/clock", json=by) as answer,
    ):
        return answer.status, await answer.json()


async def test_tomorrow_begins_at_nine_where_the_business_is(
    graph: Graph, clock: ShiftedClock
) -> None:
    assert (await move(graph, to="tomorrow"))[0] == 200
    assert clock() == datetime(2026, 11, 1, 9, tzinfo=NEW_YORK)
    assert clock.offset == timedelta(hours=10, minutes=30), "one hour more than the wall says"
    await move(graph, to="tomorrow")
    assert clock() == datetime(2026, 11, 2, 9, tzinfo=NEW_YORK)


async def test_it_is_moved_by_seconds_or_to_a_moment(graph: Graph, clock: ShiftedClock) -> None:
    assert (await move(graph, advance_seconds=90))[0] == 200
    assert clock.offset == timedelta(seconds=90)
    for wrong in ({}, {"to": "tomorrow", "advance_seconds": 1}, {"to": "yesterday"}):
        status, body = await move(graph, **wrong)
        assert status == 400, body


async def test_that_it_was_moved_is_remembered_over_a_restart(
    graph: Graph, clock: ShiftedClock, tmp_path: Path
) -> None:
    await move(graph, advance_seconds=900)
    moves = graph.simulator.world.clock_moves
    assert moves == [(LATE.astimezone(UTC), timedelta(minutes=15))]
    graph.customer("Ana")
    await graph.simulator.close()
    async with running_graph(memory=tmp_path / "phones.json") as again:
        assert again.simulator.world.clock_moves == moves
