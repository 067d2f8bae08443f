"""Statuses take messages forward only, in any order, and settle what was in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.delivery import callback_data
from storage.pool import Pool, connection
from tests.support.outgoing import hear, status_webhook
from tests.support.sending import Bench, running_bench, until
from tests.support.told import about, failure, held_back, left, sent, tell

REMINDER = {"name": "reminder", "language": {"code": "en"}}


@pytest.fixture
async def bench(pool: Pool, redis: Redis) -> AsyncIterator[Bench]:
    async with running_bench(pool, redis) as running:
        yield running


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("order", list(permutations(["sent", "delivered", "read"])))
async def test_the_order_of_statuses_does_not_matter(
    bench: Bench, order: tuple[str, ...], echo: bool
) -> None:
    talk, row = await sent(bench)
    worker = bench.statuses()
    began = int(bench.clock().timestamp())
    for status in order:
        at = str(began + ["sent", "delivered", "read"].index(status))
        told = about(bench, row, status, echo=echo, timestamp=at)
        await tell(bench, worker, talk.company_id, told)
    message = await bench.writer.message(row)
    assert message["status"] == "read"
    assert (message["read_at"] - message["delivered_at"]) == timedelta(seconds=1)
    assert await left(bench) == ["done"] * 3


async def test_all_statuses_in_one_batch_come_to_the_same(bench: Bench) -> None:
    talk, row = await sent(bench)
    statuses = [about(bench, row, one) for one in ("read", "sent", "played", "delivered")]
    await tell(bench, bench.statuses(), talk.company_id, *statuses)
    assert (await bench.writer.message(row))["status"] == "played"


@pytest.mark.parametrize("order", list(permutations(["sent", "delivered", "failed"])))
async def test_failed_comes_after_sent_and_before_delivered(
    bench: Bench, order: tuple[str, ...]
) -> None:
    talk, row = await sent(bench)
    worker = bench.statuses()
    for status in order:
        told = failure(bench, row, 131053) if status == "failed" else about(bench, row, status)
        await tell(bench, worker, talk.company_id, told)
    assert (await bench.writer.message(row))["status"] == "delivered"


@pytest.mark.fault(24)
async def test_a_status_that_comes_twice_changes_nothing(bench: Bench) -> None:
    talk, row = await sent(bench)
    worker = bench.statuses()
    for _ in range(2):
        await tell(bench, worker, talk.company_id, about(bench, row, "delivered"))
    assert (await bench.writer.message(row))["status"] == "delivered"
    assert await left(bench) == ["done"]


@pytest.mark.parametrize("status", ["sending", "doubt", "pending", "held"])
async def test_a_status_settles_a_row_whose_outcome_is_not_known(bench: Bench, status: str) -> None:
    talk, row = await held_back(bench, status)
    await tell(bench, bench.statuses(), talk.company_id, about(bench, row, "delivered"))
    settled = await bench.status(row, "sent")
    assert settled["wamid"] == bench.graph.sent[0].wamid
    assert settled["lease_until"] is None
    message = await bench.writer.message(row)
    assert (message["status"], message["wamid"]) == ("delivered", bench.graph.sent[0].wamid)


async def test_a_settled_doubt_lets_the_next_message_go(bench: Bench) -> None:
    talk, row = await held_back(bench, "doubt")
    later = await bench.writer.say(talk, "And")
    sender = await bench.sender()
    await tell(bench, bench.statuses(sender), talk.company_id, about(bench, row, "sent"))
    await bench.status(later, "sent")


async def test_the_price_is_kept(bench: Bench) -> None:
    talk, row = await sent(bench)
    pricing = {"billable": True, "pricing_model": "PMP", "category": "utility", "type": "regular"}
    await tell(bench, bench.statuses(), talk.company_id, about(bench, row, "sent", pricing=pricing))
    message = await bench.writer.message(row)
    assert (message["price_category"], message["price_type"], message["price_model"]) == (
        "utility",
        "regular",
        "PMP",
    )
    assert message["cost_minor"] is None, "no rate is known"


async def test_the_cost_follows_the_companys_rates(bench: Bench) -> None:
    talk, row = await sent(bench)
    async with connection(bench.pool) as conn:
        await conn.execute(
            "UPDATE companies SET settings = $1", {"message_prices": {"utility": 0.4, "odd": "x"}}
        )
    worker = bench.statuses()
    pricing = {"category": "odd", "type": "regular"}
    await tell(bench, worker, talk.company_id, about(bench, row, "sent", pricing=pricing))
    assert (await bench.writer.message(row))["cost_minor"] is None
    pricing = {"category": "utility", "type": "regular"}
    await tell(bench, worker, talk.company_id, about(bench, row, "delivered", pricing=pricing))
    assert (await bench.writer.message(row))["cost_minor"] == Decimal("0.4")


@pytest.mark.parametrize(
    "pricing",
    [
        {"category": "service", "type": "free_customer_service"},
        {"category": "referral_conversion", "type": "free_entry_point"},
        {"billable": False, "category": "service", "pricing_model": "CBP"},
    ],
)
async def test_what_is_free_costs_nothing(bench: Bench, pricing: dict[str, Any]) -> None:
    talk, row = await sent(bench)
    await tell(bench, bench.statuses(), talk.company_id, about(bench, row, "sent", pricing=pricing))
    assert (await bench.writer.message(row))["cost_minor"] == 0


async def test_a_late_failure_is_told_to_the_conversation(bench: Bench) -> None:
    talk, row = await sent(bench)
    for _ in range(2):
        await tell(bench, bench.statuses(), talk.company_id, failure(bench, row, 131026))
    message = await bench.writer.message(row)
    assert (message["status"], message["error_code"]) == ("failed", 131026)
    assert (await bench.status(row, "failed"))["error_code"] == 131026
    assert await bench.writer.failures(talk) == [{"code": 131026, "outbox_id": row.id}]
    assert (await bench.writer.customer(talk))["unreachable_at"] is not None


async def test_a_delivery_shows_that_a_customer_can_be_reached_again(bench: Bench) -> None:
    talk, row = await sent(bench)
    async with connection(bench.pool) as conn:
        await conn.execute("UPDATE customers SET unreachable_at = $1", bench.clock())
    await tell(bench, bench.statuses(), talk.company_id, about(bench, row, "delivered"))
    assert (await bench.writer.customer(talk))["unreachable_at"] is None


async def test_who_stopped_marketing_is_remembered(bench: Bench) -> None:
    talk, row = await sent(bench)
    await tell(bench, bench.statuses(), talk.company_id, failure(bench, row, 131050))
    assert (await bench.writer.customer(talk))["marketing_opted_out_at"] is not None


async def test_a_failure_that_passes_is_sent_again_if_nothing_was_said_since(
    bench: Bench,
) -> None:
    talk, row = await sent(bench)
    await tell(bench, bench.statuses(), talk.company_id, failure(bench, row, 131016))
    assert (await bench.writer.row(row))["status"] == "pending"
    assert (await bench.writer.message(row))["status"] == "queued"
    bench.clock.advance(timedelta(seconds=2))
    await bench.sender()
    await bench.status(row, "sent")
    assert len(bench.graph.sent) == 2
    assert await bench.writer.failures(talk) == []


async def test_a_failure_that_passes_is_final_once_more_was_said(bench: Bench) -> None:
    talk, row = await sent(bench)
    await bench.writer.say(talk, "And")
    await tell(bench, bench.statuses(), talk.company_id, failure(bench, row, 131016))
    await bench.status(row, "failed")
    assert len(await bench.writer.failures(talk)) == 1


async def test_a_window_that_meta_sees_closed_later_gets_the_template(bench: Bench) -> None:
    talk, row = await sent(bench, extras={"template": REMINDER})
    worker = bench.statuses()
    await tell(bench, worker, talk.company_id, failure(bench, row, 131047))
    sender = await bench.sender()
    bench.clock.advance(timedelta(seconds=2))
    sender.wake()
    await until(lambda: len(bench.graph.sent) == 2)
    await bench.status(row, "sent")
    assert bench.graph.sent[1].kind == "template"
    await tell(bench, worker, talk.company_id, failure(bench, row, 131047))
    await bench.status(row, "failed")


async def test_a_window_that_is_closed_without_a_template_fails(bench: Bench) -> None:
    talk, row = await sent(bench)
    await tell(bench, bench.statuses(), talk.company_id, failure(bench, row, 131047))
    await bench.status(row, "failed")


async def test_an_account_in_trouble_is_held_by_a_status_too(bench: Bench) -> None:
    talk, row = await sent(bench)
    process = await bench.process()
    worker = bench.statuses(process.sender)
    bench.graph.fail("error", code=131042, times=0)
    await tell(bench, worker, talk.company_id, failure(bench, row, 131042))
    await bench.status(row, "held")
    later = await bench.writer.say(await bench.writer.talk(talk.company_id), "x", leased=True)
    process.sender.deliver([later])
    await bench.status(later, "held")
    bench.graph.clear_faults()
    bench.clock.advance(timedelta(minutes=2))
    process.sender.wake()
    await bench.status(row, "sent")
    await bench.status(later, "sent")


async def test_a_failure_waits_until_the_answer_to_the_send_is_in(bench: Bench) -> None:
    talk, row = await held_back(bench, "sending")
    worker = bench.statuses()
    await tell(bench, worker, talk.company_id, failure(bench, row, 131026))
    assert await left(bench) == ["pending"]
    async with connection(bench.pool) as conn:
        await conn.execute("UPDATE outbox SET status = 'doubt'")
    bench.clock.advance(timedelta(seconds=2))
    await worker.drain()
    await bench.status(row, "failed")
    assert await left(bench) == ["done"]


async def test_of_a_message_that_was_sent_twice_one_failure_says_nothing(bench: Bench) -> None:
    talk, row = await sent(bench)
    other = failure(bench, row, 131026) | {"id": "wamid.of.the.other"}
    await tell(bench, bench.statuses(), talk.company_id, other)
    assert (await bench.writer.message(row))["status"] == "sent"
    assert await left(bench) == ["done"]


@pytest.mark.fault(24)
async def test_a_status_before_its_message_waits_for_it_for_a_minute(bench: Bench) -> None:
    talk, row = await held_back(bench, "pending")
    worker = bench.statuses()
    await tell(bench, worker, talk.company_id, about(bench, row, "delivered", echo=False))
    assert await left(bench) == ["pending"]
    async with connection(bench.pool) as conn:
        await conn.execute("UPDATE outbox SET wamid = $1", bench.graph.sent[0].wamid)
    bench.clock.advance(timedelta(seconds=1))
    await worker.drain()
    assert (await bench.writer.message(row))["status"] == "delivered"


async def test_a_status_of_nothing_is_given_up_after_a_minute(bench: Bench) -> None:
    talk, row = await sent(bench)
    worker = bench.statuses()
    stray = about(bench, row, "delivered", echo=False) | {"id": "wamid.nobody"}
    await tell(bench, worker, talk.company_id, stray)
    looks = 1
    while await left(bench) == ["pending"]:
        bench.clock.advance(timedelta(seconds=5))
        looks += await worker.drain()
        assert looks < 10
    assert await left(bench) == ["done"]


async def test_what_is_not_known_is_kept(bench: Bench) -> None:
    talk, row = await sent(bench)
    await tell(bench, bench.statuses(), talk.company_id, about(bench, row, "warning"))
    assert await left(bench) == ["kept"]
    assert (await bench.writer.message(row))["status"] == "sent"


@pytest.mark.parametrize(
    "odd",
    [
        {"timestamp": "soon"},
        {"timestamp": None, "pricing": "free"},
        {"pricing": {"category": 7, "type": [], "pricing_model": None, "billable": "no"}},
        {"biz_opaque_callback_data": "usual:1:99999999999999999999999"},
        {"biz_opaque_callback_data": "usual:x:y"},
        {"biz_opaque_callback_data": 7},
        {"status": "failed", "errors": None},
        {"status": "failed", "errors": ["odd"]},
        {"status": "failed", "errors": [{"code": 10**12}]},
        {"status": "failed", "errors": {"code": "131026"}},
    ],
)
async def test_odd_statuses_do_no_harm_to_their_neighbours(
    bench: Bench, odd: dict[str, Any]
) -> None:
    talk, row = await sent(bench)
    good = about(bench, row, "read")
    await tell(bench, bench.statuses(), talk.company_id, about(bench, row, "sent") | odd, good)
    assert (await bench.writer.message(row))["status"] == "read"


async def test_a_key_of_another_company_opens_nothing(bench: Bench) -> None:
    _, row = await sent(bench)
    other = await bench.writer.company("2" * 15)
    await tell(bench, bench.statuses(), other, failure(bench, row, 131026))
    assert (await bench.writer.message(row))["status"] == "sent"


async def test_a_status_that_cannot_be_stored_is_parked_and_its_neighbours_are_not(
    bench: Bench,
) -> None:
    talk, row = await sent(bench)
    async with connection(bench.pool) as conn:
        prices = {"message_prices": {"odd": 1e30}}
        await conn.execute("UPDATE companies SET settings = $1", prices)
    odd = about(bench, row, "delivered", pricing={"category": "odd", "type": "regular"})
    await tell(bench, bench.statuses(), talk.company_id, odd, about(bench, row, "read"))
    assert (await bench.writer.message(row))["status"] == "read"
    assert sorted(await left(bench)) == ["dead", "done"]


async def test_two_workers_share_a_swarm(bench: Bench) -> None:
    process = await bench.process()
    company = await bench.writer.company(settings={"messages_per_second": 5000})
    rows = [await bench.writer.say(await bench.writer.talk(company), str(n)) for n in range(60)]
    process.sender.wake()
    for row in rows:
        await bench.status(row, "sent")
    by_key = {one.callback_data: one.wamid for one in bench.graph.sent}
    for status in ("read", "delivered", "sent"):
        swarm = [
            {
                "id": by_key[callback_data(row)],
                "status": status,
                "timestamp": str(int(datetime.now(UTC).timestamp())),
                "biz_opaque_callback_data": callback_data(row),
            }
            for row in rows
        ]
        await hear(bench.pool, company, status_webhook(*swarm), now=bench.clock())
    workers = [bench.statuses(), bench.statuses()]
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    for worker in workers:
        worker.wake()
    for row in rows:
        async with asyncio.timeout(5):
            while (await bench.writer.message(row))["status"] != "read":
                await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert set(await left(bench)) == {"done"}
