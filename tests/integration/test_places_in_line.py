"""Places in line: who competes with whom for the time of the same people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flows.effects import LeaveWaitlist
from flows.events import TimesStillFree, WaitlistJoined
from flows.model_waitlist import Wanted
from storage import waitlist
from storage.pool import Connection
from tests.integration.test_waitlist import LATER, full, join
from tests.support.shop import MONDAY, Guest, column, open_shop


async def test_in_line_are_those_whose_wishes_meet(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"))
    await full(conn, shop)
    becky, kelly = shop.staff_ids  # Kelly is free: they want to wait anyway
    tuesday = MONDAY + timedelta(days=1)

    async def told(guest: Guest, *wanted: Any) -> int:
        joined = await join(conn, shop, guest, Wanted(*wanted), anyway=True)
        assert isinstance(joined, WaitlistJoined)
        return joined.place.position

    first, second, third, fourth = [await shop.guest(conn) for _ in range(4)]
    assert await told(first, MONDAY, MONDAY, "morning") == 1
    assert await told(second, MONDAY, MONDAY, "evening", becky) == 1
    assert await told(third, MONDAY, tuesday, None, kelly) == 2
    assert await told(fourth, tuesday, tuesday, "morning") == 2
    assert await told(fourth, MONDAY, tuesday) == 4, "with one more wish more of them compete"
    await waitlist.leave(
        conn,
        shop.company_id,
        LeaveWaitlist(int((await column(conn, "SELECT min(id) FROM waitlist"))[0])),
        now=LATER,
        customer_id=first.customer_id,
    )
    found = await waitlist.places(conn, company_id=shop.company_id, customer_id=fourth.customer_id)
    assert [one.position for one in found.places] == [3]


async def test_whoever_waits_for_another_visit_to_the_same_person_is_in_line(
    conn: Connection,
) -> None:
    shop = await open_shop(conn, services=({}, {"name": "Colour"}, {"name": "Manicure"}))
    becky, (cut, colour, nails) = shop.staff_ids[0], range(3)
    maria = await conn.fetchval(
        "INSERT INTO staff (company_id, name, position) VALUES ($1, 'Maria', 1) RETURNING id",
        shop.company_id,
    )
    await conn.execute(
        "UPDATE staff_services SET staff_id = $1 WHERE service_id = $2",
        maria,
        shop.service_ids[nails],
    )
    await shop.refresh(conn)
    await full(conn, shop)

    async def told(guest: Guest, service: int, *wanted: Any) -> int:
        joined = await join(conn, shop, guest, Wanted(*wanted), anyway=True, service=service)
        assert isinstance(joined, WaitlistJoined)
        return joined.place.position

    first, second, third, fourth = [await shop.guest(conn) for _ in range(4)]
    assert await told(first, cut, MONDAY, MONDAY, "morning") == 1
    assert await told(second, colour, MONDAY, MONDAY) == 2, "Becky has one Monday morning"
    assert await told(third, nails, MONDAY, MONDAY) == 1, "Maria's time is another"
    assert await told(third, colour, MONDAY, MONDAY, "evening", becky) == 2
    assert await told(fourth, cut, MONDAY, MONDAY, "evening") == 3
    assert await told(first, colour, MONDAY, MONDAY, "morning") == 2, "nobody is before themselves"
    await conn.execute("UPDATE staff SET active = false WHERE id = $1", becky)
    await conn.execute(
        "INSERT INTO staff_services (company_id, staff_id, service_id) VALUES ($1, $2, $3)",
        shop.company_id,
        maria,
        shop.service_ids[cut],
    )
    found = await waitlist.places(conn, company_id=shop.company_id, customer_id=fourth.customer_id)
    assert [one.position for one in found.places] == [2], "whoever has left has no time to give"


async def test_whoever_does_not_want_somebody_is_not_in_line_for_their_time(
    conn: Connection,
) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"))
    await full(conn, shop)
    becky, kelly = shop.staff_ids

    async def told(guest: Guest, *wanted: Any) -> int:
        joined = await join(conn, shop, guest, Wanted(*wanted), anyway=True)
        assert isinstance(joined, WaitlistJoined)
        return joined.place.position

    first, second, third = [await shop.guest(conn) for _ in range(3)]
    assert await told(first, MONDAY, MONDAY, None, becky) == 1
    assert await told(second, MONDAY, MONDAY, None, None, becky) == 1, "not for Becky's time"
    assert await told(third, MONDAY, MONDAY, None, kelly) == 2
    ids = {"company_id": shop.company_id, "customer_id": second.customer_id}
    (place,) = (await waitlist.places(conn, **ids)).places
    assert place.wanted == (Wanted(MONDAY, MONDAY, None, None, becky),)


async def test_the_time_of_whom_they_do_not_want_is_not_time_for_them(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"))
    await full(conn, shop)  # Kelly is free
    becky, kelly = shop.staff_ids
    guest, other = await shop.guest(conn), await shop.guest(conn)
    found = await join(conn, shop, guest, Wanted(MONDAY, MONDAY, but=becky))
    assert isinstance(found, TimesStillFree)
    assert {slot.staff_id for slot in found.slots} == {kelly}
    joined = await join(conn, shop, other, Wanted(MONDAY, MONDAY, but=kelly))
    assert isinstance(joined, WaitlistJoined)
