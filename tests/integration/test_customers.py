"""Who is talking: by number, by business-scoped id, by both, and when they change."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from storage import arrivals, customers, inbox
from storage.customers import Acquaintance, Acquaintances, key_of
from storage.inbox import Identity, NewEvent
from storage.pool import Connection, Pool, transaction
from tests.support.rows import company, count, customer_rows

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def event(who: Identity, key: str = "") -> NewEvent:
    return NewEvent("1", None, "message", key or uuid4().hex, {}, NOW, who)


async def resolve(conn: Connection, company_id: int, *who: Identity) -> list[Acquaintance]:
    events = [(company_id, None, event(one)) for one in who]
    received, found = await arrivals.put(conn, events, now=NOW)
    everybody = [found[key_of(company_id, one)] for one in who]
    assert {one.conversation_id for one in received} == {one.conversation_id for one in everybody}
    assert len(received) == len(who)
    return everybody


async def only(conn: Connection) -> dict[str, Any]:
    (row,) = await customer_rows(conn)
    return dict(row)


async def test_somebody_new_gets_a_customer_and_a_conversation(conn: Connection) -> None:
    company_id = await company(conn)
    (found,) = await resolve(conn, company_id, Identity("1555", "US.1", "US.ENT.1", "ana", "Ana"))
    row = await only(conn)
    assert found == Acquaintance(row["conversation_id"], "US.ENT.1", "ana", "Ana")
    assert (row["phone"], row["bsuid"], row["parent_bsuid"]) == ("1555", "US.1", "US.ENT.1")
    assert (row["username"], row["profile_name"]) == ("ana", "Ana")
    assert row["state"] == {"step": "menu.idle"}
    assert (row["started_at"], row["last_message_at"]) == (NOW, NOW)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (Identity("1555"), Identity("1555")),
        (Identity(bsuid="US.1"), Identity(bsuid="US.1")),
        (Identity("1555"), Identity("1555", "US.1")),
        (Identity(bsuid="US.1"), Identity("1555", "US.1")),
        (Identity("1555", "US.1"), Identity("1555")),
        (Identity("1555", "US.1"), Identity(bsuid="US.1")),
        (Identity("1555", "US.0"), Identity("1555", "US.1")),
        (Identity("1000", "US.1"), Identity("1555", "US.1")),
    ],
)
async def test_a_known_number_or_id_is_the_same_customer_and_the_newest_is_believed(
    conn: Connection, first: Identity, then: Identity
) -> None:
    company_id = await company(conn)
    (before,) = await resolve(conn, company_id, first)
    (after,) = await resolve(conn, company_id, then)
    assert before.conversation_id == after.conversation_id
    row = await only(conn)
    assert row["phone"] == (then.phone or first.phone)
    assert row["bsuid"] == (then.bsuid or first.bsuid)


async def test_all_names_of_one_newcomer_at_once_make_one_customer(conn: Connection) -> None:
    company_id = await company(conn)
    names = [Identity("1555"), Identity("1555", "US.1"), Identity(bsuid="US.1")]
    found = await resolve(conn, company_id, *names)
    assert len({one.conversation_id for one in found}) == 1
    row = await only(conn)
    assert (row["phone"], row["bsuid"]) == ("1555", "US.1")


async def test_where_number_and_id_are_two_customers_the_number_decides_and_both_stay(
    conn: Connection,
) -> None:
    company_id = await company(conn)
    by_phone, by_id = await resolve(
        conn, company_id, Identity("1555", "US.0"), Identity(bsuid="US.1")
    )
    (found,) = await resolve(conn, company_id, Identity("1555", "US.1"))
    assert found.conversation_id == by_phone.conversation_id != by_id.conversation_id
    assert [(row["phone"], row["bsuid"]) for row in await customer_rows(conn)] == [
        ("1555", "US.0"),
        (None, "US.1"),
    ]


async def test_two_companies_share_no_customer(conn: Connection) -> None:
    one, other = await company(conn), await company(conn, number="2")
    (here,) = await resolve(conn, one, Identity("1555", "US.1"))
    (there,) = await resolve(conn, other, Identity("1555", "US.1"))
    assert here.conversation_id != there.conversation_id
    assert await count(conn, "customers") == 2


async def test_a_new_name_is_written_down_and_a_missing_one_changes_nothing(
    conn: Connection,
) -> None:
    company_id = await company(conn)
    await resolve(conn, company_id, Identity("1555", None, None, "ana", "Ana"))
    (found,) = await resolve(conn, company_id, Identity("1555", profile_name="Ana Maria"))
    assert (found.username, found.profile_name) == ("ana", "Ana Maria")
    row = await only(conn)
    assert (row["username"], row["profile_name"]) == ("ana", "Ana Maria")
    await resolve(conn, company_id, Identity("1555"))
    assert (await only(conn))["updated_at"] == row["updated_at"]


async def test_a_customer_who_never_wrote_gets_a_conversation(conn: Connection) -> None:
    company_id = await company(conn)
    await conn.execute("INSERT INTO customers (company_id, phone) VALUES ($1, '1555')", company_id)
    (found,) = await resolve(conn, company_id, Identity("1555", "US.1"))
    row = await only(conn)
    assert (row["conversation_id"], row["bsuid"]) == (found.conversation_id, "US.1")


async def test_many_at_once_are_found_and_enrolled_together(conn: Connection) -> None:
    company_id = await company(conn)
    everybody = [Identity(str(n), f"US.{n}") for n in range(1, 301)]
    await resolve(conn, company_id, *everybody[::2])
    found = await resolve(conn, company_id, *everybody)
    assert len({one.conversation_id for one in found}) == 300
    assert await count(conn, "dialog_contexts") == 300


async def test_transactions_that_meet_the_same_newcomers_agree(
    pool: Pool, conn: Connection
) -> None:
    company_id = await company(conn)
    people = [Identity(str(n), f"US.{n}") for n in range(1, 21)]

    async def meet(turn: int) -> list[int]:
        mixed = people[turn:] + people[:turn]
        async with transaction(pool) as conn:
            found = await resolve(conn, company_id, *mixed)
        return sorted(one.conversation_id for one in found)

    first, *others = await asyncio.gather(*(meet(turn) for turn in range(8)))
    assert others == [first] * 7
    assert await count(conn, "customers") == 20


async def test_a_moved_customer_keeps_the_conversation(conn: Connection) -> None:
    company_id = await company(conn)
    (before,) = await resolve(conn, company_id, Identity("1555", "US.1"))
    old, new = Identity("1555"), Identity("1999", "US.2", "US.ENT.2")
    for _ in range(2):  # news may come twice
        await customers.relink(conn, company_id, old=old, new=new, dedup_key="moved")
    (after,) = await resolve(conn, company_id, new)
    assert after.conversation_id == before.conversation_id
    row = await only(conn)
    assert (row["phone"], row["bsuid"], row["parent_bsuid"]) == ("1999", "US.2", "US.ENT.2")


async def test_a_number_that_somebody_has_is_not_taken_from_them(conn: Connection) -> None:
    company_id = await company(conn)
    await resolve(conn, company_id, Identity("1555", "US.1"), Identity("1999", "US.9"))
    old, new = Identity("1555", "US.1"), Identity("1999", "US.2")
    await customers.relink(conn, company_id, old=old, new=new, dedup_key="moved")
    assert [(row["phone"], row["bsuid"]) for row in await customer_rows(conn)] == [
        ("1555", "US.1"),
        ("1999", "US.9"),
    ]


async def test_what_has_come_before_tells_nothing_and_enrols_and_moves_nobody(
    conn: Connection,
) -> None:
    company_id = await company(conn)
    ana, bob = Identity("1555", profile_name="Ana"), Identity("1556")
    old = [(company_id, None, event(ana, "of Ana")), (company_id, None, event(bob, "of Bob"))]
    await inbox.put(conn, old, now=NOW)
    await resolve(conn, company_id, Identity("1555", profile_name="Anna"))
    assert await arrivals.put(conn, old, now=NOW) == ([], {})
    await customers.relink(conn, company_id, old=ana, new=Identity("1999"), dedup_key="of Ana")
    row = await only(conn)
    assert (row["phone"], row["profile_name"]) == ("1555", "Anna")
    new = (company_id, None, event(bob))  # that he writes again enrols him
    received, found = await arrivals.put(conn, [*old, new], now=NOW)
    assert len(received) == 1
    assert list(found) == [key_of(company_id, bob)]


async def test_news_of_one_customer_under_several_names_is_the_newest_of_each_kind(
    conn: Connection,
) -> None:
    company_id = await company(conn)
    await resolve(conn, company_id, Identity("1555", "US.1", username="a", profile_name="A"))
    found = await resolve(
        conn,
        company_id,
        Identity("1555", profile_name="B"),
        Identity(bsuid="US.1", username="c"),
        Identity("1555", "US.1", profile_name="D"),
    )
    assert len({one.conversation_id for one in found}) == 1
    row = await only(conn)
    assert (row["username"], row["profile_name"]) == ("c", "D")


@pytest.mark.parametrize(
    ("known", "told", "name"),
    [
        (Identity(bsuid="US.1"), Identity("1555", "US.1"), Identity("1555")),
        (Identity("1555"), Identity("1555", "US.1"), Identity(bsuid="US.1")),
        (Identity("1000", "US.1"), Identity("1555", "US.1"), Identity("1555", "US.2")),
    ],
)
async def test_whose_name_the_same_batch_tells_is_not_somebody_new(
    conn: Connection, known: Identity, told: Identity, name: Identity
) -> None:
    company_id = await company(conn)
    (before,) = await resolve(conn, company_id, known)
    for one in await resolve(conn, company_id, name, told):
        assert one.conversation_id == before.conversation_id
    assert (await only(conn))["phone"] == "1555"


async def test_messages_of_a_newcomer_under_several_names_keep_their_order(
    conn: Connection,
) -> None:
    company_id = await company(conn)
    names = [Identity("1555"), Identity(bsuid="US.1"), Identity("1555", "US.1")] * 3
    keys = list("qwertyuio")
    events = [(company_id, None, event(who, key)) for who, key in zip(names, keys, strict=True)]
    received, _ = await arrivals.put(conn, events, now=NOW)
    assert len(received) == 9
    rows = await conn.fetch("SELECT dedup_key FROM inbox ORDER BY occurred_at, id")
    assert [row["dedup_key"] for row in rows] == keys


async def test_who_is_enrolled_by_another_transaction_just_now_is_waited_for(
    pool: Pool, conn: Connection
) -> None:
    company_id = await company(conn)
    ana, bob = Identity("1555", "US.1", profile_name="Ana"), Identity("1556")
    same = (company_id, None, event(ana))
    async with transaction(pool) as other:
        (theirs,), _ = await arrivals.put(other, [same], now=NOW)
        events = [same, *((company_id, None, event(who)) for who in (ana, bob))]
        ours = asyncio.create_task(arrivals.put(conn, events, now=NOW))
        while not await other.fetchval(  # until it waits for the other transaction
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
            " AND transactionid = pg_current_xact_id()::xid)"
        ):
            await asyncio.sleep(0.01)
    received, found = await ours
    assert len(received) == 2
    assert found[key_of(company_id, ana)].conversation_id == theirs.conversation_id
    assert await count(conn, "customers") == 2
    assert await count(conn, "inbox") == 3


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def known(conversation_id: int, name: str | None = None) -> Acquaintance:
    return Acquaintance(conversation_id, None, None, name)


def test_an_acquaintance_is_remembered_until_something_is_new() -> None:
    memory = Acquaintances()
    key = (1, "1555", None)
    memory.learn({key: known(7, "Ana")})
    assert memory.get(key, Identity("1555")) == 7
    assert memory.get(key, Identity("1555", profile_name="Ana")) == 7
    assert memory.get(key, Identity("1555", profile_name="Anna")) is None
    assert memory.get(key, Identity("1555", username="ana")) is None
    assert memory.get((2, "1555", None), Identity("1555")) is None
    memory.forget()
    assert memory.get(key, Identity("1555")) is None


def test_an_acquaintance_is_looked_up_again_after_a_while() -> None:
    clock = Seconds()
    memory = Acquaintances(monotonic=clock)
    key = (1, "1555", None)
    memory.learn({key: known(7)})
    clock.now = 599.0
    assert memory.get(key, Identity("1555")) == 7
    clock.now = 600.0
    assert memory.get(key, Identity("1555")) is None


def test_those_met_longest_ago_are_forgotten_first() -> None:
    memory = Acquaintances(most=2)
    for n in (1, 2, 1, 3):
        memory.learn({(1, str(n), None): known(n)})
    found = [memory.get((1, str(n), None), Identity(str(n))) for n in (1, 2, 3)]
    assert found == [1, None, 3]
