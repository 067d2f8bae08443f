"""A message on its way, a turn and a send, ended at each point at which they can be ended.

Cancelled at the n-th await, and killed before the n-th piece of what a process and its servers say
to each other, for every n there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from bot.engine import Engine
from bot.sender import Sender
from bot.whatsapp.client import GraphClient
from storage.catalog import CatalogCache
from storage.dialogs import Key
from storage.errors import StorageError
from storage.pool import Pool, connection, open_pool
from tests.chaos.harness import assert_nothing_lost_or_doubled, first_that_leads_on, settled
from tests.support.bot import Scene, another_process, running_scene
from tests.support.graph import Phone
from tests.support.intake import desk
from tests.support.payloads import change, contact, envelope, message
from tests.support.proxy import Pieces, Proxy, proxied
from tests.support.rows import company
from tests.support.settings import settings_for
from tests.support.stepping import cancelled_at

pytestmark = pytest.mark.timeout(180)

MOST_POINTS = 200


# --- a message that comes in (23) ---


def post() -> object:
    """One message of somebody who is new."""
    one = message()
    return envelope(change(contacts=[contact()], messages=[one]))


async def taken_in(pool: Pool) -> int:
    """How many messages are in the inbox; none is there twice."""
    async with connection(pool) as conn:
        found = await conn.fetch(
            "SELECT count(*) AS n FROM inbox GROUP BY event #>> '{message,id}'"
        )
    assert {row["n"] for row in found} == {1}
    return len(found)


@pytest.mark.fault(23, "cancelled")
async def test_a_message_whose_sender_hangs_up_at_every_await(pool: Pool) -> None:
    """Meta posts it again: it is there once."""
    async with connection(pool) as conn:
        await company(conn)
    points = 0
    while True:
        body, it = post(), desk(pool)
        points += 1
        if not await cancelled_at(it.take(body), points):
            break
        await desk(pool).take(body)
    assert await taken_in(pool) == points


@pytest.mark.fault(23)
async def test_a_message_whose_receiver_is_killed_at_every_point(
    database_url: str, pool: Pool
) -> None:
    """Whether it was stored or not, it was not answered 200: it comes again, and is there once."""
    async with connection(pool) as conn:
        await company(conn)
    for last in range(1, MOST_POINTS):
        body = post()
        async with proxied(database_url) as (far_url, to_database):
            far = await open_pool(far_url, size=1)
            pieces = to_database.pieces = Pieces(last, to_database.cut)
            with suppress(StorageError):
                await desk(far).take(body)
            far.terminate()
        await desk(pool).take(body)
        if pieces.seen < last:
            break
    assert last > 4
    assert await taken_in(pool) == last


# --- a turn that books, and what it says (1, 2, 15, 24) ---


@dataclass
class Process:
    """What takes turns and sends in a process, without what makes it do so by itself."""

    engine: Engine
    sender: Sender

    async def take_turns(self, key: Key) -> None:
        """Take turns until nothing waits."""
        while (await self.engine.take_turn(*key)).more:
            pass

    async def sent(self) -> None:
        """Wait until everything that was handed to the sender has an outcome."""
        while self.sender.tasks:
            await asyncio.wait(self.sender.tasks)


@asynccontextmanager
async def process(scene: Scene, redis: Redis, pool: Pool, graph_url: str) -> AsyncIterator[Process]:
    """One such process, which in the end is killed."""
    settings = settings_for(
        scene.graph, "postgresql://elsewhere", "redis://elsewhere", whatsapp_api_url=graph_url
    )
    async with GraphClient.open(settings) as client:
        sender = Sender(pool, redis, client, clock=scene.clock, settings=settings)
        task = asyncio.create_task(sender.run())
        try:
            yield Process(Engine(pool, CatalogCache(), sender, scene.clock), sender)
        finally:
            doomed = [task, *sender.tasks]
            for one in doomed:
                one.cancel()
            await asyncio.gather(*doomed, return_exceptions=True)


async def key_of(pool: Pool, phone: Phone) -> Key:
    """A customer's conversation."""
    async with connection(pool) as conn:
        row = await conn.fetchrow(
            "SELECT d.company_id, d.id FROM dialog_contexts AS d JOIN customers AS c"
            " ON c.company_id = d.company_id AND c.id = d.customer_id WHERE c.phone = $1",
            phone.number,
        )
    assert row is not None
    return row["company_id"], row["id"]


