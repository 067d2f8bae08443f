"""Each answer of Meta's has one consequence: for the message, its customer or its company."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from redis.asyncio import Redis

from bot.simulator import Rules
from flows.effects import Attachment, Say
from storage.pool import Pool, open_pool
from tests.support.proxy import proxied
from tests.support.sending import Bench, running_bench

REMINDER = {"name": "reminder", "language": {"code": "en"}}
A_MINUTE = timedelta(seconds=61)
CALENDAR = {"filename": "visit.ics", "mime_type": "text/calendar", "content": "BEGIN:VCALENDAR"}


@pytest.fixture
async def bench(pool: Pool, redis: Redis) -> AsyncIterator[Bench]:
    async with running_bench(pool, redis) as running:
        yield running


@pytest.mark.parametrize("code", [100, 131009, 131021, 131030, 131049, 132001, 130472, 131062])
async def test_what_meta_will_never_take_fails_into_an_event(bench: Bench, code: int) -> None:
    bench.graph.fail("error", code=code, times=0)
    process = await bench.process()
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "Hello", leased=True)
    process.sender.deliver([row])
    settled = await bench.status(row, "failed")
    assert (settled["error_code"], settled["attempts"]) == (code, 1)
    message = await bench.writer.message(row)
    assert (message["status"], message["error_code"]) == ("failed", code)
    assert message["failed_at"] is not None
    assert await bench.writer.failures(talk) == [{"code": code, "outbox_id": row.id}]
    assert process.woken == [(talk.company_id, talk.conversation_id)]


async def test_after_a_failure_the_next_message_goes_out(bench: Bench) -> None:
    bench.graph.fail("error", code=131009)
    talk = await bench.writer.talk(await bench.writer.company())
    await bench.writer.say(talk, "1")
    second = await bench.writer.say(talk, "2")
    await bench.sender()
    await bench.status(second, "sent")
    assert bench.texts == ["2"]


async def test_metas_words_about_a_refusal_are_kept_with_the_row(bench: Bench) -> None:
    bench.graph.fail("error", code=131009)
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "1")
    await bench.sender()
    assert (await bench.status(row, "failed"))["extras"]["error"]


@pytest.mark.fault(24)
@pytest.mark.parametrize("code", [2, 131016, 133004])
async def test_trouble_that_passes_is_tried_again_at_once(bench: Bench, code: int) -> None:
    bench.graph.fail("error", code=code, times=2)
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "Hello", leased=True)
    (await bench.sender()).deliver([row])
    assert (await bench.status(row, "sent"))["attempts"] == 1


@pytest.mark.fault(24)
@pytest.mark.parametrize("how", [{"code": 131016}, {"status": 500}, {"status": 503}], ids=str)
async def test_an_upload_that_fails_for_a_moment_costs_nobody_their_file(
    bench: Bench, how: dict[str, int]
) -> None:
    bench.graph.fail("error" if "code" in how else "http", operation="upload", times=2, **how)
    talk = await bench.writer.talk(await bench.writer.company())
    say = Say("See you", attachment=Attachment(**CALENDAR))
    row = await bench.writer.say(talk, say, extras={"attachment": CALENDAR})
    await bench.sender()
    assert (await bench.status(row, "sent"))["attempts"] == 1
    (sent,) = bench.graph.sent
    assert sent.body["document"]["caption"] == "See you"


@pytest.mark.fault(24)
async def test_words_are_not_kept_back_by_an_upload_that_fails_for_long(bench: Bench) -> None:
    bench.graph.fail("http", operation="upload", times=0, status=500)
    talk = await bench.writer.talk(await bench.writer.company())
    say = Say("See you", attachment=Attachment(**CALENDAR))
    row = await bench.writer.say(talk, say, extras={"attachment": CALENDAR})
    await bench.sender()
    await bench.status(row, "sent")
    assert bench.texts == ["See you"]


async def test_a_file_that_is_taken_without_a_name_is_uploaded_once(bench: Bench) -> None:
    calls: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(request.path.rpartition("/")[2])
        await request.read()
        named = {"messages": [{"id": "wamid.1"}]}
        return web.json_response(named if calls[-1] == "messages" else {"success": True})

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        bench.settings = bench.settings.model_copy(update={"whatsapp_api_url": url})
        talk = await bench.writer.talk(await bench.writer.company())
        say = Say("See you", attachment=Attachment(**CALENDAR))
        row = await bench.writer.say(talk, say, extras={"attachment": CALENDAR})
        await bench.sender()
        await bench.status(row, "sent")
        assert calls == ["media", "messages"]
        await bench.stack.aclose()


@pytest.mark.fault(24)
async def test_trouble_that_lasts_waits_longer_each_time(bench: Bench) -> None:
    bench.graph.fail("error", code=131016, times=0)
    sender = await bench.sender()
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "Hello", leased=True)
    sender.deliver([row])
    waits = []
    for attempt in (1, 2, 3):
        found = await bench.when(row, status="pending", attempts=attempt)
        waits.append((found["not_before"] - bench.clock()).total_seconds())
        bench.clock.advance(timedelta(seconds=waits[-1]))
        sender.wake()
    assert waits == pytest.approx([1.1, 2.2, 4.4], abs=0.75)
    assert waits == sorted(waits)


@pytest.mark.parametrize(("code", "tries"), [(1, 2), (131000, 6)])
async def test_trouble_that_lasts_too_long_fails(bench: Bench, code: int, tries: int) -> None:
    bench.graph.fail("error", code=code, times=0)
    sender = await bench.sender()
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "Hello", leased=True)
    sender.deliver([row])
    for attempt in range(1, tries):
        await bench.when(row, status="pending", attempts=attempt)
        bench.clock.advance(timedelta(minutes=5))
        sender.wake()
    assert (await bench.status(row, "failed"))["attempts"] == tries
    assert len(await bench.writer.failures(talk)) == 1


async def test_a_refused_connection_is_tried_again_without_doubt(bench: Bench) -> None:
    port = bench.settings.whatsapp_api_url.rpartition(":")[2]
    bench.settings = bench.settings.model_copy(
        update={"whatsapp_api_url": bench.settings.whatsapp_api_url.replace(port, "1")}
    )
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "Hello", leased=True)
    (await bench.sender()).deliver([row])
    assert (await bench.status(row, "pending"))["error_code"] == 0


async def test_a_recipient_with_too_many_messages_waits_alone(bench: Bench) -> None:
    sender = await bench.sender()
    company = await bench.writer.company()
    ana, boris = await bench.writer.talk(company), await bench.writer.talk(company)
    bench.graph.fail("error", code=131056, times=2, customer=ana.phone)
    one = await bench.writer.say(ana, "1", leased=True)
    sender.deliver([one])
    first = await bench.status(one, "pending")
    assert 1 <= (first["not_before"] - bench.clock()).total_seconds() + 0.5 <= 2
    other = await bench.writer.say(boris, "other", leased=True)
    sender.deliver([other])
    await bench.status(other, "sent")
    bench.clock.advance(timedelta(seconds=2))
    sender.wake()
    second = await bench.when(one, status="pending", attempts=2)
    assert 4 <= (second["not_before"] - bench.clock()).total_seconds() + 0.5 <= 6
    bench.clock.advance(timedelta(seconds=6))
    sender.wake()
    await bench.status(one, "sent")
    assert bench.texts == ["other", "1"]


@pytest.mark.fault(24)
async def test_a_number_that_is_too_fast_slows_down(bench: Bench) -> None:
    bench.graph.fail("error", code=130429)
    sender = await bench.sender()
    company = await bench.writer.company()
    rows = [
        await bench.writer.say(await bench.writer.talk(company), str(n), leased=True)
        for n in range(2)
    ]
    sender.deliver(rows[:1])
    await bench.status(rows[0], "pending")
    sender.deliver(rows[1:])
    await asyncio.sleep(0.2)
    assert bench.texts == [], "the whole number pauses"
    bench.clock.advance(timedelta(seconds=2))
    sender.wake()
    for row in rows:
        await bench.status(row, "sent")


@pytest.mark.parametrize("code", [190, 10, 131042, 131031, 368])
async def test_an_account_in_trouble_holds_everything_and_loses_nothing(
    bench: Bench, code: int
) -> None:
    bench.graph.fail("error", code=code, times=0)
    sender = await bench.sender()
    company, other = await bench.writer.company(), await bench.writer.company("2" * 15)
    talks = [await bench.writer.talk(company) for _ in range(3)]
    first = await bench.writer.say(talks[0], "0", leased=True)
    behind = await bench.writer.say(talks[0], "0b")
    sender.deliver([first])
    assert (await bench.status(first, "held"))["attempts"] == 0
    rows = [await bench.writer.say(talk, str(n)) for n, talk in enumerate(talks[1:], 1)]
    leased = await bench.writer.say(talks[2], "late", leased=True)
    sender.deliver([leased])
    await bench.status(leased, "held")
    bench.graph.clear_faults()
    sender.wake()
    await asyncio.sleep(0.1)
    assert bench.graph.sent == [], "it is not tried all the time"
    assert (await bench.writer.row(behind))["status"] == "pending"
    bench.clock.advance(timedelta(minutes=16))
    sender.wake()
    for row in (first, behind, *rows, leased):
        await bench.status(row, "sent")
    order = [text for text in bench.texts if text.startswith("0")]
    assert order == ["0", "0b"]
    assert other


async def test_another_company_is_not_held(pool: Pool, redis: Redis) -> None:
    async with running_bench(pool, redis) as bench:
        sender = await bench.sender()
        company = await bench.writer.company()
        one = await bench.writer.talk(company)
        bench.graph.fail("error", code=131031, times=0, customer=one.phone)
        held = await bench.writer.say(one, "1", leased=True)
        sender.deliver([held])
        await bench.status(held, "held")
        second = await bench.sender()
        bench.graph.clear_faults()
        second.release(company)
        await bench.status(held, "sent")


async def test_a_held_company_is_found_by_a_process_that_starts_later(bench: Bench) -> None:
    bench.graph.fail("error", code=190, times=0)
    first = await bench.process()
    company = await bench.writer.company()
    row = await bench.writer.say(await bench.writer.talk(company), "1", leased=True)
    first.sender.deliver([row])
    await bench.status(row, "held")
    await first.stop()
    bench.graph.clear_faults()
    await bench.sender()
    await bench.status(row, "sent")


async def test_a_lost_recipient_is_remembered(bench: Bench) -> None:
    bench.graph.fail("error", code=131026)
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "Hello")
    await bench.sender()
    await bench.status(row, "failed")
    assert (await bench.writer.customer(talk))["unreachable_at"] is not None


async def test_who_stopped_marketing_is_remembered(bench: Bench) -> None:
    bench.graph.fail("error", code=131050)
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "Hello")
    await bench.sender()
    await bench.status(row, "failed")
    assert (await bench.writer.customer(talk))["marketing_opted_out_at"] is not None


@pytest.mark.parametrize("heard", [timedelta(hours=24), timedelta(days=3), None])
async def test_outside_of_the_window_nothing_is_tried(
    bench: Bench, heard: timedelta | None
) -> None:
    talk = await bench.writer.talk(await bench.writer.company(), heard=heard)
    row = await bench.writer.say(talk, "Hello")
    await bench.sender()
    assert (await bench.status(row, "failed"))["error_code"] == 131047
    assert bench.graph.sent == []
    assert (await bench.writer.failures(talk))[0]["code"] == 131047


async def test_outside_of_the_window_the_template_is_sent_instead(pool: Pool, redis: Redis) -> None:
    async with running_bench(pool, redis) as bench:
        talk = await bench.writer.talk(await bench.writer.company(), heard=timedelta(days=2))
        row = await bench.writer.say(talk, "Hello", extras={"template": REMINDER})
        await bench.sender()
        await bench.status(row, "sent")
        assert bench.graph.sent[0].body["template"] == REMINDER
        message = await bench.writer.message(row)
        assert message["type"] == "template"
        assert message["body"] == {"type": "template", "template": REMINDER}


async def test_where_meta_sees_the_window_closed_the_template_follows(bench: Bench) -> None:
    bench.graph.fail("error", code=131047)
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "Hello", extras={"template": REMINDER})
    await bench.sender()
    await bench.status(row, "sent")
    assert [sent.kind for sent in bench.graph.sent] == ["template"]


async def test_a_template_that_is_refused_is_not_tried_in_a_circle(
    pool: Pool, redis: Redis
) -> None:
    async with running_bench(pool, redis) as bench:
        bench.graph.fail("error", code=131047, times=0)
        talk = await bench.writer.talk(await bench.writer.company())
        row = await bench.writer.say(talk, "Hello", extras={"template": REMINDER})
        await bench.sender()
        assert (await bench.status(row, "failed"))["attempts"] == 1


async def test_the_rate_of_a_number_is_kept(pool: Pool, redis: Redis) -> None:
    rules = Rules(adopt_strangers=True, number_rate=True, pair_rate=False)
    async with running_bench(pool, redis, rules=rules) as bench:
        company = await bench.writer.company(settings={"messages_per_second": 20})
        rows = [
            await bench.writer.say(await bench.writer.talk(company), str(n)) for n in range(150)
        ]
        sender = await bench.sender()
        await bench.graph.wait_for(20)
        waiting = [await bench.writer.row(row) for row in rows]
        late = [row["not_before"] for row in waiting if row["status"] == "pending"]
        assert late, "what finds no place goes back"
        assert len(set(late)) == len(late), "… and comes back one after the other"
        for _ in range(4):
            bench.clock.advance(timedelta(seconds=8))
            sender.wake()
            await asyncio.sleep(0.1)
        for row in rows:
            await bench.status(row, "sent")


async def test_the_pair_rate_of_a_recipient_is_kept(pool: Pool, redis: Redis) -> None:
    rules = Rules(adopt_strangers=True, number_rate=False, pair_rate=True)
    async with running_bench(pool, redis, rules=rules) as bench:
        company = await bench.writer.company(settings={"messages_per_second": 1000})
        talk = await bench.writer.talk(company)
        rows = [await bench.writer.say(talk, str(n)) for n in range(50)]
        began, sender = bench.clock(), await bench.sender()
        await bench.status(rows[44], "sent")
        waiting = await bench.status(rows[45], "pending")
        assert waiting["not_before"] > began + timedelta(seconds=5)
        assert waiting["error_code"] is None, "Meta never had to refuse one"
        bench.clock.advance(timedelta(minutes=1))
        sender.wake()
        await bench.status(rows[-1], "sent")
        assert bench.texts == [str(n) for n in range(50)]


async def test_what_was_sent_while_the_database_was_away_is_settled_when_it_is_back(
    bench: Bench, database_url: str
) -> None:
    async with proxied(database_url) as (url, proxy), await open_pool(url, size=4) as shaky:
        company = await bench.writer.company()
        rows = [
            await bench.writer.say(await bench.writer.talk(company), str(n), leased=True)
            for n in range(5)
        ]
        bench.pool = shaky
        process = await bench.process()
        await asyncio.sleep(0.1)
        proxy.cut()
        process.sender.deliver(rows)
        await bench.graph.wait_for(5)
        assert process.sender.holds([row.id for row in rows])
        proxy.mend()
        for row in rows:
            assert (await bench.status(row, "sent"))["attempts"] == 1
        await process.stop()
    assert len(bench.graph.sent) == 5
