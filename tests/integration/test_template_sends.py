"""Messages outside of the 24 hours: as templates, some of them paused, and not to everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.outcome import gather
from bot.simulator.templates import Template, TemplateStatus
from flows.effects import Say, TemplateUse
from storage import templates
from storage.pool import Pool, connection
from storage.templates import TemplateNews
from tests.support.outgoing import Talk
from tests.support.sending import Bench, running_bench

SILENT = timedelta(days=2)
SPARE = TemplateUse("spare", "en", ("Lumi",), ("menu:home",))
REMINDER = TemplateUse("reminder", "en", ("Lumi", "11:00"), ("menu:home", "menu:on"), SPARE)


@pytest.fixture
async def bench(pool: Pool, redis: Redis) -> AsyncIterator[Bench]:
    async with running_bench(pool, redis) as running:
        declare(running, "reminder", "Visit {{1}} at {{2}}, please", ("Yes", "No"))
        declare(running, "spare", "News from {{1}} for you", ("Read",))
        yield running


def declare(
    bench: Bench,
    name: str,
    body: str,
    buttons: tuple[str, ...],
    status: TemplateStatus = "APPROVED",
) -> None:
    bench.graph.simulator.templates.declare(Template(name, body, buttons=buttons, status=status))


def pause(bench: Bench, name: str, status: TemplateStatus = "PAUSED") -> None:
    bodies = {"reminder": "Visit {{1}} at {{2}}, please", "spare": "News from {{1}} for you"}
    buttons = {"reminder": ("Yes", "No"), "spare": ("Read",)}
    declare(bench, name, bodies[name], buttons[name], status)


def extras(**changes: Any) -> Mapping[str, Any]:
    """What the sender is told of a message with its templates."""
    say = Say("Your visit is at 11:00", template=REMINDER)
    return {**gather([say], None).extras[0], **changes}


async def silent(bench: Bench, company_id: int | None = None) -> Talk:
    """Somebody who has not written for two days."""
    return await bench.writer.talk(company_id or await bench.writer.company(), heard=SILENT)


def sent(bench: Bench) -> list[str]:
    """The names of the templates that Meta took."""
    return [one.body["template"]["name"] for one in bench.graph.sent]


async def states(bench: Bench, company_id: int) -> dict[str, str]:
    async with connection(bench.pool) as conn:
        known = await templates.of_company(conn, company_id)
    return {name: state.status for (name, _), state in known.items()}


async def test_a_template_goes_out_with_its_values_and_our_reply_ids(bench: Bench) -> None:
    talk = await silent(bench)
    phone = bench.graph.customer("Ana", phone=talk.phone)
    row = await bench.writer.say(talk, "Hello", extras=extras())
    await bench.sender()
    await bench.status(row, "sent")
    bubble = await phone.reply()
    assert bubble.text == "Visit Lumi at 11:00, please"
    assert [choice.id for choice in bubble.choices] == ["menu:home", "menu:on"]
    assert (await bench.writer.message(row))["type"] == "template"


async def test_inside_the_window_it_is_the_message_itself(bench: Bench) -> None:
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "Hello", extras=extras())
    await bench.sender()
    await bench.status(row, "sent")
    assert bench.texts == ["Hello"]


@pytest.mark.parametrize(
    ("status", "known"),
    [("PAUSED", "PAUSED"), ("DISABLED", "DISABLED"), ("PENDING", "MISSING")],
)
async def test_where_one_is_refused_the_other_goes_and_the_refusal_is_remembered(
    bench: Bench, status: TemplateStatus, known: str
) -> None:
    pause(bench, "reminder", status)
    company = await bench.writer.company()
    rows = [
        await bench.writer.say(await silent(bench, company), "Hello", extras=extras())
        for _ in range(3)
    ]
    await bench.sender()
    for row in rows:
        await bench.status(row, "sent")
    assert sent(bench) == ["spare"] * 3
    assert await states(bench, company) == {"reminder": known}


async def test_where_none_may_be_sent_it_fails_once_and_visibly(bench: Bench) -> None:
    pause(bench, "reminder")
    pause(bench, "spare", "DISABLED")
    company = await bench.writer.company()
    first, second = await silent(bench, company), await silent(bench, company)
    row = await bench.writer.say(first, "Hello", extras=extras())
    await bench.sender()
    failed = await bench.status(row, "failed")
    assert (failed["error_code"], failed["attempts"]) == (132016, 1)
    # From now on nothing is tried that is known to be refused.
    (await bench.process()).sender.wake()
    row = await bench.writer.say(second, "Hello", extras=extras())
    (await bench.process()).sender.wake()
    assert (await bench.status(row, "failed"))["error_code"] in (132015, 132016)
    assert bench.graph.sent == []
    assert len(await bench.writer.failures(second)) == 1


async def test_what_meta_has_told_is_heeded_before_anything_is_tried(bench: Bench) -> None:
    company = await bench.writer.company()
    async with connection(bench.pool) as conn:
        await templates.put(
            conn, [TemplateNews(company, "reminder", "en", bench.clock(), status="REJECTED")]
        )
    row = await bench.writer.say(await silent(bench, company), "Hello", extras=extras())
    await bench.sender()
    await bench.status(row, "sent")
    assert sent(bench) == ["spare"]


async def test_a_pause_of_which_no_end_was_told_is_not_for_ever(bench: Bench) -> None:
    company = await bench.writer.company()
    long_ago = bench.clock() - timedelta(hours=7)
    async with connection(bench.pool) as conn:
        await templates.put(
            conn, [TemplateNews(company, "reminder", "en", long_ago, status="PAUSED")]
        )
    row = await bench.writer.say(await silent(bench, company), "Hello", extras=extras())
    await bench.sender()
    await bench.status(row, "sent")
    assert sent(bench) == ["reminder"]


@pytest.mark.parametrize("heard", [timedelta(minutes=1), SILENT])
async def test_marketing_does_not_go_to_those_who_stopped_it(
    bench: Bench, heard: timedelta
) -> None:
    talk = await bench.writer.talk(await bench.writer.company(), heard=heard)
    await stop_marketing(bench, talk)
    row = await bench.writer.say(talk, "Again?", extras=extras(marketing=True))
    await bench.sender()
    assert (await bench.status(row, "failed"))["error_code"] == 131050
    assert bench.graph.sent == []


async def test_what_meta_has_made_marketing_does_not_go_to_them_either(bench: Bench) -> None:
    talk = await silent(bench)
    await stop_marketing(bench, talk)
    news = TemplateNews(
        talk.company_id, "reminder", "en", bench.clock(), status="APPROVED", category="MARKETING"
    )
    async with connection(bench.pool) as conn:
        await templates.put(conn, [news])
    row = await bench.writer.say(talk, "Your visit", extras=extras())
    await bench.sender()
    await bench.status(row, "sent")
    assert sent(bench) == ["spare"]


async def test_what_comes_too_late_is_not_sent(bench: Bench) -> None:
    talk = await bench.writer.talk(await bench.writer.company())
    over = (bench.clock() - timedelta(seconds=1)).isoformat()
    row = await bench.writer.say(talk, "Until 11:00", extras={"until": over})
    ahead = (bench.clock() + timedelta(minutes=5)).isoformat()
    other = await bench.writer.say(talk, "Until 12:00", extras={"until": ahead})
    await bench.sender()
    await bench.status(row, "failed")
    await bench.status(other, "sent")
    assert bench.texts == ["Until 12:00"]


async def test_news_of_a_template_may_come_in_any_order(pool: Pool, bench: Bench) -> None:
    company, now = await bench.writer.company(), bench.clock()
    minute = timedelta(minutes=1)
    async with connection(pool) as conn:
        for news in (
            TemplateNews(company, "reminder", "en", now, status="APPROVED", external_id="7"),
            TemplateNews(company, "reminder", "en", now - minute, status="PAUSED"),
            TemplateNews(company, "reminder", "en", now + minute, quality="YELLOW"),
            TemplateNews(company, "other", "ru", now, category="UTILITY"),
        ):
            await templates.put(conn, [news])
        other, reminder = await templates.all_of_them(conn, company)
    assert (reminder.status, reminder.quality, reminder.external_id) == ("APPROVED", "YELLOW", "7")
    assert (other.status, other.category) == ("UNKNOWN", "UTILITY")


async def stop_marketing(bench: Bench, talk: Talk) -> None:
    async with connection(bench.pool) as conn:
        await conn.execute(
            "UPDATE customers SET marketing_opted_out_at = now() WHERE company_id = $1 AND id = $2",
            talk.company_id,
            talk.customer_id,
        )
