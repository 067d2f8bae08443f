"""Timers in the database: armed, moved, cancelled, fired, heard once, or parked."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg

from bot import failures
from flows.events import PersonReturned, TimerFired
from flows.stored import load_event
from storage import dialogs, inbox, timers
from storage.clock import system_clock
from storage.dialogs import Dialog, Telling, TimerOp, TurnRecord
from storage.pool import Connection, Pool, connection
from tests.support.checkout import CHECKOUT
from tests.support.rows import company, conversation

NOW = system_clock()
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
REST = TurnRecord(
    now=NOW,
    state={"step": "menu.idle"},
    status="active",
    locale=None,
    inbound_at=None,
    person_until=None,
    expires_at=None,
    heard=None,
    bodies=[],
    extras=[],
    records=[],
    lease_until=None,
)


async def talk(conn: Connection) -> tuple[int, int]:
    """A conversation of a new company."""
    company_id = await company(conn)
    return company_id, await conversation(conn, company_id)


async def arm(conn: Connection, key: tuple[int, int], name: str = "a", **more: Any) -> int:
    """Arm `test:<name>`, due a minute ago."""
    given = {"due": NOW - MINUTE, "now": NOW, **more}
    return await timers.arm(
        conn, company_id=key[0], conversation_id=key[1], key=f"test:{name}", name=name, **given
    )


async def fire(conn: Connection) -> list[timers.Fired]:
    """Fire what is due now."""
    return await timers.fire_due(conn, shift=timedelta())


async def heard(conn: Connection, key: tuple[int, int]) -> Dialog:
    """The conversation with its oldest event."""
    (dialog,) = await dialogs.load(conn, [key])
    assert dialog is not None
    return dialog


async def timer(conn: Connection, name: str = "a") -> asyncpg.Record:
    """The row."""
    row = await conn.fetchrow("SELECT * FROM timers WHERE key = $1", f"test:{name}")
    assert row is not None
    return row


async def kinds(conn: Connection) -> Sequence[str]:
    """What lies in the inbox, in order."""
    found = await conn.fetch("SELECT kind || ' ' || status AS it FROM inbox ORDER BY id")
    return [row["it"] for row in found]


async def test_a_timer_that_is_due_becomes_an_event_of_its_conversation(conn: Connection) -> None:
    key = await talk(conn)
    await arm(conn, key, payload={"visit": 7})
    (fired,) = await fire(conn)
    assert (fired.company_id, fired.conversation_id, fired.name) == (*key, "a")
    assert fired.late_s >= 60
    dialog = await heard(conn, key)
    assert not dialog.stale
    event = load_event(dialog.pending.kind, dialog.pending.event)
    assert event == TimerFired("a", "test:a", {"visit": 7})
    assert await fire(conn) == []


async def test_a_timer_does_not_fire_before_it_is_due(conn: Connection) -> None:
    key = await talk(conn)
    await arm(conn, key, due=NOW + HOUR)
    assert await fire(conn) == []
    assert await timers.next_due(conn) == NOW + HOUR
    assert len(await timers.fire_due(conn, shift=2 * HOUR)) == 1


async def test_a_moved_timer_fires_once_at_its_new_time(conn: Connection) -> None:
    key = await talk(conn)
    assert await arm(conn, key) == 1
    assert await arm(conn, key, due=NOW + HOUR) == 2
    assert await fire(conn) == []
    assert len(await timers.fire_due(conn, shift=2 * HOUR)) == 1


async def test_a_cancelled_timer_does_not_fire(conn: Connection) -> None:
    key = await talk(conn)
    await arm(conn, key)
    await arm(conn, key, "b")
    assert await timers.cancel(conn, company_id=key[0], keys=["test:a", "no"], now=NOW) == 1
    assert [one.name for one in await fire(conn)] == ["b"]
    row = await timer(conn)
    assert (row["status"], row["completed_at"]) == ("cancelled", NOW)


async def test_what_was_moved_or_cancelled_after_it_fired_is_not_heard(conn: Connection) -> None:
    key = await talk(conn)
    for change in ("move", "cancel"):
        await arm(conn, key)
        await fire(conn)
        before = await heard(conn, key)
        assert not before.stale
        if change == "move":
            await arm(conn, key, due=NOW + HOUR)
        else:
            await timers.cancel(conn, company_id=key[0], keys=["test:a"], now=NOW)
        # A turn that was under way meanwhile is fenced off; the next one knows.
        assert await dialogs.save(conn, [(before, REST)]) == [None]
        after = await heard(conn, key)
        assert after.stale
        await inbox.set_by(conn, key[0], after.pending.id, now=NOW)
    assert await kinds(conn) == ["timer_fired kept"] * 2


async def test_a_heard_timer_is_finished_with_its_turn(conn: Connection) -> None:
    key = await talk(conn)
    await arm(conn, key)
    await fire(conn)
    (saved,) = await dialogs.save(conn, [(await heard(conn, key), REST)])
    assert saved is not None
    row = await timer(conn)
    assert (row["status"], row["completed_at"]) == ("fired", NOW)
    assert await dialogs.load(conn, [key]) == [None]
    assert await timers.cancel(conn, company_id=key[0], keys=["test:a"], now=NOW) == 0


async def put(conn: Connection, key: tuple[int, int]) -> Dialog:
    """Have anything happen to a conversation."""
    dedup = str(await conn.fetchval("SELECT count(*) FROM inbox"))
    await inbox.put_internal(conn, *key, PersonReturned(), dedup_key=dedup, now=NOW)
    return await heard(conn, key)


async def test_a_turn_arms_moves_and_cancels_with_everything_else(conn: Connection) -> None:
    key = await talk(conn)
    await arm(conn, key, "gone")
    await arm(conn, key, "moved")
    later = NOW + HOUR
    wanted = replace(
        REST,
        timers=[
            TimerOp("test:new", "new", later, {"n": 1}),
            TimerOp("test:moved", "moved", later),
            TimerOp("test:gone"),
            TimerOp("test:never"),
        ],
    )
    (saved,) = await dialogs.save(conn, [(await put(conn, key), wanted)])
    assert saved is not None
    rows = await conn.fetch("SELECT name, status, generation, due_at, turn FROM timers ORDER BY 1")
    assert [tuple(row) for row in rows] == [
        ("gone", "cancelled", 1, NOW - MINUTE, None),
        ("moved", "armed", 2, later, 1),
        ("new", "armed", 1, later, 1),
    ]


async def test_a_turn_that_is_fenced_off_leaves_timers_alone(conn: Connection) -> None:
    key = await talk(conn)
    dialog = await put(conn, key)
    wanted = replace(
        REST,
        timers=[TimerOp("test:a", "a", NOW)],
        tells=[Telling(None, PersonReturned(), "x")],
    )
    overtaken = replace(dialog, turn=dialog.turn + 1)
    assert await dialogs.save(conn, [(overtaken, wanted)]) == [None]
    assert await conn.fetchval("SELECT count(*) FROM timers") == 0
    assert await kinds(conn) == ["person_returned pending"]


async def test_a_timer_may_arm_itself_again_in_the_turn_that_hears_it(conn: Connection) -> None:
    key = await talk(conn)
    await arm(conn, key)
    await fire(conn)
    again = replace(REST, timers=[TimerOp("test:a", "a", NOW)])
    await dialogs.save(conn, [(await heard(conn, key), again)])
    row = await timer(conn)
    assert (row["status"], row["generation"], row["completed_at"]) == ("armed", 2, None)
    assert len(await fire(conn)) == 1
    assert not (await heard(conn, key)).stale


async def test_turns_of_one_batch_may_want_different_things_of_one_timer(conn: Connection) -> None:
    first = await talk(conn)
    second = first[0], await conversation(conn, first[0], "1666")
    arming = replace(REST, timers=[TimerOp("test:a", "a", NOW)])
    cancelling = replace(REST, timers=[TimerOp("test:a")])
    turns = [(await put(conn, first), cancelling), (await put(conn, second), arming)]
    assert None not in await dialogs.save(conn, turns)
    row = await timer(conn)
    assert (row["status"], row["conversation_id"]) == ("armed", second[1])


async def test_a_turn_tells_another_conversation_once(conn: Connection) -> None:
    key = await talk(conn)
    other = key[0], await conversation(conn, key[0], "1666")
    telling = replace(REST, tells=[Telling(other[1], TimerFired("a", "b"), "freed:7")])
    for _ in range(2):
        (saved,) = await dialogs.save(conn, [(await put(conn, key), telling)])
        assert saved is not None
    told = (await heard(conn, other)).pending
    assert load_event(told.kind, told.event) == TimerFired("a", "b")
    assert (await kinds(conn)).count("timer_fired pending") == 1


async def test_the_desk_is_made_when_it_is_first_told_something(conn: Connection) -> None:
    key = await talk(conn)
    telling = replace(REST, tells=[Telling(None, PersonReturned(), "1")])
    (saved,) = await dialogs.save(conn, [(await put(conn, key), telling)])
    assert saved is not None
    (desk_id,) = saved.told
    assert await dialogs.desk(conn, key[0], now=NOW) == desk_id
    desk = await heard(conn, (key[0], desk_id))
    assert (desk.customer_id, desk.state) == (None, {"step": "desk.resting"})
    assert await dialogs.save(conn, [(desk, replace(REST, state=desk.state))]) != [None]


async def test_two_who_make_the_desk_at_once_make_one(pool: Pool) -> None:
    async with connection(pool) as one, connection(pool) as two:
        company_id = await company(one)
        transaction = one.transaction()
        await transaction.start()
        first = await dialogs.desk(one, company_id, now=NOW)
        waiting = asyncio.create_task(dialogs.desk(two, company_id, now=NOW))
        await asyncio.sleep(0.05)
        await transaction.commit()
        assert await waiting == first


async def test_a_timer_that_fails_is_parked_after_its_attempts_and_shown(conn: Connection) -> None:
    key = await talk(conn)
    await arm(conn, key, max_attempts=2)
    await fire(conn)
    await failures.set_aside(conn, *key, "KeyError", now=NOW)
    row = await timer(conn)
    assert (row["status"], row["attempts"], row["last_error"]) == ("fired", 1, "KeyError")
    await failures.set_aside(conn, *key, "ValueError", now=NOW)
    row = await timer(conn)
    assert (row["status"], row["attempts"], row["last_error"]) == ("dead", 2, "ValueError")
    assert await kinds(conn) == ["timer_fired dead", "turn_failed pending"]


async def test_only_what_was_finished_long_ago_is_purged(conn: Connection) -> None:
    key = await talk(conn)
    for name in ("heard", "armed", "recent", "cancelled"):
        await arm(conn, key, name, now=NOW - timedelta(days=40))
    await timers.cancel(
        conn, company_id=key[0], keys=["test:cancelled"], now=NOW - timedelta(days=31)
    )
    await timers.cancel(conn, company_id=key[0], keys=["test:recent"], now=NOW)
    await conn.execute(
        "UPDATE timers SET status = 'fired', started_at = $1, completed_at = $1"
        " WHERE name = 'heard'",
        NOW - timedelta(days=31),
    )
    assert await timers.purge(conn, now=NOW) == 2
    left = await conn.fetch("SELECT name FROM timers ORDER BY name")
    assert [row["name"] for row in left] == ["armed", "recent"]


async def test_operators_see_what_is_late_parked_and_next_and_can_retry(
    conn: Connection, database_url: str, redis_url: str
) -> None:
    key = await talk(conn)
    await arm(conn, key, "broken", max_attempts=1)
    await fire(conn)
    await failures.set_aside(conn, *key, "KeyError", now=NOW)
    await arm(conn, key, "late")
    await arm(conn, key, "later", due=system_clock() + 9 * HOUR)
    shown = await usual("timers", "--json", database_url=database_url, redis_url=redis_url)
    found = json.loads(shown)
    assert [(row["key"], row["last_error"]) for row in found["parked"]] == [
        ("test:broken", "KeyError")
    ]
    assert [row["key"] for row in found["next"]] == ["test:late", "test:later"]
    counted = {name: found["counts"][name] for name in ("armed", "late", "parked", "waiting")}
    assert counted == {"armed": 2, "late": 1, "parked": 1, "waiting": 0}

    table = await usual(
        "timers", "--company", str(key[0]), database_url=database_url, redis_url=redis_url
    )
    assert "2 armed (1 due, 1 late), 0 fired and waiting for a turn, 1 parked" in table
    assert "test:broken" in table

    again = await usual(
        "timers", "--retry", "test:broken", database_url=database_url, redis_url=redis_url
    )
    assert again == "1 to be tried again\n"
    row = await timer(conn, "broken")
    assert (row["status"], row["attempts"]) == ("fired", 0)
    assert not (await heard(conn, key)).stale


async def usual(*command: str, database_url: str, redis_url: str) -> str:
    """Run a command as an operator does; what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *command,
        cwd=CHECKOUT,
        env={**os.environ, "DATABASE_URL": database_url, "REDIS_URL": redis_url, "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode()
