"""Customers who do anything, against the whole bot, and what has to hold whatever they do."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
import orjson

from bot import maintenance
from bot.simulator.errors import Refusal
from flows import registry
from tests.support.bot import Scene, running_scene
from tests.support.graph import Bubble, Phone

T = TypeVar("T")

PATIENCE = 20.0
BOOKED = re.compile(r"✔ ([A-HJ-NP-Z2-9]{4,12})\b")
QUIET_KINDS = frozenset({"reaction", "edit", "delete"})

UNSETTLED = """
SELECT (SELECT count(*) FROM inbox WHERE status = 'pending')
     + (SELECT count(*) FROM outbox WHERE status NOT IN ('sent', 'failed'))
     + (SELECT count(*) FROM messages WHERE direction = 'out' AND status NOT IN ('read', 'failed'))
     + (SELECT count(*) FROM timers WHERE status = 'armed' AND due_at <= $1)
"""
LEFT = (
    "SELECT id, kind, attempts, not_before, last_error FROM inbox WHERE status = 'pending'",
    "SELECT id, status, attempts, not_before, error_code FROM outbox "
    "WHERE status NOT IN ('sent', 'failed')",
    "SELECT id, status, wamid, created_at, sent_at, delivered_at, read_at FROM messages "
    "WHERE direction = 'out' AND status NOT IN ('read', 'failed')",
)
# Each finds what must not be; $1 is the time.
NEVER = {
    "an event that could not be handled": """
        SELECT id, kind, last_error FROM inbox
        WHERE status = 'dead' OR last_error IS NOT NULL OR $1::timestamptz IS NULL
    """,
    "a visit ahead without its claim": """
        SELECT b.id FROM bookings AS b
        WHERE b.status = 'confirmed' AND b.starts_at > $1 AND NOT EXISTS (
            SELECT FROM slot_claims AS c
            WHERE c.company_id = b.company_id AND c.booking_id = b.id AND c.part = 'visit'
              AND c.staff_id = b.staff_id AND c.during = tstzrange(b.starts_at, b.ends_at)
        )
    """,
    "a claim of a visit that is not": """
        SELECT c.id FROM slot_claims AS c
        JOIN bookings AS b ON b.company_id = c.company_id AND b.id = c.booking_id
        WHERE b.status NOT IN ('confirmed', 'completed') AND $1::timestamptz IS NOT NULL
    """,
    "two holds of one conversation": """
        SELECT conversation_id FROM slot_claims
        WHERE kind = 'hold' AND part = 'visit' AND expires_at > $1
        GROUP BY company_id, conversation_id HAVING count(*) > 1
    """,
    "two people at one time with one of the staff": """
        SELECT a.id FROM bookings AS a
        JOIN bookings AS b ON b.company_id = a.company_id AND b.staff_id = a.staff_id
         AND b.id > a.id AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)
        WHERE a.status = 'confirmed' AND b.status = 'confirmed' AND $1::timestamptz IS NOT NULL
    """,
    "a message that is not in the outbox": """
        SELECT m.id FROM messages AS m
        LEFT JOIN outbox AS o ON o.company_id = m.company_id AND o.id = m.id
        WHERE m.direction = 'out' AND o.wamid IS DISTINCT FROM m.wamid AND o.id IS NOT NULL
          AND $1::timestamptz IS NOT NULL
    """,
    "a message that failed": """
        SELECT id, error_code FROM messages
        WHERE direction = 'out' AND status = 'failed' AND error_code <> 0  -- 0: it came too late
          AND $1::timestamptz IS NOT NULL
    """,
}
TALKS = """
SELECT d.id, d.state, d.status, d.person_until, c.id AS customer_id
FROM dialog_contexts AS d
JOIN customers AS c ON c.company_id = d.company_id AND c.id = d.customer_id
WHERE c.phone = $1 OR c.bsuid = $2
"""


class Stage:
    """A bot in a thread of its own, so that a test without an event loop can play with it."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.database_url = database_url
        self._urls = database_url, redis_url
        self._stack = AsyncExitStack()
        self.troubles: list[str] = []

    def __enter__(self) -> Stage:
        self._thread.start()
        self.scene, self.conn = self.do(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Have something done over there."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE * 2)

    async def _start(self) -> tuple[Scene, asyncpg.Connection]:
        self._loop.set_exception_handler(lambda _, context: self.troubles.append(str(context)))
        conn = await asyncpg.connect(self._urls[0])
        self._stack.push_async_callback(conn.close)
        scene = await self._stack.enter_async_context(running_scene(*self._urls))
        return scene, conn


class Crowd:
    """A few customers of one business and what they have done. Every deed ends with a look at
    everything."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.scene, self.conn = stage, stage.scene, stage.conn
        self.phones: list[Phone] = []

    def phone(self, number: int, *, of: int = 3) -> Phone:
        """One of a few customers, who comes when first needed; every third hides the number."""
        while len(self.phones) <= number % of:
            hidden = len(self.phones) % 3 == 2
            self.phones.append(self.scene.graph.customer("Kim Doe", hides_phone=hidden))
        return self.phones[number % of]

    def choices(self, phone: Phone, *, older: bool) -> list[tuple[Bubble, str]]:
        """What a customer could tap: on the last message, or on any of those before."""
        bubbles = phone.bubbles
        wanted = bubbles[:-1] if older else bubbles[-1:]
        return [(bubble, choice.id) for bubble in wanted for choice in bubble.choices]

    async def say(self, phone: Phone, text: str) -> None:
        """Type something."""
        before = len(phone.bubbles)
        await phone.say(text)
        await self.look(phone, before)

    async def send(self, phone: Phone, kind: str) -> None:
        """Send something that is no text."""
        before = len(phone.bubbles)
        more: dict[str, Any] = {}
        own = [m.id for m in phone.talk.messages if m.author == "customer" and m.kind == "text"]
        if kind in ("edit", "delete"):
            if not own:
                return
            more = {"message_id": own[-1], "text": "tomorrow"}
        if kind == "reaction":
            if not phone.bubbles:
                return
            more = {"message_id": phone.last.id, "emoji": "👍"}
        await phone.send(kind, **more)
        await self.look(None if kind in QUIET_KINDS else phone, before)

    async def tap(self, phone: Phone, bubble: Bubble, choice: str, *, times: int = 1) -> None:
        """Tap something, perhaps twice at once."""
        before = len(phone.bubbles)
        for _ in range(times):
            try:
                await phone.tap_id(bubble, choice, wait=False)
            except Refusal as refusal:
                raise AssertionError(f"the phone has no such choice: {choice}") from refusal
        await self.look(phone, before)

    async def together(self, first: Phone, second: Phone, text: str) -> None:
        """Two customers type the same at the same moment."""
        await asyncio.gather(first.say(text, wait=False), second.say(text, wait=False))
        await self.look(None, 0)

    async def wait(self, by: timedelta) -> None:
        """Let time pass."""
        await maintenance.maintain(self.stage.database_url, lambda: self.scene.clock() + by)
        self.scene.pass_time(by)
        await self.look(None, 0)

    async def look(self, phone: Phone | None, before: int) -> None:
        """Wait until all is done, and see whether everything is as it has to be."""
        await self._settled()
        assert self.stage.troubles == []
        now = self.scene.clock()
        for what, query in NEVER.items():
            found = await self.conn.fetch(query, now)
            assert not found, f"{what}: {found}"
        sent = [one.callback_data for one in self.scene.graph.sent]
        assert len(set(sent)) == len(sent), "a message was sent twice"
        for one in self.phones:
            await self._agrees(one)
        if phone is not None:
            await self._answered(phone, before)

    async def _settled(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            idle = not self.scene.graph.simulator.courier.unsettled
            if idle and await self.conn.fetchval(UNSETTLED, self.scene.clock()) == 0:
                return
            await asyncio.sleep(0.005)
        left: list[Any] = [await self.conn.fetch(query) for query in LEFT]
        simulator = self.scene.graph.simulator
        left.append([one.view() for one in simulator.courier.unsettled.values()])
        for row in left[2]:
            told = [
                (one.notice.value["statuses"][0]["status"], one.state, one.attempts)
                for one in simulator.courier.deliveries
                if one.notice.value.get("statuses", [{}])[0].get("id") == row["wamid"]
            ]
            kept = await self.conn.fetch(
                "SELECT id, dedup_key, status, attempts, received_at, done_at FROM inbox "
                "WHERE dedup_key LIKE '%:status:' || $1 || ':%'",
                row["wamid"],
            )
            left.append([simulator.world.messages[row["wamid"]].status, told, kept])
        raise AssertionError(f"it does not come to rest: {left}")

    async def _agrees(self, phone: Phone) -> None:
        """The conversation that is stored is the one that the phone shows."""
        talk = await self._talk(phone)
        if talk is None:
            return
        state = orjson.loads(talk["state"])
        assert registry.dump_state(registry.load_state(state)) == state, state
        shown = {code for bubble in phone.bubbles for code in BOOKED.findall(bubble.text)}
        rows = await self.conn.fetch(
            "SELECT code FROM bookings WHERE customer_id = $1", talk["customer_id"]
        )
        assert {row["code"] for row in rows} == shown
        out = await self.conn.fetchval(
            "SELECT count(*) FROM messages "
            "WHERE conversation_id = $1 AND direction = 'out' AND status <> 'failed'",
            talk["id"],
        )
        assert out == len(phone.bubbles)

    async def _answered(self, phone: Phone, before: int) -> None:
        """No dead end: there is an answer, and it leads on; else a person has the conversation."""
        talk = await self._talk(phone)
        assert talk is not None
        if talk["person_until"] and talk["person_until"] > self.scene.clock():
            return
        assert len(phone.bubbles) > before, "there was no answer"
        last = phone.last
        assert last.choices or re.search(r"\+1[\d -]{8,}", last.text), f"a dead end: {last}"

    async def _talk(self, phone: Phone) -> asyncpg.Record | None:
        return await self.conn.fetchrow(TALKS, phone.number, phone.user_id)
