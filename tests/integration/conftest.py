"""A simulated Graph API on a clock that can be moved, and a small business at its webhook."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from storage.clock import ShiftedClock
from tests.support.business import Business, Client, graph_client, running_business
from tests.support.graph import Graph, running_graph


@pytest.fixture
async def business() -> AsyncIterator[Business]:
    """Somebody who receives webhooks."""
    async with running_business() as running:
        yield running


@pytest.fixture
def clock() -> ShiftedClock:
    """The clock of the simulator."""
    return ShiftedClock()


@pytest.fixture
async def graph(business: Business, clock: ShiftedClock) -> AsyncIterator[Graph]:
    """The simulator, which posts to the business."""
    async with running_graph(business.url, clock=clock, advance=clock.advance) as running:
        yield running


@pytest.fixture
async def client(graph: Graph) -> AsyncIterator[Client]:
    """Somebody who sends as the business does."""
    async with graph_client(graph) as made:
        yield made


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """HTTP with a token that the simulator takes."""
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer x"}) as made:
        yield made
