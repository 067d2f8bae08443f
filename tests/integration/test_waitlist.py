"""Places on the waitlist in the database: who is told of freed time, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from flows.effects import FindWaiters, JoinWaitlist, LeaveWaitlist, OfferTimes, PassOffer, TakeOffer
from flows.events import (
    OfferGone,
    OfferPassed,
    OfferTaken,
    SlotTaken,
    TimesStillFree,
    WaitersFound,
    WaitlistJoined,
    WaitlistLeft,
)
from flows.matching import plan
from flows.model_waitlist import Offer, Wanted
from storage import desk, timers, waitlist, waitlist_views
from storage.clock import uuid7
from storage.dialogs import desk as desk_of
from storage.errors import ConstraintViolated, translated
from storage.pool import Connection
from tests.support.shop import MONDAY, NOW, Guest, Shop, column, open_shop, row

TOLD = "SELECT dedup_key FROM inbox WHERE kind = 'time_freed' AND status = 'pending' ORDER BY id"
HEARD = "UPDATE inbox SET status = 'done', done_at = now() WHERE status = 'pending'"
WEEK = Wanted(MONDAY, MONDAY + timedelta(days=6))
LATER = NOW + timedelta(minutes=1)


async def full(conn: Connection, shop: Shop) -> None:
    """Book the first of the staff up for that Monday to Sunday."""
    for day in range(7):
        date = MONDAY + timedelta(days=day)
        await shop.block(conn, shop.at(date, "09:00"), shop.at(date, "18:00"))


async def join(
    conn: Connection,
    shop: Shop,
    guest: Guest,
    wanted: Wanted = WEEK,
    *,
    anyway: bool = False,
    service: int = 0,
) -> WaitlistJoined | TimesStillFree:
    """Join the waitlist."""
    ends = shop.at(wanted.last + timedelta(days=1), "00:00")
    async with conn.transaction():
        return await waitlist.join(
            conn,
            shop.catalog,
            JoinWaitlist(shop.service_ids[service], wanted, ends, anyway),
            now=NOW,
            customer_id=guest.customer_id,
            conversation_id=guest.conversation_id,
        )


async def place(conn: Connection, shop: Shop, guest: Guest) -> int:
    """Join, and return the id of the place."""
    joined = await join(conn, shop, guest)
    assert isinstance(joined, WaitlistJoined)
    return joined.place.id


async def look(conn: Connection, shop: Shop, now: datetime = LATER) -> WaitersFound:
    """Have the desk look around."""
    id_ = await desk_of(conn, shop.company_id, now=now)
    async with conn.transaction():
        return await desk.find_waiters(
            conn, shop.catalog, FindWaiters(), now=now, conversation_id=id_, inbox_id=0
        )


async def give_out(conn: Connection, shop: Shop) -> list[Offer]:
    """Have the desk offer what is free."""
    found = await look(conn, shop)
    made = plan(shop.catalog, found.waiters, found.free, now=LATER)
    async with conn.transaction():
        stood = await desk.offer_times(
            conn, shop.catalog, OfferTimes(made.offers), now=LATER, conversation_id=0
        )
    return [offer for _, offer in stood.offers]


async def free_an_hour(conn: Connection, shop: Shop, hour: str = "10:00") -> datetime:
    """Take an hour of Monday back from what it is booked up with."""
    start = shop.at(MONDAY, hour)
    await conn.execute("DELETE FROM slot_claims WHERE lower(during) = $1", shop.at(MONDAY, "09:00"))
    if start > shop.at(MONDAY, "09:00"):
        await shop.block(conn, shop.at(MONDAY, "09:00"), start)
    await shop.block(conn, start + timedelta(hours=1), shop.at(MONDAY, "18:00"))
    return start


async def test_places_are_in_the_order_of_joining_and_stay_true(conn: Connection) -> None:
    shop = await open_shop(conn)
    await full(conn, shop)
    guests = [await shop.guest(conn) for _ in range(4)]
    ids = [await place(conn, shop, guest) for guest in guests]
    line = "SELECT position_in_queue FROM waitlist ORDER BY id"
    assert await column(conn, line) == [1, 2, 3, 4]
    async with conn.transaction():
        left = await waitlist.leave(
            conn,
            shop.company_id,
            LeaveWaitlist(ids[1]),
            now=LATER,
            customer_id=guests[1].customer_id,
        )
    assert isinstance(left, WaitlistLeft)
    assert left.place is not None
    assert await column(conn, line) == [1, None, 2, 3]
    await conn.execute("DELETE FROM waitlist WHERE id = $1", ids[0])
    assert await column(conn, line) == [None, 1, 2]
    foreign = LeaveWaitlist(ids[2])
    async with conn.transaction():
        answer = await waitlist.leave(
            conn, shop.company_id, foreign, now=LATER, customer_id=guests[3].customer_id
        )
    assert answer == WaitlistLeft(None), "an id alone opens nothing"


async def test_joining_twice_adds_a_wish_or_nothing(conn: Connection) -> None:
    shop = await open_shop(conn)
    await full(conn, shop)
    guest = await shop.guest(conn)
    news = []
    for part in ("morning", "morning", "evening", None, "afternoon"):
        joined = await join(conn, shop, guest, Wanted(MONDAY, MONDAY, part))
        assert isinstance(joined, WaitlistJoined)
        news.append(joined.news)
    assert news == ["joined", "known", "added", "added", "added"]
    for days in range(1, 4):
        await join(conn, shop, guest, Wanted(MONDAY, MONDAY + timedelta(days=days)))
    joined = await join(conn, shop, guest, Wanted(MONDAY, MONDAY + timedelta(days=3)))
    assert isinstance(joined, WaitlistJoined)
    assert len(joined.place.wanted) == waitlist.MOST_WISHES
    assert joined.place.position == 1
    found = await row(conn, "SELECT * FROM waitlist")
    assert (found["wanted_from"], found["wanted_until"]) == (MONDAY, MONDAY + timedelta(days=3))
    assert found["flexible"]


async def test_nobody_has_to_wait_for_what_is_free(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest = await shop.guest(conn)
    found = await join(conn, shop, guest, Wanted(MONDAY, MONDAY, "morning"))
    assert isinstance(found, TimesStillFree)
    assert [shop.wall(slot.start) for slot in found.slots][:2] == ["09:00", "09:15"]
    joined = await join(conn, shop, guest, Wanted(MONDAY, MONDAY, "morning"), anyway=True)
    assert isinstance(joined, WaitlistJoined)
    assert await give_out(conn, shop) == [], "what was free then is what they do not want"


FREEING: Mapping[str, str] = {
    "a visit or a hold is let go": "DELETE FROM slot_claims WHERE company_id = $1",
    "a visit is shortened": """
        UPDATE slot_claims SET during = tstzrange(lower(during), upper(during) - interval '1 hour')
        WHERE company_id = $1
    """,
    "time off is taken back": "DELETE FROM time_off WHERE company_id = $1",
    "hours are added": """
        INSERT INTO staff_hours (company_id, staff_id, weekday, starts, ends)
        SELECT company_id, id, 1, '19:00', '21:00' FROM staff WHERE company_id = $1
    """,
    "a day is opened": "DELETE FROM holidays WHERE company_id = $1",
    "the rules change": """UPDATE companies SET settings = '{"lead_minutes": 0}' WHERE id = $1""",
    "a customer may be written to again": """
        UPDATE customers SET whatsapp_opted_out_at = NULL WHERE company_id = $1
    """,
    "a person gives a conversation back": """
        UPDATE dialog_contexts SET person_until = NULL WHERE company_id = $1
    """,
}


@pytest.mark.parametrize("why", FREEING)
@pytest.mark.parametrize("somebody_waits", [True, False])
async def test_whatever_frees_time_tells_the_desk_once_if_somebody_waits(
    conn: Connection, why: str, *, somebody_waits: bool
) -> None:
    shop, other = await open_shop(conn), await open_shop(conn)
    await full(conn, shop)
    guest = await shop.guest(conn)
    await conn.execute(
        "INSERT INTO time_off (company_id, staff_id, starts_at, ends_at) VALUES ($1, $2, $3, $4)",
        shop.company_id,
        shop.staff_ids[0],
        NOW,
        NOW + timedelta(days=1),
    )
    await conn.execute("INSERT INTO holidays VALUES ($1, $2, 'off')", shop.company_id, MONDAY)
    await conn.execute("UPDATE customers SET whatsapp_opted_out_at = now()")
    await conn.execute("UPDATE dialog_contexts SET person_until = now()")
    await desk_of(conn, shop.company_id, now=NOW)
    if somebody_waits:
        await place(conn, shop, guest)
    await conn.execute(HEARD)
    await conn.execute(FREEING[why], other.company_id)
    assert await column(conn, TOLD) == []
    await conn.execute(FREEING[why], shop.company_id)
    assert len(await column(conn, TOLD)) == somebody_waits
    if why == "a visit is shortened":
        await conn.execute(HEARD)
        await conn.execute(
            """
            UPDATE slot_claims
            SET during = tstzrange(lower(during), upper(during) + interval '5 minutes')
            """
        )
        assert await column(conn, TOLD) == [], "longer is not free"
    await conn.execute("DELETE FROM waitlist")


async def test_the_end_of_a_hold_is_a_timer_of_the_desk(conn: Connection) -> None:
    shop = await open_shop(conn)
    guest, other = await shop.guest(conn), await shop.guest(conn)
    await shop.hold(conn, other, shop.at(MONDAY, "09:00"))
    assert await column(conn, "SELECT key FROM timers") == []
    await full_but_held(conn, shop)
    await place(conn, shop, guest)
    held_before = await column(conn, "SELECT due_at FROM timers WHERE name = 'hold_ends'")
    assert held_before == [NOW + timedelta(minutes=5)], "what was held already is known, too"
    await conn.execute("DELETE FROM slot_claims WHERE kind = 'external'")
    await shop.hold(conn, await shop.guest(conn), shop.at(MONDAY, "12:00"))
    assert await conn.fetchval("SELECT count(*) FROM timers WHERE name = 'hold_ends'") == 2
    await conn.execute("DELETE FROM waitlist")


async def full_but_held(conn: Connection, shop: Shop) -> None:
    """Book everything up but what is held on Monday morning."""
    await shop.block(conn, shop.at(MONDAY, "10:00"), shop.at(MONDAY + timedelta(days=7), "00:00"))


async def test_an_offer_keeps_its_time_and_is_booked_once(conn: Connection) -> None:
    shop = await open_shop(conn)
    await full(conn, shop)
    first, second = await shop.guest(conn), await shop.guest(conn)
    await place(conn, shop, first)
    await place(conn, shop, second)
    start = await free_an_hour(conn, shop)
    (offer,) = await give_out(conn, shop)
    assert [one.customer_id for one in offer.waiters] == [first.customer_id]
    assert offer.slot.start == start
    assert await give_out(conn, shop) == [], "what is on offer is not free"
    assert await shop.hold(conn, second, start) == SlotTaken()
    ids = await row(conn, "SELECT id, offer_id FROM waitlist WHERE status = 'notified'")
    ask = TakeOffer(ids["id"], ids["offer_id"], offer.slot)
    for who, expected in ((second, OfferGone), (first, OfferTaken), (first, OfferTaken)):
        async with conn.transaction():
            answer = await waitlist.take(
                conn,
                shop.catalog,
                ask,
                now=LATER,
                customer_id=who.customer_id,
                conversation_id=who.conversation_id,
                new_id=uuid7(LATER),
            )
        assert isinstance(answer, expected)
    assert await conn.fetchval("SELECT count(*) FROM bookings") == 1
    history = await waitlist_views.history(conn, shop.company_id, ids["id"])
    assert [step.outcome for step in history] == ["joined", "offered", "taken"]
    assert history[2].starts == start


async def test_who_passes_is_not_asked_for_that_time_again(conn: Connection) -> None:
    shop = await open_shop(conn)
    await full(conn, shop)
    guest = await shop.guest(conn)
    id_ = await place(conn, shop, guest)
    await free_an_hour(conn, shop)
    (offer,) = await give_out(conn, shop)
    offer_id = await conn.fetchval("SELECT offer_id FROM waitlist")
    await conn.execute(HEARD)
    async with conn.transaction():
        passed = await waitlist.pass_on(
            conn,
            shop.company_id,
            PassOffer(id_, offer_id, "silent"),
            now=LATER,
            customer_id=guest.customer_id,
        )
    assert isinstance(passed, OfferPassed)
    assert passed.slot == offer.slot
    assert len(await column(conn, TOLD)) == 1, "its time is free for the next in line"
    assert await give_out(conn, shop) == []
    found = await row(conn, "SELECT status, outcome, times_notified FROM waitlist")
    assert tuple(found) == ("active", "silent", 1)


async def test_the_desk_looks_again_when_a_pass_frees_nothing(conn: Connection) -> None:
    shop = await open_shop(conn)
    await full(conn, shop)
    guest = await shop.guest(conn)
    id_ = await place(conn, shop, guest)
    await free_an_hour(conn, shop)
    await give_out(conn, shop)
    await conn.execute("DELETE FROM slot_claims WHERE kind = 'offer'")  # as housekeeping does
    await conn.execute(HEARD)
    offer_id = await conn.fetchval("SELECT offer_id FROM waitlist")
    ask, who = PassOffer(id_, offer_id, "silent"), guest.customer_id
    await waitlist.pass_on(conn, shop.company_id, ask, now=LATER, customer_id=who)
    assert len(await column(conn, TOLD)) == 1, "they may be given what has come free meanwhile"


async def test_an_offer_whose_time_is_gone_is_taken_back(conn: Connection) -> None:
    shop = await open_shop(conn)
    await full(conn, shop)
    guest = await shop.guest(conn)
    await place(conn, shop, guest)
    start = await free_an_hour(conn, shop)
    await give_out(conn, shop)
    await conn.execute("DELETE FROM slot_claims WHERE kind = 'offer'")
    await shop.block(conn, start, start + timedelta(hours=1))
    found = await look(conn, shop)
    assert [(to, lost.taken) for to, lost in found.lost] == [(guest.conversation_id, False)]
    assert [one.offered for one in found.waiters] == [False]


async def test_an_offer_that_lapsed_while_nobody_was_there_is_left_to_its_own_end(
    conn: Connection,
) -> None:
    shop = await open_shop(conn)
    await full(conn, shop)
    guest = await shop.guest(conn)
    id_ = await place(conn, shop, guest)
    await free_an_hour(conn, shop)
    (offer,) = await give_out(conn, shop)
    async with conn.transaction():
        await timers.arm(
            conn,
            company_id=shop.company_id,
            conversation_id=guest.conversation_id,
            key=f"offer:{id_}",
            name="offer_ends",
            due=offer.until,
            now=LATER,
        )
    await conn.execute("DELETE FROM slot_claims WHERE kind = 'offer'")  # housekeeping came first
    later = offer.until + timedelta(hours=2)
    found = await look(conn, shop, later)
    assert not found.lost, "nobody is told that it cannot be booked"
    assert await column(conn, "SELECT status FROM waitlist") == ["notified"]
    assert found.look_at is not None
    assert found.look_at > later
    await conn.execute("UPDATE timers SET status = 'dead', started_at = due_at")
    assert not (await look(conn, shop, later)).lost
    assert await column(conn, "SELECT status FROM waitlist") == ["active"]


async def test_the_life_of_an_entry_has_rules(conn: Connection) -> None:
    shop = await open_shop(conn)
    await full(conn, shop)
    id_ = await place(conn, shop, await shop.guest(conn))
    for change, rule in (
        ("status = 'dreaming'", "waitlist_status_is_known"),
        ("status = 'notified'", "waitlist_offers_are_whole"),
        ("part_of_day = 'midnight'", "waitlist_part_is_known"),
        ("wishes = '[]'", "waitlist_wishes_are_one_to_five"),
        ("wanted_until = wanted_from - 1", "waitlist_days_are_in_order"),
        ("outcome = 'bored'", "waitlist_outcome_is_known"),
    ):
        with pytest.raises(ConstraintViolated) as refused, translated():
            await conn.execute(f"UPDATE waitlist SET {change} WHERE id = $1", id_)  # noqa: S608
        assert refused.value.constraint == rule
