"""Reminders in a running bot: once, on time, as a template after a day's silence, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from bot.simulator.templates import Template, TemplateStatus
from bot.whatsapp.templates import declaration
from flows.templates import TEMPLATES
from storage import preferences
from storage.pool import Pool, connect, connection
from tests.support.bot import Scene, running_scene
from tests.support.graph import Bubble, Phone

SOON = timedelta(seconds=1)
SECONDS = 30


@pytest.fixture
async def scene(database_url: str, redis_url: str) -> AsyncIterator[Scene]:
    """A bot whose templates are approved, and which knows no quiet hours."""
    async with running_scene(database_url, redis_url) as scene:
        conn = await connect(database_url)
        await conn.execute(
            "UPDATE companies SET waba_id = '200000000000001', settings = settings ||"
            """ '{"quiet_from": "00:00", "quiet_until": "00:00", "cancel_notice_minutes": 0}'"""
        )
        await conn.close()
        for name in (template.name for template in TEMPLATES):
            approve(scene, name)
        yield scene


def approve(scene: Scene, name: str, status: TemplateStatus = "APPROVED") -> None:
    """Have a template at Meta, in English."""
    template = next(one for one in TEMPLATES if one.name == name)
    declared = declaration(template, "en")
    body = next(part["text"] for part in declared["components"] if part["type"] == "BODY")
    buttons = next(part["buttons"] for part in declared["components"] if part["type"] == "BUTTONS")
    titles = tuple(button["text"] for button in buttons)
    scene.graph.simulator.templates.declare(Template(name, body, buttons=titles, status=status))


async def row(pool: Pool, query: str, *args: Any) -> asyncpg.Record:
    async with connection(pool) as conn:
        found = await conn.fetchrow(query, *args)
    assert found is not None, query
    return found


async def column(pool: Pool, query: str, *args: Any) -> list[Any]:
    async with connection(pool) as conn:
        return [one[0] for one in await conn.fetch(query, *args)]


async def until(true: Callable[[], Awaitable[bool]], what: str) -> None:
    async with asyncio.timeout(SECONDS):
        while not await true():
            await asyncio.sleep(0.02)


async def next_reply(phone: Phone) -> Bubble:
    return await phone.reply(seconds=SECONDS)


async def book(scene: Scene, phone: Phone, *, day: int = 5) -> asyncpg.Record:
    """Book the first service by taps, on the day that stands so far down the list."""
    await phone.say("hi", wait=False)
    await next_reply(phone)
    await phone.tap("Book a visit", wait=False)
    await phone.tap((await next_reply(phone)).rows[0], wait=False)
    await phone.tap((await next_reply(phone)).rows[0], wait=False)
    days = await next_reply(phone)
    await phone.tap(days.rows[day], wait=False)
    times = await next_reply(phone)
    await phone.tap(times.rows[2], wait=False)
    await next_reply(phone)
    await phone.tap("Book it", wait=False)
    booked = await next_reply(phone)
    assert "Booked" in booked.text
    return await theirs(scene.runtime.pool)


async def theirs(pool: Pool) -> asyncpg.Record:
    """The visit that was booked last."""
    return await row(pool, "SELECT * FROM bookings ORDER BY created_at DESC, id DESC LIMIT 1")


async def armed(scene: Scene) -> dict[str, datetime]:
    """The reminders' timers that are armed, by kind."""
    async with connection(scene.runtime.pool) as conn:
        rows = await conn.fetch(
            "SELECT key, due_at FROM timers WHERE name = 'reminder' AND status = 'armed'"
        )
    return {one["key"].rsplit(":")[-1]: one["due_at"] for one in rows}


def go_to(scene: Scene, moment: datetime) -> None:
    """Move the clock to a moment."""
    scene.pass_time(moment - scene.clock())


async def test_a_visit_is_remembered_once_by_template_and_confirmed_by_a_tap(
    scene: Scene,
) -> None:
    pool, ana = scene.runtime.pool, scene.graph.customer("Ana")
    visit = await book(scene, ana)
    dues = await armed(scene)
    assert visit["starts_at"] - dues["2h"] == timedelta(hours=2)
    go_to(scene, dues["24h"] + SOON)
    reminder = await next_reply(ana)
    assert reminder.kind == "template"
    assert reminder.text.startswith("A reminder from Salon Lumi of your visit: ")
    assert [choice.title for choice in reminder.choices] == ["Confirm", "Change", "Cancel visit"]
    await ana.quiet()
    await ana.tap("Confirm", wait=False)
    assert "Thank you! See you on" in (await next_reply(ana)).text
    noted = await row(pool, "SELECT * FROM reminders WHERE kind = '24h'")
    assert noted["sent_at"] is not None
    assert noted["answer"] == "confirmed"
    assert (await theirs(pool))["confirmed_at"] is not None
    go_to(scene, dues["2h"] + SOON)
    second = await next_reply(ana)
    assert (second.kind, second.buttons) == ("interactive", ["Change", "Cancel visit"])
    await ana.quiet()


