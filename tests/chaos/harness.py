"""A bot in processes of its own, and the questions every disaster must leave answered."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from storage.pool import connect, connection
from tests.support.graph import APP_SECRET, Graph, Phone
from tests.support.rows import conversation
from tests.support.timing import Times

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

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        assert self._process is not None
        return self._process.returncode is not None

    @property
    def said(self) -> str:
        """What it has logged since it was first started."""
        return self._log.read_text()

    def freeze(self) -> None:
        """Let nothing in it run, as on a machine that swaps or a loop that somebody blocks."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on as if nothing had happened."""
        os.kill(self.pid, signal.SIGCONT)

    async def kill(self) -> None:
        """Kill it without a word."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> int:
        """Ask it to stop; returns its exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self.thaw()
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


def _environment(
    graph_url: str, database_url: str, redis_url: str, port: int, more: dict[str, str]
) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "WHATSAPP_APP_SECRET": APP_SECRET,
        "WHATSAPP_VERIFY_TOKEN": "verify",
        "WHATSAPP_ACCESS_TOKEN": "token",
        "WHATSAPP_API_URL": graph_url,
        "PORT": str(port),
        "IN_DOUBT_SECONDS": "2",
        "LOG_FORMAT": "json",
        **more,
    }


@asynccontextmanager
async def running_bot(
    graph: Graph,
    *arguments: str,
    database_url: str,
    redis_url: str,
    port: int,
    folder: Path,
    **more: str,
) -> AsyncIterator[Bot]:
    """A bot that serves this world; `arguments` are those of `usual serve`."""
    environment = _environment(graph.simulator.base_url, database_url, redis_url, port, more)
    graph.simulator.webhook_url = f"http://127.0.0.1:{port}/webhook"
    bot = Bot(environment, "serve", *arguments, log=folder / f"serve-{port}.log")
    await bot.start()
    try:
        yield bot
    finally:
        await bot.stop()


@asynccontextmanager
async def working(
    database_url: str, redis_url: str, folder: Path, *, graph: Graph | None = None, **more: str
) -> AsyncIterator[Bot]:
    """A `usual work` of its own; without a Graph API it has nobody to send to."""
    port = free_port()
    graph_url = "http://127.0.0.1:9" if graph is None else graph.simulator.base_url
    more = {"DB_POOL_SIZE": "8", **more}
    environment = _environment(graph_url, database_url, redis_url, port, more)
    bot = Bot(environment, "work", "--port", str(port), log=folder / f"work-{port}.log")
    await bot.start()
    try:
        yield bot
    finally:
        await bot.stop()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


def first_that_leads_on(choices: Sequence[str]) -> str:
    """The first row that is not about what else there is."""
    return next(row for row in choices if not _leads_elsewhere(row))


def _leads_elsewhere(row: str) -> bool:
    return row.startswith(("More", "Later", "Different", "Call", "Talk", "Other"))


def crowd(graph: Graph, count: int, *, prefix: str = "1555100") -> list[asyncio.Task[str]]:
    """Let that many customers book at once, each at their own pace."""
    return [
        asyncio.create_task(
            book(graph.customer(f"Customer {n}", phone=f"{prefix}{n:04}"), pause=0.05 + n % 7 / 20)
        )
        for n in range(count)
    ]


async def under_way(tasks: list[asyncio.Task[str]], database_url: str, turns: int) -> None:
    """Wait until the conversations are in full swing."""
    for _ in range(600):
        taken = await rows(database_url, "SELECT coalesce(sum(turn), 0) AS n FROM dialog_contexts")
        if taken[0]["n"] >= turns:
            return
        assert not all(task.done() for task in tasks)
        await asyncio.sleep(0.02)
    raise AssertionError("the conversations did not get going")


async def everybody_is_booked(tasks: list[asyncio.Task[str]], database_url: str) -> None:
    """Every customer holds exactly one visit."""
    answers = await asyncio.gather(*tasks)
    assert all(answer.startswith("Booked") for answer in answers)
    visits = await rows(
        database_url,
        "SELECT b.customer_id, count(*) AS n FROM bookings b "
        "JOIN customers c ON c.company_id = b.company_id AND c.id = b.customer_id "
        "WHERE b.status = 'confirmed' AND c.phone LIKE '155510%' GROUP BY 1",
    )
    assert len(visits) == len(tasks)
    assert all(visit["n"] == 1 for visit in visits)


async def people(kept: Times, count: int) -> None:
    """Give the timers of `many:` to different conversations."""
    async with connection(kept.pool) as conn:
        talks = [await conversation(conn, kept.company_id, f"1555{n:05}") for n in range(count)]
        await conn.execute(
            "UPDATE timers SET conversation_id = ($1::bigint[])[1 + abs(hashtext(key)) % $2]"
            " WHERE company_id = $3",
            talks,
            count,
            kept.company_id,
        )


async def all_heard(kept: Times, database_url: str) -> float:
    """Wait until every timer was heard, once; how late the last one fired, in seconds."""
    rows = await kept.all_fired(seconds=60)
    await settled(database_url, seconds=60)
    async with connection(kept.pool) as conn:
        unheard = await conn.fetchval(
            "SELECT count(*) FROM timers WHERE company_id = $1 AND completed_at IS NULL",
            kept.company_id,
        )
        wrong = await conn.fetchval(
            "SELECT count(*) FROM dialog_contexts AS d WHERE turn <> (SELECT count(*) FROM inbox"
            " AS i WHERE i.company_id = d.company_id AND i.conversation_id = d.id"
            " AND i.status = 'done')"
        )
    assert (unheard, wrong) == (0, 0)
    return float(max(row["late_s"] for row in rows))


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
    queued = await rows(
        database_url,
        "SELECT company_id, id, conversation_id FROM messages WHERE direction = 'out' ORDER BY id",
    )
    wanted = {f"usual:{row['company_id']}:{row['id']}": row["conversation_id"] for row in queued}
    assert set(sends) == set(wanted), f"{len(set(wanted) - set(sends))} messages were never sent"
    place = {key: n for n, key in enumerate(sends)}
    last: dict[int, int] = {}
    for key, talk in wanted.items():
        assert last.get(talk, -1) < place[key], f"{key} was overtaken"
        last[talk] = place[key]
