"""`usual waitlist`: what operators see, and what they can have offered."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from bot.operators import waitlist
from bot.settings import Settings, SettingsError
from flows.effects import OfferTimes
from flows.matching import plan
from storage import desk
from storage.clock import system_clock
from storage.pool import Pool, connection
from tests.support.shop import Shop, open_shop


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """Settings that lead to the test's servers."""
    return Settings(database_url=SecretStr(database_url), redis_url=SecretStr(redis_url))


async def crowd(pool: Pool) -> Shop:
    """A shop where two wait for whatever comes, and the first has an offer."""
    now = system_clock()
    async with connection(pool) as conn:
        shop = await open_shop(conn)
        guests = [await shop.guest(conn) for _ in range(2)]
        for guest in guests:
            await conn.execute(
                """
                INSERT INTO waitlist (
                    company_id, customer_id, conversation_id, service_id, wishes, wanted_from,
                    wanted_until, flexible, joined_at, ends_at, changed_at
                )
                VALUES (
                    $1, $2, $3, $4, jsonb_build_array(jsonb_build_object(
                        'from', ($5::date + 3)::text, 'until', ($5::date + 4)::text,
                        'part', 'morning')),
                    $5::date + 3, $5::date + 4, true, $6, $6::timestamptz + interval '9 days', $6
                )
                """,
                shop.company_id,
                guest.customer_id,
                guest.conversation_id,
                shop.service_ids[0],
                now.date(),
                now,
            )
        await conn.fetchval("SELECT desk_of($1, $2)", shop.company_id, now)
        waiters, free = await desk.look(conn, shop.catalog, now=now)
        first = plan(shop.catalog, waiters[:1], free, now=now, only=waiters[0].id).offers
        async with conn.transaction():
            await desk.offer_times(
                conn, shop.catalog, OfferTimes(first), now=now, conversation_id=0
            )
    return shop


async def ids(pool: Pool) -> list[int]:
    async with connection(pool) as conn:
        return [row["id"] for row in await conn.fetch("SELECT id FROM waitlist ORDER BY id")]


async def show(
    settings: Settings, shop: Shop, *, entry: int = 0, offer: int = 0, json: bool = False
) -> None:
    await waitlist.show(settings, company=shop.company_id, entry=entry, offer=offer, json=json)


async def test_the_queue_shows_places_offers_and_what_is_free_for_whom(
    settings: Settings, pool: Pool, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    shop = await crowd(pool)
    first, second = await ids(pool)
    await show(settings, shop, json=True)
    shown = json.loads(capfdbinary.readouterr().out)
    assert shown["policy"] == "first_come"
    places = [(row["id"], row["position"], row["status"]) for row in shown["queue"]]
    assert places == [(first, 1, "notified"), (second, 2, "active")]
    assert shown["queue"][0]["offered_staff"] == "Becky"
    assert [choice["entry"] for choice in shown["choices"]] == [second]
    await show(settings, shop)
    table = capfdbinary.readouterr().out.decode()
    assert "notified" in table
    assert "morning" in table
    await settle(pool)


async def test_an_entry_has_a_history(
    settings: Settings, pool: Pool, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    shop = await crowd(pool)
    first, _ = await ids(pool)
    await show(settings, shop, entry=first, json=True)
    shown = json.loads(capfdbinary.readouterr().out)
    assert [step["outcome"] for step in shown["history"]] == ["joined", "offered"]
    await show(settings, shop, entry=first)
    assert "offered" in capfdbinary.readouterr().out.decode()
    with pytest.raises(SettingsError, match="no entry 99"):
        await show(settings, shop, entry=99)
    await settle(pool)


async def test_a_picked_entry_is_put_to_the_desk_if_there_is_anything_for_it(
    settings: Settings, pool: Pool
) -> None:
    shop = await crowd(pool)
    first, second = await ids(pool)
    await show(settings, shop, offer=second)
    async with connection(pool) as conn:
        events = await conn.fetch("SELECT event FROM inbox WHERE kind = 'offer_picked'")
    assert [row["event"] for row in events] == [{"waitlist_id": second}]
    with pytest.raises(SettingsError, match="or it has an offer"):
        await show(settings, shop, offer=first)
    await settle(pool)


async def test_a_company_that_is_not_there_is_said_so(settings: Settings, pool: Pool) -> None:
    with pytest.raises(SettingsError, match="There is no company 77"):
        await waitlist.show(settings, company=77, entry=0, offer=0, json=False)


async def settle(pool: Pool) -> None:
    """Leave nothing that the desk would still have to do."""
    async with connection(pool) as conn:
        await conn.execute("DELETE FROM slot_claims WHERE kind = 'offer'")
        await conn.execute("DELETE FROM waitlist")
