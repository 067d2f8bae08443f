"""A bot in processes of its own, and the questions every disaster must leave answered."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from storage.pool import connect
from tests.support.graph import APP_SECRET, Graph, Phone

ROOT = Path(__file__).parents[2]


class Bot:
    """`usual serve` as its operator starts it; killed and started again as the test pleases."""

    def __init__(self, environment: dict[str, str], *arguments: str, log: Path) -> None:
        self._environment, self._arguments, self._log = environment, arguments, log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                *self._arguments,
                cwd=ROOT,
                env={**os.environ, **self._environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        await self._ready()

    async def kill(self) -> None:
        """Kill it without a word."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> int:
        """Ask it to stop; returns its exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
        async with asyncio.timeout(30):
            return await self._process.wait()

    async def _ready(self) -> None:
        assert self._process is not None
        url = f"http://127.0.0.1:{self._environment['PORT']}/readyz"
        async with asyncio.timeout(30), aiohttp.ClientSession() as session:
            while True:
                assert self._process.returncode is None, self._log.read_text()[-3000:]
                try:
                    async with session.get(url) as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running_bot(
    graph: Graph, *, database_url: str, redis_url: str, port: int, folder: Path, **more: str
) -> AsyncIterator[Bot]:
    """A bot that serves this world."""
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "WHATSAPP_APP_SECRET": APP_SECRET,
        "WHATSAPP_VERIFY_TOKEN": "verify",
        "WHATSAPP_ACCESS_TOKEN": "token",
        "WHATSAPP_API_URL": graph.simulator.base_url,
        "PORT": str(port),
        "IN_DOUBT_SECONDS": "2",
        "LOG_FORMAT": "json",
        **more,
    }
    graph.simulator.webhook_url = f"http://127.0.0.1:{port}/webhook"
    bot = Bot(environment, "serve", log=folder / "bot.log")
    await bot.start()
    try:
        yield bot
    finally:
        await bot.stop()


async def book(phone: Phone, *, patience: float = 60.0, pause: float = 0.0) -> str:
    """Book a visit as a customer does, whatever the bot goes through; the last message."""
    await phone.say("hi", wait=False)
    await phone.reply(seconds=patience)
    await asyncio.sleep(pause)
    await phone.tap("Book a visit", wait=False)
    await phone.reply(seconds=patience)
    return await settle_for_what_is_left(phone, patience=patience, pause=pause)


async def settle_for_what_is_left(
    phone: Phone, *, patience: float = 60.0, pause: float = 0.0
) -> str:
    """Answer what is asked until a visit is booked, however often somebody else is quicker."""
    for _ in range(30):
        await asyncio.sleep(pause)
        bubble = phone.last
        if "Book it" in bubble.buttons:
            await phone.tap("Book it", on=bubble, wait=False)
        else:
            await phone.tap(_pick(phone) if bubble.rows else bubble.buttons[0], wait=False)
        reply = await phone.reply(seconds=patience)
        if reply.text.startswith("Booked"):
            return reply.text
    raise AssertionError(f"{phone.customer.name} did not get a visit: {phone.last}")


def _pick(phone: Phone) -> str:
    """Choose a row by the customer's number, so that customers spread out but collide at times."""
    rows = [row for row in phone.last.rows if not _leads_elsewhere(row)]
    assert rows, f"nothing to choose from: {phone.last}"
    return rows[int(phone.number) % len(rows)]


def _leads_elsewhere(row: str) -> bool:
    return row.startswith(("More", "Later", "Different", "Call", "Talk", "Other"))


async def rows(database_url: str, query: str, *values: Any) -> Sequence[Any]:
    """Ask the database."""
    conn = await connect(database_url)
    try:
        found: Sequence[Any] = await conn.fetch(query, *values)
        return found
    finally:
        await conn.close()


async def settled(database_url: str, *, seconds: float = 20.0) -> None:
    """Wait until nothing is left to be handled or sent."""
    waiting: Sequence[Any] = ()
    for _ in range(int(seconds / 0.1)):
        waiting = await rows(
            database_url,
            "SELECT 'inbox ' || kind || ' ' || status AS what FROM inbox WHERE status = 'pending' "
            "UNION ALL SELECT 'outbox ' || status FROM outbox WHERE settled_at IS NULL",
        )
        if not waiting:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"still waiting: {Counter(row['what'] for row in waiting)}")


async def assert_nothing_lost_or_doubled(graph: Graph, database_url: str) -> None:
    """Hold the three guarantees against the database and what the Graph API saw."""
    await settled(database_url)
    assert await rows(database_url, "SELECT id, last_error FROM inbox WHERE status = 'dead'") == []
    await _every_message_taken_once(graph, database_url)
    await _every_reply_sent_once(graph, database_url)
    overlaps = await rows(
        database_url,
        "SELECT a.id FROM bookings a JOIN bookings b ON a.company_id = b.company_id "
        "AND a.staff_id = b.staff_id AND a.id < b.id "
        "AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at) "
        "WHERE a.status <> 'cancelled' AND b.status <> 'cancelled'",
    )
    assert overlaps == [], "a slot was sold twice"
    unclaimed = await rows(
        database_url,
        "SELECT id FROM bookings b WHERE status IN ('confirmed', 'pending') AND ends_at > now() "
        "AND NOT EXISTS (SELECT FROM slot_claims c WHERE c.booking_id = b.id "
        "AND c.staff_id = b.staff_id AND c.during @> tstzrange(b.starts_at, b.ends_at))",
    )
    assert unclaimed == [], "a visit does not hold its time"


async def _every_message_taken_once(graph: Graph, database_url: str) -> None:
    said = {
        message.id
        for message in graph.simulator.world.messages.values()
        if message.author == "customer"
    }
    heard = Counter(
        row["wamid"]
        for row in await rows(database_url, "SELECT wamid FROM messages WHERE direction = 'in'")
    )
    assert set(heard) == said, f"{len(said - set(heard))} messages were lost"
    assert [wamid for wamid, times in heard.items() if times > 1] == []
    turns = await rows(
        database_url,
        "SELECT d.id FROM dialog_contexts d WHERE turn <> (SELECT count(*) FROM inbox i "
        "WHERE i.company_id = d.company_id AND i.conversation_id = d.id AND i.status = 'done')",
    )
    assert turns == [], "a conversation took more or fewer turns than it had events"


async def _every_reply_sent_once(graph: Graph, database_url: str) -> None:
    sends = Counter(str(one.callback_data) for one in graph.sent)
    doubled = [key for key, times in sends.items() if times > 1]
    assert doubled == [], f"{len(doubled)} messages were sent twice"
    queued = await rows(database_url, "SELECT company_id, id FROM messages WHERE direction = 'out'")
    wanted = {f"usual:{row['company_id']}:{row['id']}" for row in queued}
    assert set(sends) == wanted, f"{len(wanted - set(sends))} messages were never sent"