async def about_to_book(scene: Scene, pool: Pool, healthy: Process) -> tuple[Phone, Key]:
    """Somebody new who has just tapped `Book it`: the turn that books is to be taken."""
    phone = scene.graph.customer()
    await phone.say("women's cut")
    key = await key_of(pool, phone)
    while True:
        await healthy.take_turns(key)
        bubble = await phone.reply()
        if "Book it" in bubble.buttons:
            await phone.tap("Book it")
            return phone, key
        await phone.tap(first_that_leads_on(bubble.rows))


async def all_come_to_rest(
    scene: Scene, database_url: str, redis_url: str, phones: Sequence[Phone]
) -> None:
    """A whole bot does what is left; each customer has one answer to each message."""
    async with another_process(scene, database_url, redis_url):
        for _ in range(40):
            scene.pass_time(timedelta(seconds=5))
            with suppress(AssertionError):
                await settled(database_url, seconds=0.5)
                break
        for phone in phones:
            await phone.reply()
            await phone.quiet(seconds=0.05)
            heard = [one for one in phone.talk.messages if one.author == "customer"]
            assert len(phone.bubbles) == len(heard)
        await assert_nothing_lost_or_doubled(scene.graph, database_url)


@pytest.mark.fault("cancelled")
async def test_a_turn_is_cancelled_at_every_await(
    database_url: str, redis_url: str, redis: Redis, pool: Pool
) -> None:
    """It happens whole or not at all, and it is answered once."""
    async with running_scene(database_url, redis_url, workers=False) as scene:
        phones, points = [], 0
        async with process(scene, redis, pool, scene.graph.simulator.base_url) as healthy:
            cut = True
            while cut:
                phone, key = await about_to_book(scene, pool, healthy)
                phones.append(phone)
                points += 1
                cut = await cancelled_at(healthy.engine.take_turn(*key), points)
                await healthy.take_turns(key)
            await healthy.sent()
        assert points > 4
        await all_come_to_rest(scene, database_url, redis_url, phones)


@pytest.mark.long
@pytest.mark.fault(1, 2, 15, 24)
async def test_a_process_is_killed_at_every_point_of_a_turn_and_its_send(
    database_url: str, redis_url: str, redis: Redis, pool: Pool
) -> None:
    """Between any two words to PostgreSQL or to Meta, or before it hears the answer."""
    async with running_scene(database_url, redis_url, workers=False) as scene:
        phones = []
        base = scene.graph.simulator.base_url
        async with process(scene, redis, pool, base) as healthy:
            for last in range(1, MOST_POINTS):
                phone, key = await about_to_book(scene, pool, healthy)
                phones.append(phone)
                if not await killed_at(last, database_url, base, run_one(scene, redis, key)):
                    break
        assert last > 10
        await all_come_to_rest(scene, database_url, redis_url, phones)


Work = Callable[[Pool, str], Awaitable[None]]


def run_one(scene: Scene, redis: Redis, key: Key) -> Work:
    """One turn and its send, in a process of its own."""

    async def work(pool: Pool, graph_url: str) -> None:
        async with process(scene, redis, pool, graph_url) as doomed:
            async with asyncio.timeout(3):
                await doomed.take_turns(key)
                await doomed.sent()
            await asyncio.sleep(0.05)  # for the clerk, who settles what was sent

    return work


async def killed_at(last: int, database_url: str, graph_url: str, work: Work) -> bool:
    """Do the work, and cut everything off before its n-th piece; whether it had so many."""
    async with (
        proxied(database_url) as (far_database, to_database),
        proxied(graph_url) as (far_graph, to_graph),
    ):
        pool = await open_pool(far_database, size=3)

        def kill(ends: tuple[Proxy, Proxy] = (to_database, to_graph)) -> None:
            for proxy in ends:
                proxy.cut()

        pieces = to_database.pieces = to_graph.pieces = Pieces(last, kill)
        try:
            with suppress(StorageError, OSError, TimeoutError):
                await work(pool, far_graph)
        finally:
            pool.terminate()
        return pieces.seen >= last