async def test_a_paused_template_has_another_in_its_place(scene: Scene) -> None:
    ana = scene.graph.customer("Ana")
    await book(scene, ana)
    approve(scene, "usual_visit_reminder", "PAUSED")
    go_to(scene, (await armed(scene))["24h"] + SOON)
    spare = await next_reply(ana)
    assert spare.text.startswith("There is a message from Salon Lumi for you")
    states = await column(scene.runtime.pool, "SELECT name || ' ' || status FROM message_templates")
    assert states == ["usual_visit_reminder PAUSED"]
    await ana.tap("Read it", wait=False)
    assert "Change" in (await next_reply(ana)).buttons


async def test_reminders_follow_a_visit_to_its_new_time(scene: Scene) -> None:
    ana = scene.graph.customer("Ana")
    before = await book(scene, ana, day=3)
    old = await armed(scene)
    await ana.tap("Change", wait=False)
    days = await next_reply(ana)
    await ana.tap(days.rows[6], wait=False)
    times = await next_reply(ana)
    await ana.tap(times.rows[1], wait=False)
    await next_reply(ana)
    await ana.tap("Move it", wait=False)
    assert "Moved" in (await next_reply(ana)).text
    after = await theirs(scene.runtime.pool)
    new = await armed(scene)
    assert after["starts_at"] > before["starts_at"]
    assert new["24h"] > old["24h"]
    go_to(scene, old["2h"] + SOON)
    await ana.quiet(seconds=1)
    go_to(scene, new["24h"] + SOON)
    assert (await next_reply(ana)).text.startswith("A reminder from Salon Lumi")
    planned = await column(scene.runtime.pool, "SELECT due_at FROM reminders ORDER BY due_at")
    assert planned == sorted(new.values())


async def test_of_a_cancelled_visit_nobody_is_reminded(scene: Scene) -> None:
    pool, ana = scene.runtime.pool, scene.graph.customer("Ana")
    await book(scene, ana)
    dues = await armed(scene)
    await ana.tap("Cancel visit", wait=False)
    await next_reply(ana)
    await ana.tap("Yes, cancel it", wait=False)
    await next_reply(ana)
    assert await armed(scene) == {}
    assert await column(pool, "SELECT kind FROM reminders") == []
    go_to(scene, dues["2h"] + SOON)
    await ana.quiet(seconds=1)


async def test_a_stop_is_obeyed_by_reminders_too(scene: Scene) -> None:
    pool, ana = scene.runtime.pool, scene.graph.customer("Ana")
    await book(scene, ana)
    await ana.say("STOP", wait=False)
    await next_reply(ana)
    due = (await armed(scene))["24h"]
    go_to(scene, due + SOON)
    heard = "SELECT count(*) FROM timers WHERE status = 'fired' AND completed_at IS NOT NULL"

    async def is_heard() -> bool:
        return bool((await column(pool, heard))[0])

    await until(is_heard, "the timer")
    await ana.quiet()
    assert await column(pool, "SELECT sent_at FROM reminders WHERE kind = '24h'") == [None]


async def test_the_day_after_it_is_closed_rated_and_learned_from(scene: Scene) -> None:
    pool, ana = scene.runtime.pool, scene.graph.customer("Ana")
    visit = await book(scene, ana, day=2)
    await earlier_visit(pool, visit, days=35)
    review = (await armed(scene))["review"]
    go_to(scene, review + SOON)
    bubble = await next_reply(ana)
    while "Great" not in [choice.title for choice in bubble.choices]:
        bubble = await next_reply(ana)
    await ana.tap("Great", wait=False)
    assert "Thank you" in (await next_reply(ana)).text
    closed = await row(pool, "SELECT * FROM bookings WHERE id = $1", visit["id"])
    assert (closed["status"], closed["rating"]) == ("completed", 5)
    assert closed["completed_at"] is not None
    learned = await row(pool, "SELECT * FROM customer_preferences")
    assert learned["visits_counted"] == 2
    assert learned["favorite_service_id"] == visit["service_id"]
    assert learned["last_visit_at"] == visit["starts_at"]
    rebook = (await armed(scene))["rebook"]
    assert rebook.date() == learned["next_suggested_on"]
    # And then the usual is suggested, by a template with its own two times.
    go_to(scene, rebook + SOON)
    suggestion = await next_reply(ana)
    assert "Your usual?" in suggestion.text
    await ana.tap(
        "The first" if suggestion.kind == "template" else suggestion.buttons[0], wait=False
    )
    assert "Booked" in (await next_reply(ana)).text
    assert (await theirs(pool))["source"] == "usual"


