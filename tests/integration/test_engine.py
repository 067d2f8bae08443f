"""Turns: one per event, in order, whole or not at all, by any number of workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage import dialogs, inbox
from storage.dialogs import TurnRecord
from storage.pool import Pool, connection
from tests.support.bot import Scene, another_process, running_scene
from tests.support.graph import Phone

GREETING = "Book a visit"
LATE = TurnRecord(
    now=datetime(2026, 1, 1, tzinfo=UTC),
    state={"step": "menu.idle"},
    status="active",
    locale=None,
    inbound_at=None,
    person_until=None,
    expires_at=None,
    heard=None,
    bodies=[{"type": "text", "text": {"body": "late"}}],
    extras=[{}],
    records=[],
    lease_until=None,
)


@pytest.fixture
async def scene(database_url: str, redis_url: str) -> AsyncIterator[Scene]:
    """A bot with nobody talking to it yet."""
    async with running_scene(database_url, redis_url) as scene:
        yield scene


async def rows(pool: Pool, query: str) -> list[dict[str, Any]]:
    """Ask the database."""
    async with connection(pool) as conn:
        return [dict(row) for row in await conn.fetch(query)]


async def change(pool: Pool, query: str) -> None:
    """Change the database behind the bot's back."""
    async with connection(pool) as conn:
        await conn.execute(query)


async def reply_with(phone: Phone, button: str) -> None:
    """Wait for a reply that has this button."""
    bubble = await phone.reply(seconds=15)
    assert button in bubble.buttons, bubble


async def test_a_message_makes_one_turn_and_one_reply(scene: Scene, pool: Pool) -> None:
    ana = scene.graph.customer("Ana")
    await ana.say("hi")
    await reply_with(ana, GREETING)
    await ana.quiet()
    assert await rows(pool, "SELECT turn FROM dialog_contexts") == [{"turn": 1}]
    kept = await rows(pool, "SELECT direction, type FROM messages ORDER BY direction")
    assert kept == [
        {"direction": "in", "type": "text"},
        {"direction": "out", "type": "interactive"},
    ]


@pytest.mark.fault(22)
async def test_a_burst_is_handled_in_the_order_it_was_sent(scene: Scene, pool: Pool) -> None:
    ana = scene.graph.customer("Ana")
    sent = [await ana.say("hi", wait=False) for _ in range(8)]
    await scene.graph.wait_for(8, seconds=20)
    taken = await rows(
        pool, "SELECT wamid FROM messages WHERE direction = 'in' ORDER BY created_at, id"
    )
    assert sorted(row["wamid"] for row in taken) == sorted(message.id for message in sent)
    replies = await rows(pool, "SELECT id FROM messages WHERE direction = 'out' ORDER BY id")
    order = [int(str(one.callback_data).rsplit(":", 1)[1]) for one in scene.graph.sent]
    assert order == [row["id"] for row in replies]


@pytest.mark.fault(22)
async def test_two_processes_share_the_work_and_double_none_of_it(
    scene: Scene, database_url: str, redis_url: str, pool: Pool
) -> None:
    async with another_process(scene, database_url, redis_url) as other:
        phones = [scene.graph.customer(f"Customer {n}") for n in range(20)]
        for phone in phones:
            for receiver in (scene, other):
                scene.graph.simulator.webhook_url = f"{receiver.url}/webhook"
                await phone.say("hi")
        await scene.graph.wait_for(40, seconds=20)
        await asyncio.sleep(0.5)
    assert len(scene.graph.sent) == 40
    assert await rows(pool, "SELECT DISTINCT turn FROM dialog_contexts") == [{"turn": 2}]


async def test_a_receiver_alone_has_another_process_take_the_turns(
    database_url: str, redis_url: str
) -> None:
    async with (
        running_scene(database_url, redis_url, workers=False) as receiver,
        another_process(receiver, database_url, redis_url),
    ):
        ana = receiver.graph.customer("Ana")
        await ana.say("hi")
        await reply_with(ana, GREETING)


