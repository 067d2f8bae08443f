"""What is to be sent goes out once and in order, whatever processes and networks do."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from bot.clerk import Clerk
from flows.effects import Attachment, Button, Say
from storage.outbox import LEASE, Result
from storage.pool import Pool
from storage.redis import open_redis
from tests.support.checkout import CHECKOUT
from tests.support.proxy import proxied
from tests.support.sending import Bench, running_bench, until

CALENDAR = {"filename": "visit.ics", "mime_type": "text/calendar", "content": "BEGIN:VCALENDAR"}
DOUBT = timedelta(seconds=31)


@pytest.fixture
async def bench(pool: Pool, redis: Redis) -> AsyncIterator[Bench]:
    async with running_bench(pool, redis) as running:
        yield running


async def test_a_leased_row_is_sent_and_settled(bench: Bench) -> None:
    sender = await bench.sender()
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "Hello", leased=True)
    sender.deliver([row])
    settled = await bench.status(row, "sent")
    (sent,) = bench.graph.sent
    assert settled["wamid"] == sent.wamid
    assert settled["attempts"] == 1
    assert sent.callback_data == f"usual:{row.company_id}:{row.id}"
    assert sent.to == talk.phone
    message = await bench.writer.message(row)
    assert (message["status"], message["wamid"]) == ("sent", sent.wamid)
    assert message["sent_at"] is not None


async def test_a_pending_row_is_found_by_the_sweep(bench: Bench) -> None:
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "Hello")
    await bench.sender()
    await bench.status(row, "sent")
    assert bench.texts == ["Hello"]


async def test_a_customer_without_a_number_is_reached_by_their_id(bench: Bench) -> None:
    ana = bench.graph.customer("Ana", hides_phone=True)
    ana.open_window()
    talk = await bench.writer.talk(await bench.writer.company(), phone=None, bsuid=ana.user_id)
    row = await bench.writer.say(talk, "Hello")
    await bench.sender()
    await bench.status(row, "sent")
    assert bench.graph.sent[0].body["recipient"] == ana.user_id


async def test_the_messages_of_a_turn_arrive_in_order(bench: Bench) -> None:
    sender = await bench.sender()
    talk = await bench.writer.talk(await bench.writer.company())
    first = await bench.writer.say(talk, "1", leased=True)
    rows = [await bench.writer.say(talk, str(n)) for n in range(2, 8)]
    sender.deliver([first])
    await bench.status(rows[-1], "sent")
    assert bench.texts == ["1", "2", "3", "4", "5", "6", "7"]


async def test_order_holds_per_recipient_under_concurrency_and_with_two_senders(
    bench: Bench,
) -> None:
    company = await bench.writer.company(settings={"messages_per_second": 5000})
    talks = [await bench.writer.talk(company) for _ in range(20)]
    rows = [
        await bench.writer.say(talk, f"{talk.conversation_id}:{n}")
        for n in range(8)
        for talk in talks
    ]
    await bench.sender()
    await bench.sender()
    for row in rows[-len(talks) :]:
        await bench.status(row, "sent")
    assert len(bench.graph.sent) == len(rows)
    for talk in talks:
        mine = [text for text in bench.texts if text.startswith(f"{talk.conversation_id}:")]
        assert mine == [f"{talk.conversation_id}:{n}" for n in range(8)]


async def test_a_file_is_uploaded_and_sent_with_its_words(bench: Bench) -> None:
    say = Say("See you", buttons=(Button("a", "Thanks"),), attachment=Attachment(**CALENDAR))
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, say, extras={"attachment": CALENDAR})
    await bench.sender()
    await bench.status(row, "sent")
    header = bench.graph.sent[0].body["interactive"]["header"]
    assert header["document"]["filename"] == "visit.ics"
    assert header["document"]["id"]


async def test_a_file_that_cannot_be_uploaded_does_not_keep_the_words_back(bench: Bench) -> None:
    bench.graph.fail("error", operation="upload", code=131053)
    talk = await bench.writer.talk(await bench.writer.company())
    say = Say("See you", attachment=Attachment(**CALENDAR))
    row = await bench.writer.say(talk, say, extras={"attachment": CALENDAR})
    await bench.sender()
    await bench.status(row, "sent")
    assert bench.texts == ["See you"]


@pytest.mark.fault(24)
async def test_a_send_without_an_answer_is_settled_by_its_status(bench: Bench) -> None:
    bench.graph.fail("accept_then_drop")
    sender = await bench.sender()
    company = await bench.writer.company()
    row = await bench.writer.say(await bench.writer.talk(company), "Hello", leased=True)
    sender.deliver([row])
    await bench.status(row, "doubt")
    await bench.take_in(company)
    await bench.statuses(sender).drain()
    settled = await bench.status(row, "sent")
    assert settled["wamid"] == bench.graph.sent[0].wamid
    bench.clock.advance(DOUBT)
    sender.wake()
    await asyncio.sleep(0.1)
    assert bench.texts == ["Hello"]


@pytest.mark.fault(24)
async def test_a_send_without_answer_and_status_is_made_again_when_doubt_is_over(
    bench: Bench,
) -> None:
    bench.graph.fail("drop")
    sender = await bench.sender()
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "1", leased=True)
    later = await bench.writer.say(talk, "2")
    sender.deliver([row])
    await bench.status(row, "doubt")
    sender.wake()
    await asyncio.sleep(0.1)
    assert bench.texts == [], "nothing overtakes a message in doubt"
    bench.clock.advance(DOUBT)
    sender.wake()
    await bench.status(later, "sent")
    assert bench.texts == ["1", "2"]
    assert (await bench.writer.row(row))["attempts"] == 2


@pytest.mark.fault(24)
async def test_what_stays_in_doubt_for_half_an_hour_is_given_up(bench: Bench) -> None:
    bench.graph.fail("drop", times=0)
    process = await bench.process()
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "Hello", leased=True)
    process.sender.deliver([row])
    for number, attempts in enumerate((1, 2, 3, 4, 5, 40)):
        await bench.when(row, status="doubt", attempts=attempts)
        bench.clock.advance(DOUBT * 2**number)
        process.sender.wake()
    await bench.status(row, "failed")
    (told,) = await bench.writer.failures(talk)
    assert told["outbox_id"] == row.id
    assert process.woken == [(talk.company_id, talk.conversation_id)]


@pytest.mark.fault(24)
async def test_a_process_killed_between_send_and_settlement_sends_once_when_a_status_came(
    bench: Bench,
) -> None:
    company = await bench.writer.company()
    talk = await bench.writer.talk(company)
    row = await bench.writer.say(talk, "1", leased=True)
    later = await bench.writer.say(talk, "2")
    bench.graph.fail("slow", seconds=5)
    first = await bench.process()
    first.sender.deliver([row])
    await bench.graph.wait_for(1)
    await first.kill()
    await bench.take_in(company)
    await bench.statuses().drain()
    second = await bench.sender()
    await bench.status(later, "sent")
    bench.clock.advance(LEASE + DOUBT)
    second.wake()
    await asyncio.sleep(0.1)
    assert bench.texts == ["1", "2"]


async def test_a_process_killed_between_send_and_settlement_leaves_a_doubt_until_time_is_over(
    bench: Bench,
) -> None:
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "1", leased=True)
    bench.graph.fail("slow", seconds=5)
    first = await bench.process()
    first.sender.deliver([row])
    await bench.graph.wait_for(1)
    await first.kill()
    second = await bench.sender()
    await asyncio.sleep(0.1)
    assert (await bench.writer.row(row))["status"] == "sending", "the lease still runs"
    bench.clock.advance(LEASE)
    second.wake()
    await bench.status(row, "doubt")
    assert bench.texts == ["1"]
    bench.clock.advance(DOUBT)
    second.wake()
    await bench.status(row, "sent")
    assert bench.texts == ["1", "1"]


async def test_a_killed_process_leaves_nothing_unsent_and_nothing_sent_twice(
    bench: Bench, database_url: str, redis_url: str
) -> None:
    company = await bench.writer.company(settings={"messages_per_second": 1000})
    talks = [await bench.writer.talk(company) for _ in range(20)]
    rows = [await bench.writer.say(talk, f"{talk.phone} {n}") for n in range(3) for talk in talks]
    bench.graph.fail("slow", times=0, seconds=0.1)
    doomed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.sending_process"),
        *(database_url, redis_url, bench.graph.simulator.base_url),
        cwd=CHECKOUT,
    )
    await bench.graph.wait_for(25, seconds=20)
    doomed.kill()
    await doomed.wait()
    bench.graph.clear_faults()
    bench.clock.advance(LEASE)
    sender = await bench.sender()
    await asyncio.sleep(0.1)
    await bench.take_in(company)
    await bench.statuses(sender).drain()
    bench.clock.advance(DOUBT)
    sender.wake()
    for row in rows:
        await bench.status(row, "sent")
    assert sorted(bench.texts) == sorted(f"{talk.phone} {n}" for n in range(3) for talk in talks)
    for talk in talks:
        mine = [text for text in bench.texts if text.startswith(str(talk.phone))]
        assert mine == sorted(mine)


async def test_a_message_that_is_behind_one_that_went_back_does_not_overtake_it(
    bench: Bench,
) -> None:
    bench.graph.fail("error", code=131056)
    sender = await bench.sender()
    talk = await bench.writer.talk(await bench.writer.company())
    first = await bench.writer.say(talk, "1", leased=True)
    sender.deliver([first])
    await bench.status(first, "pending")
    second = await bench.writer.say(talk, "2", leased=True)
    assert not sender.holds([first.id])
    sender.deliver([second])
    await bench.status(second, "pending")
    assert (await bench.writer.row(second))["attempts"] == 0
    bench.clock.advance(timedelta(seconds=2))
    sender.wake()
    await bench.status(first, "sent")
    bench.clock.advance(timedelta(seconds=7))
    sender.wake()
    await bench.status(second, "sent")
    assert bench.texts == ["1", "2"]


async def test_a_row_that_was_written_behind_another_is_found_by_a_nudge(bench: Bench) -> None:
    sender = await bench.sender()
    talk = await bench.writer.talk(await bench.writer.company())
    row = await bench.writer.say(talk, "1")
    sender.nudge(talk.company_id, talk.conversation_id)
    await bench.status(row, "sent")


async def test_stopping_finishes_what_is_in_flight_and_puts_the_rest_back(bench: Bench) -> None:
    bench.graph.fail("slow", seconds=0.3)
    process = await bench.process()
    talk = await bench.writer.talk(await bench.writer.company())
    rows = [await bench.writer.say(talk, str(n), leased=True) for n in range(3)]
    process.sender.deliver(rows)
    await bench.graph.wait_for(1)
    await process.stop()
    standing = [(await bench.writer.row(row))["status"] for row in rows]
    assert standing == ["sent", "pending", "pending"]
    process.sender.deliver([await bench.writer.say(talk, "late", leased=True)])
    await bench.sender()
    await until(lambda: len(bench.texts) == 3)
    assert bench.texts == ["0", "1", "2"]


@pytest.mark.fault(24)
async def test_statuses_that_race_with_answers_neither_block_nor_double_anything(
    bench: Bench,
) -> None:
    company = await bench.writer.company(settings={"messages_per_second": 5000})
    talks = [await bench.writer.talk(company) for _ in range(30)]
    rows = [await bench.writer.say(talk, str(n)) for n in range(5) for talk in talks]
    process = await bench.process()
    worker = bench.statuses(process.sender)
    working = asyncio.create_task(worker.run())
    for _ in rows:
        await bench.take_in(company, at_least=0)
        worker.wake()
        await asyncio.sleep(0.005)
        if len(bench.graph.sent) == len(rows):
            break
    for row in rows:
        await bench.status(row, "sent")
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert len(bench.graph.sent) == len(rows)
    assert {(await bench.writer.row(row))["attempts"] for row in rows} == {1}


async def test_a_result_that_cannot_be_stored_does_not_keep_others_from_it(bench: Bench) -> None:
    company = await bench.writer.company()
    rows = [
        await bench.writer.say(await bench.writer.talk(company), str(n), leased=True)
        for n in range(3)
    ]
    clerk = Clerk(
        bench.pool,
        bench.clock,
        in_doubt=timedelta(seconds=30),
        take=lambda rows: None,
        failed=lambda keys: None,
    )
    for n, row in enumerate(rows):
        clerk.hands.add(row, bench.clock() + LEASE)
        clerk.note(Result(row, "sent", 1, wamid=str(n), code=10**12 if n == 1 else None))
    await clerk.close()
    standing = [(await bench.writer.row(row))["status"] for row in rows]
    assert standing == ["sent", "sending", "sent"]
    assert len(clerk.hands) == 0, "what cannot be settled is left to its lease"


async def test_sending_goes_on_without_redis(pool: Pool, redis_url: str) -> None:
    async with proxied(redis_url) as (url, proxy):
        redis = open_redis(url)
        async with redis, running_bench(pool, redis) as bench:
            sender = await bench.sender()
            talk = await bench.writer.talk(await bench.writer.company())
            for n in range(20):
                if n == 7:
                    proxy.cut()
                if n == 14:
                    proxy.mend()
                row = await bench.writer.say(talk, str(n), leased=True)
                sender.deliver([row])
                await bench.status(row, "sent")
            assert bench.texts == [str(n) for n in range(20)]


async def test_a_message_is_shown_as_read_before_the_reply(bench: Bench) -> None:
    ana = bench.graph.customer("Ana", phone="15551230000")
    asked = await ana.say("hi")
    sender = await bench.sender()
    talk = await bench.writer.talk(await bench.writer.company(), phone="15551230000")
    row = await bench.writer.say(talk, "Hello", leased=True)
    bench.graph.fail("slow", operation="read", seconds=0.2)
    sender.mark_read(
        company_id=talk.company_id,
        conversation_id=talk.conversation_id,
        phone_number_id=talk.phone_number_id,
        wamid=asked.id,
        typing=True,
    )
    await asyncio.sleep(0.05)
    sender.deliver([row])
    await asyncio.sleep(0.05)
    assert bench.texts == [], "the reply waits for the typing indicator, not the other way round"
    await bench.status(row, "sent")


async def test_a_read_receipt_that_comes_too_late_is_dropped(bench: Bench) -> None:
    ana = bench.graph.customer("Ana", phone="15551230000")
    asked = await ana.say("hi")
    sender = await bench.sender()
    talk = await bench.writer.talk(await bench.writer.company(), phone="15551230000")
    row = await bench.writer.say(talk, "Hello", leased=True)
    bench.graph.fail("slow", seconds=0.2)
    sender.deliver([row])
    await asyncio.sleep(0.05)
    sender.mark_read(
        company_id=talk.company_id,
        conversation_id=talk.conversation_id,
        phone_number_id=talk.phone_number_id,
        wamid=asked.id,
        typing=True,
    )
    later = await bench.writer.say(talk, "And", leased=True)
    sender.deliver([later])
    await bench.status(later, "sent")
    assert bench.texts == ["Hello", "And"]
