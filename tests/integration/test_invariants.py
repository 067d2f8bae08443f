"""The query that looks at every test's database sees what it is there to see."""

from __future__ import annotations

from datetime import timedelta

from storage.pool import Connection
from tests.support import invariants
from tests.support.shop import MONDAY, NOW, Shop, open_shop

WAITER = """
INSERT INTO waitlist (
    company_id, customer_id, conversation_id, service_id, wishes, wanted_from, wanted_until,
    flexible, joined_at, ends_at, changed_at
)
SELECT $1, $2, $3, $4, $5, $6, $6, true, $7, $7::timestamptz + interval '9 days', $7
"""


async def waits(conn: Connection, shop: Shop) -> None:
    """Somebody waits for any time on Monday."""
    guest = await shop.guest(conn)
    wishes = [{"from": str(MONDAY), "until": str(MONDAY)}]
    ids = (shop.company_id, guest.customer_id, guest.conversation_id, shop.service_ids[0])
    await conn.execute(WAITER, *ids, wishes, MONDAY, NOW)


async def test_a_time_that_is_free_and_wanted_is_seen(conn: Connection) -> None:
    shop = await open_shop(conn)
    await conn.fetchval("SELECT desk_of($1, $2)", shop.company_id, NOW)
    await waits(conn, shop)
    (wrong,) = await invariants.forgotten(conn)
    assert "waits for it" in wrong
    await conn.execute("UPDATE staff SET position = 9")
    assert await invariants.forgotten(conn) == [], "the desk has been told to look"
    await conn.execute("DELETE FROM waitlist")


async def test_visits_and_offers_that_may_not_be_are_seen(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest, other = await shop.guest(conn), await shop.guest(conn)
    ten = shop.at(MONDAY, "10:00")
    await shop.booked(conn, guest, ten)
    visit = await shop.booked(conn, other, ten + timedelta(hours=1))
    assert await invariants.broken(conn) == []
    await conn.execute(
        "UPDATE bookings SET starts_at = starts_at - interval '5 minutes' WHERE id = $1", visit.id
    )
    assert [wrong.split(" (")[0] for wrong in await invariants.broken(conn)] == [
        "a slot is sold twice"
    ]
    await conn.execute("UPDATE bookings SET starts_at = starts_at + interval '5 minutes'")
    await waits(conn, shop)
    await conn.execute("UPDATE waitlist SET position_in_queue = 2")
    await shop.block(
        conn,
        shop.at(MONDAY, "15:00"),
        shop.at(MONDAY, "16:00"),
        kind="offer",
        expires_at=NOW + timedelta(minutes=15),
    )
    assert {wrong.split(" (")[0] for wrong in await invariants.broken(conn)} == {
        "a time is kept for nobody",
        "the places in a queue are not 1, 2, 3, …",
    }
    await conn.execute("DELETE FROM slot_claims WHERE kind = 'offer'")
    await conn.execute("DELETE FROM waitlist")
    await conn.execute("DELETE FROM bookings")