@pytest.mark.fault(25)
async def test_an_event_that_cannot_be_handled_is_parked_and_a_person_called(
    scene: Scene, pool: Pool
) -> None:
    ana = scene.graph.customer("Ana")
    await ana.say("hi")
    await reply_with(ana, GREETING)
    await change(pool, """UPDATE dialog_contexts SET state = '{"step": "no.such.step"}'""")
    await ana.say("hello?")
    dead: list[dict[str, Any]] = []
    for _ in range(8):
        await asyncio.sleep(1.1)
        scene.pass_time(timedelta(seconds=10))
        dead = await rows(
            pool, "SELECT kind, attempts, last_error FROM inbox WHERE status = 'dead'"
        )
        if dead:
            break
    assert dead == [{"kind": "message", "attempts": 4, "last_error": "UnknownStep"}]
    apology = await ana.reply(seconds=5)
    assert apology.text
    with_person = await rows(pool, "SELECT status FROM dialog_contexts")
    assert with_person == [{"status": "person"}]


async def test_a_parked_event_can_be_handled_again(scene: Scene, pool: Pool) -> None:
    ana = scene.graph.customer("Ana")
    await ana.say("hi")
    await reply_with(ana, GREETING)
    await change(pool, "UPDATE inbox SET status = 'dead', done_at = NULL WHERE kind = 'message'")
    async with connection(pool) as conn:
        count = await inbox.replay(conn, None, None, now=scene.clock())
    assert count == 1
    await scene.graph.wait_for(2, seconds=5)


@pytest.mark.fault(22)
async def test_what_was_handled_is_not_handled_again_when_it_comes_again(
    scene: Scene, pool: Pool
) -> None:
    scene.graph.fail("duplicate", times=5)
    ana = scene.graph.customer("Ana")
    await ana.say("hi")
    await reply_with(ana, GREETING)
    await ana.quiet(seconds=1.0)
    assert await rows(pool, "SELECT turn FROM dialog_contexts") == [{"turn": 1}]


async def test_a_turn_that_comes_too_late_writes_nothing(
    database_url: str, redis_url: str, pool: Pool
) -> None:
    async with running_scene(database_url, redis_url, workers=False) as scene:
        await scene.graph.customer("Ana").say("hi")
    async with connection(pool) as conn:
        talk = await conn.fetchrow("SELECT company_id, id FROM dialog_contexts")
        assert talk is not None
        (dialog,) = await dialogs.load(conn, [(talk["company_id"], talk["id"])])
        assert dialog is not None
        overtaken = replace(dialog, turn=dialog.turn + 1)
        assert await dialogs.save(conn, [(overtaken, replace(LATE, now=scene.clock()))]) == [None]
    assert await rows(pool, "SELECT status FROM inbox") == [{"status": "pending"}]
    assert await rows(pool, "SELECT id FROM messages") == []
    assert await rows(pool, "SELECT turn FROM dialog_contexts") == [{"turn": 0}]


async def test_who_writes_while_a_crowd_of_timers_is_due_is_answered_before_it(
    scene: Scene, pool: Pool
) -> None:
    async with connection(pool) as conn:
        await conn.execute(
            """
            WITH people AS (
                INSERT INTO customers (company_id, phone)
                SELECT (SELECT min(id) FROM companies), (4400000 + n)::text
                FROM generate_series(1, 1000) AS n
                RETURNING company_id, id
            ),
            talks AS (
                INSERT INTO dialog_contexts (company_id, customer_id, started_at, last_message_at)
                SELECT company_id, id, now(), now() FROM people RETURNING company_id, id
            )
            INSERT INTO timers (company_id, key, conversation_id, name, due_at, scheduled_at)
            SELECT company_id, 'crowd:' || id, id, 'crowd', now(), now() FROM talks
            """
        )
    waiting = "SELECT count(*) AS n FROM inbox WHERE kind = 'timer_fired' AND status = 'pending'"
    for _ in range(400):
        if (await rows(pool, waiting))[0]["n"] > 300:
            break
        await asyncio.sleep(0.01)
    ana = scene.graph.customer("Ana")
    await ana.say("hi")
    await reply_with(ana, GREETING)
    assert (await rows(pool, waiting))[0]["n"] > 0, "the crowd went first"
    for _ in range(600):
        if not (await rows(pool, waiting))[0]["n"]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the crowd was forgotten")
