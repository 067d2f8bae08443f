"""Customers who do anything, against the whole bot, and what has to hold whatever they do."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import asyncpg

from bot import maintenance
from bot.simulator.content import choices_of, text_of
from bot.simulator.errors import Refusal
from bot.simulator.model import Message
from flows import registry
from flows.events import Internal, PersonReplied, PersonReturned
from storage import inbox
from storage.pool import connect
from tests.support import agreement, invariants
from tests.support.bot import Scene, running_scene
from tests.support.graph import Bubble, Phone

T = TypeVar("T")

PATIENCE = 20.0
ZONE = ZoneInfo("America/New_York")
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
SELECT d.company_id, d.id, d.state, d.status, d.person_until, c.id AS customer_id
FROM dialog_contexts AS d
JOIN customers AS c ON c.company_id = d.company_id AND c.id = d.customer_id
WHERE c.phone = $1 OR c.bsuid = $2
"""

_FILL = """
INSERT INTO slot_claims (company_id, claim_id, staff_id, during, kind, created_at)
SELECT s.company_id, gen_random_uuid(), s.id, tstzrange(g.at, g.at + '30 min'), 'external', now()
FROM staff AS s
CROSS JOIN generate_series(
    $1::timestamptz, $1::timestamptz + interval '10 days', interval '30 min'
) AS g (at)
WHERE s.company_id = (SELECT id FROM companies WHERE phone_number_id = $2)
ON CONFLICT DO NOTHING
"""
_FREE = "DELETE FROM slot_claims WHERE kind = 'external' AND during && tstzrange($1, $2)"
_WAITED_FOR = """
SELECT DISTINCT greatest(wanted_from, $1::date) AS day FROM waitlist
WHERE position_in_queue IS NOT NULL AND wanted_until >= $1 ORDER BY day
"""
_NEXT = """
SELECT t.due_at FROM timers AS t
WHERE t.status = 'armed' AND t.conversation_id = ANY($1::bigint[])
ORDER BY t.due_at, t.key LIMIT 1 OFFSET $2
"""
_TO_WAKE = """
SELECT DISTINCT company_id, conversation_id FROM inbox
WHERE status = 'pending' AND conversation_id IS NOT NULL
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
        self.failure: Exception | None = None
        self.crowds = 0

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
        conn = await connect(self._urls[0])
        self._stack.push_async_callback(conn.close)
        scene = await self._stack.enter_async_context(running_scene(*self._urls))
        now = scene.clock().astimezone(ZONE)  # the same weekday and hour whenever it is run
        day = now.date() + timedelta(days=(2 - now.isoweekday()) % 7 or 7)
        await pass_time(scene, self._urls[0], at(day, 10) - now)
        return scene, conn


def at(day: date, hour: int) -> datetime:
    """An hour of a day at the salon."""
    return datetime.combine(day, clock_time(hour), ZONE).astimezone(UTC)


async def pass_time(scene: Scene, database_url: str, by: timedelta) -> None:
    """Let time pass, with the housekeeping that would have been done meanwhile."""
    await maintenance.maintain(database_url, lambda: scene.clock() + by)
    scene.pass_time(by)


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
        """Let time pass; whoever wants to hear nothing hears nothing."""
        quiet = [one for one in self.phones if agreement.hears_nothing(one)]
        before = {one.user_id: len(one.bubbles) for one in quiet}
        await self._housekeeping(by)
        self.scene.pass_time(by)
        await self.look(None, 0)
        for one in self.phones:
            if one.user_id in before:
                assert len(one.bubbles) == before[one.user_id], f"after a STOP: {one.last}"
            elif one.bubbles:
                assert leads_on(one.last), f"a dead end: {one.last}"

    async def _housekeeping(self, by: timedelta) -> None:
        """What would have been done meanwhile, and what the bot does about it, before time jumps.

        A turn that is under way while days pass would say something in a window that has closed.
        """
        await maintenance.maintain(self.stage.database_url, lambda: self.scene.clock() + by)
        await self._wake()
        await self._settled()

    async def wait_for_the_next(self, which: int) -> None:
        """Let time pass until one of the next timers of these customers is due."""
        talks = [talk["id"] for one in self.phones if (talk := await self._talk(one))]
        due: datetime | None = await self.conn.fetchval(_NEXT, talks, which)
        by = (due - self.scene.clock() if due else timedelta()) + timedelta(seconds=1)
        await self.wait(max(by, timedelta(minutes=1)))

    async def fill(self) -> None:
        """The salon gets booked up for a while."""
        now = self.scene.clock().replace(minute=0, second=0, microsecond=0)
        await self.conn.execute(_FILL, now, self.scene.graph.number.phone_number_id)
        await self._news()

    async def free(self, which: int, hour: int, hours: int) -> None:
        """Some of that comes free again, on one of the days that are waited for."""
        today = self.scene.clock().astimezone(ZONE).date()
        days = await self.conn.fetch(_WAITED_FOR, today)
        day = days[which % len(days)]["day"] if days else today + timedelta(days=which % 8)
        await self.conn.execute(_FREE, at(day, hour), at(day, hour) + timedelta(hours=hours))
        await self._news()

    async def operator(self, phone: Phone, *, gives_back: bool) -> None:
        """Somebody of the team answers by hand, or gives the conversation back to the bot."""
        talk = await self._talk(phone)
        if talk is None:
            return
        event: Internal = PersonReturned() if gives_back else PersonReplied()
        now = self.scene.clock()
        key = f"operator:{now.isoformat()}"
        await inbox.put_internal(
            self.conn, talk["company_id"], talk["id"], event, dedup_key=key, now=now
        )
        await self._news()
        talk = await self._talk(phone)
        assert talk is not None
        has_it = talk["person_until"] is not None and talk["person_until"] > now
        assert has_it != gives_back

    async def _news(self) -> None:
        """Have what was changed behind the bot's back noticed without waiting for a sweep."""
        await self._wake()
        await self.look(None, 0)

    async def _wake(self) -> None:
        worker = self.scene.runtime.worker
        assert worker is not None
        rows = await self.conn.fetch(_TO_WAKE)
        worker.wake((row["company_id"], row["conversation_id"]) for row in rows)

    async def look(self, phone: Phone | None, before: int) -> None:
        """Wait until all is done, and see whether everything is as it has to be."""
        try:
            await self._look(phone, before)
        except AssertionError as failure:
            for one in self.phones:
                failure.add_note(f"{one.user_id}:")
                failure.add_note("\n".join(_line(message) for message in one.talk.messages[-14:]))
            raise

    async def _look(self, phone: Phone | None, before: int) -> None:
        await self._settled()
        await invariants.check(self.conn)
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
        state = talk["state"]
        assert registry.dump_state(registry.load_state(state)) == state, state
        world, now = self.scene.graph.simulator.world, self.scene.clock()
        await agreement.check(self.conn, world, phone, talk["customer_id"], now=now)
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
        if agreement.hears_nothing(phone) and len(phone.bubbles) == before:
            return
        assert len(phone.bubbles) > before, "there was no answer"
        assert leads_on(phone.last), f"a dead end: {phone.last}"

    async def _talk(self, phone: Phone) -> asyncpg.Record | None:
        return await self.conn.fetchrow(TALKS, phone.number, phone.user_id)


def leads_on(bubble: Bubble) -> bool:
    """Tell whether a message says what to do next: something to tap, or a number to call."""
    return bool(bubble.choices or re.search(r"\+1[\d -]{8,}", bubble.text))


def _line(message: Message) -> str:
    said = text_of(message.kind, message.content)
    choices = " ".join(map(str, choices_of(message.kind, message.content)))
    who = f"{message.author} {message.kind} {message.status}"
    return f"  {message.at:%d %H:%M:%S} {who}: {said!r} {choices}"
