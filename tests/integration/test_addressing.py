"""Whose an event is: companies that come and go, customers who move, news of accounts."""

from __future__ import annotations

from storage.companies import Directory
from storage.pool import Connection, Pool
from tests.support.intake import counted_pool, desk
from tests.support.payloads import ANA, change, contact, envelope, inbound, message, status
from tests.support.rows import company, count, customer_rows, inbox_rows, stray_rows


async def test_a_customer_who_was_deleted_is_enrolled_again(pool: Pool, conn: Connection) -> None:
    await company(conn)
    at = desk(pool)
    await at.take(inbound(message()))
    await conn.execute("DELETE FROM customers")
    await at.take(inbound(message()))
    (customer,) = await customer_rows(conn)
    (row,) = await inbox_rows(conn)
    assert row["conversation_id"] == customer["conversation_id"]


async def test_a_company_that_was_deleted_is_a_stranger_and_back_when_added(
    pool: Pool, conn: Connection
) -> None:
    await company(conn)
    now = 0.0
    at = desk(pool, Directory(monotonic=lambda: now))
    await at.take(inbound(message()))
    await conn.execute("DELETE FROM companies")
    await at.take(inbound(message()))
    assert await count(conn, "strays") == 1
    await company(conn)
    now = 1.0
    await at.take(inbound(message()))
    assert await count(conn, "inbox") == 1


async def test_an_unknown_number_is_asked_for_once_a_second(
    database_url: str, conn: Connection
) -> None:
    now = 0.0
    async with counted_pool(database_url) as (pool, trips):
        at = desk(pool, Directory(monotonic=lambda: now))
        asked = []
        for now in (0.0, 0.5, 0.9, 1.0, 1.5):  # noqa: B007
            await at.take(inbound(message()))
            asked.append(any("by_phone_number_id" in one for one in await trips.taken()))
    assert asked == [True, False, False, True, False]
    assert await count(conn, "strays") == 5


async def test_news_of_an_account_goes_to_all_its_companies(pool: Pool, conn: Connection) -> None:
    ids = [await company(conn, number=number) for number in ("1", "2")]
    await company(conn, number="3", waba="other")
    at = desk(pool)
    news = {"field": "account_update", "value": {"event": "ACCOUNT_RESTRICTION"}}
    await at.take(envelope(news), envelope(news, waba="unknown"))
    rows = await inbox_rows(conn)
    assert [row["company_id"] for row in rows] == ids
    assert {(row["kind"], row["status"]) for row in rows} == {("account", "kept")}
    (stray,) = await stray_rows(conn)
    assert stray["reason"] == "unknown_account"
    assert stray["body"] == {"change": news}


async def test_a_message_without_a_number_is_never_routed_by_its_account(
    pool: Pool, conn: Connection
) -> None:
    await company(conn)
    at = desk(pool)
    await at.take(envelope({"field": "messages", "value": {"messages": [message()]}}))
    (stray,) = await stray_rows(conn)
    assert stray["reason"] == "unknown_number"


async def test_a_customer_keeps_the_conversation_through_a_change_of_number(
    pool: Pool, conn: Connection
) -> None:
    await company(conn)
    moved = message("system", {"type": "user_changed_number", "wa_id": "1999", "user_id": "US.2"})
    parts = [inbound(message()), envelope(change(messages=[moved]))]
    at = desk(pool)
    await at.take(*parts, inbound(message(sender="1999", from_user_id="US.2")))
    await at.take(*parts)
    await at.take(inbound(message(sender="1999")))
    (customer,) = await customer_rows(conn)
    assert (customer["phone"], customer["bsuid"]) == ("1999", "US.2")
    rows = await inbox_rows(conn)
    assert [row["kind"] for row in rows] == ["message", "system", "message", "message"]
    assert {row["conversation_id"] for row in rows} == {customer["conversation_id"]}


async def test_an_old_post_that_comes_again_enrols_and_moves_nobody(
    pool: Pool, conn: Connection
) -> None:
    await company(conn)
    moved = message("system", {"type": "user_changed_number", "wa_id": "1999"})
    old = inbound(message()), envelope(change(messages=[moved]))
    again = message("system", {"type": "user_changed_number", "wa_id": "2999"}, sender="1999")
    await desk(pool).take(*old, envelope(change(messages=[again])))
    await desk(pool).take(inbound(message()))  # somebody else has Ana's first number now
    before = [dict(row) for row in await customer_rows(conn)]
    for _ in range(3):
        await desk(pool).take(*old)
    assert [dict(row) for row in await customer_rows(conn)] == before
    assert [row["phone"] for row in before] == ["2999", ANA]


async def test_a_number_given_to_somebody_new_is_somebody_new(pool: Pool, conn: Connection) -> None:
    await company(conn)
    at = desk(pool)
    moved = message("system", {"type": "user_changed_number", "wa_id": "1999"})
    await at.take(inbound(message()))
    await at.take(envelope(change(messages=[moved])))
    await at.take(inbound(message()))
    assert [row["phone"] for row in await customer_rows(conn)] == ["1999", ANA]


async def test_a_new_name_reaches_the_customer(pool: Pool, conn: Connection) -> None:
    await company(conn)
    at = desk(pool)
    for name in ("Ana", "Ana", "Anna"):
        await at.take(inbound(message(), contacts=[contact(name=name)]))
    (customer,) = await customer_rows(conn)
    assert customer["profile_name"] == "Anna"


async def test_what_was_written_by_hand_goes_to_the_conversation_of_its_reader(
    pool: Pool, conn: Connection
) -> None:
    await company(conn)
    at = desk(pool)
    await at.take(inbound(message()))
    echo = message(sender="15550100000", to=ANA)
    await at.take(envelope(change("smb_message_echoes", message_echoes=[echo])))
    first, second = await inbox_rows(conn)
    assert (second["kind"], second["conversation_id"]) == ("echo", first["conversation_id"])
    assert await count(conn, "customers") == 1


async def test_statuses_wait_for_no_conversation(pool: Pool, conn: Connection) -> None:
    await company(conn)
    at = desk(pool)
    await at.take(envelope(change(statuses=[status(), status("read")])))
    rows = await inbox_rows(conn)
    assert [(row["kind"], row["status"], row["conversation_id"]) for row in rows] == [
        ("status", "pending", None)
    ] * 2
    assert await count(conn, "customers") == 0