async def test_a_regular_books_the_usual_with_one_tap(scene: Scene, pool: Pool) -> None:
    ana = scene.graph.customer("Ana")
    visit = await book(scene, ana)
    async with connection(pool) as conn:
        await conn.execute(
            "UPDATE bookings SET starts_at = starts_at - interval '35 days',"
            " ends_at = ends_at - interval '35 days', status = 'completed' WHERE id = $1",
            visit["id"],
        )
        await conn.execute("DELETE FROM slot_claims WHERE booking_id = $1", visit["id"])
    await earlier_visit(pool, visit, days=70)
    async with connection(pool) as conn:
        company, customer = visit["company_id"], visit["customer_id"]
        await preferences.learn(conn, [(company, customer)])
    await ana.say("hi", wait=False)
    offer = await next_reply(ana)
    assert offer.text.startswith("Hi Ana. Your usual? ")
    assert len(offer.buttons) == 3
    await ana.tap(offer.buttons[0], wait=False)
    assert "Booked" in (await next_reply(ana)).text
    usual = "SELECT count(*) FROM bookings WHERE source = 'usual' AND status = 'confirmed'"
    assert await column(pool, usual) == [1]
    # A second tap finds the visit of the first.
    await ana.tap(offer.buttons[0], on=offer, wait=False)
    assert "Booked" in (await next_reply(ana)).text
    assert await column(pool, usual) == [1]


async def test_whoever_leaves_in_the_middle_is_asked_once(scene: Scene) -> None:
    ana = scene.graph.customer("Ana")
    await ana.say("hi", wait=False)
    await next_reply(ana)
    await ana.tap("Book a visit", wait=False)
    await next_reply(ana)
    scene.pass_time(timedelta(minutes=16))
    assert (await next_reply(ana)).buttons == ["Carry on", "Never mind"]
    scene.pass_time(timedelta(hours=3))
    await ana.quiet(seconds=1)
    await ana.tap("Carry on", wait=False)
    assert (await next_reply(ana)).text.startswith("What would you like?")


async def test_after_a_week_a_conversation_begins_anew(scene: Scene) -> None:
    ana = scene.graph.customer("Ana")
    await ana.say("hi", wait=False)
    await next_reply(ana)
    await ana.tap("Book a visit", wait=False)
    await next_reply(ana)
    scene.pass_time(timedelta(days=8))
    await ana.say("1", wait=False)
    greeting = await next_reply(ana)
    assert "Book a visit" in greeting.buttons, "no number is taken for a list of last week"


async def earlier_visit(pool: Pool, visit: asyncpg.Record, *, days: int) -> None:
    """Have the customer been there before, for the same and by the same."""
    async with connection(pool) as conn:
        await conn.execute(
            """
            INSERT INTO bookings (
                company_id, id, code, customer_id, service_id, staff_id, starts_at, ends_at,
                timezone, status, price_minor, currency, source, created_at, completed_at
            )
            SELECT
                company_id, uuidv7(), 'PAST' || $3, customer_id, service_id,
                staff_id, starts_at - $4::interval, ends_at - $4::interval, timezone, 'completed',
                price_minor, currency, 'quick', created_at - $4::interval, created_at
            FROM bookings WHERE company_id = $1 AND id = $2
            """,
            visit["company_id"],
            visit["id"],
            str(days),
            timedelta(days=days),
        )


async def test_who_never_answered_has_stayed_away_on_time_and_is_not_asked_how_it_was(
    scene: Scene,
) -> None:
    pool, ana = scene.runtime.pool, scene.graph.customer("Ana")
    async with connection(pool) as conn:
        await conn.execute(
            """UPDATE companies SET settings = settings || '{"no_show_rule": "unconfirmed"}'"""
        )
    visit = await book(scene, ana)
    dues = await armed(scene)
    assert dues["attendance"] == visit["ends_at"] + timedelta(hours=2)
    for kind in ("24h", "2h"):
        go_to(scene, dues[kind] + SOON)
        await next_reply(ana)
    go_to(scene, dues["attendance"] + SOON)

    async def is_closed() -> bool:
        return str((await theirs(pool))["status"]) == "no_show"

    await until(is_closed, "the rule")
    assert (await column(pool, "SELECT no_shows FROM customers WHERE no_shows > 0")) == [1]
    go_to(scene, dues["review"] + SOON)
    await ana.quiet(seconds=1)
