"""Webhooks of many projects, through the real webhook: none is refused and nothing is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import orjson
import pytest

from bot.whatsapp.translate import message_facts, to_event
from flows.events import UnknownReceived
from storage.pool import Connection, Pool
from tests.support.payloads import CORPUS, NUMBER, Stored, corpus
from tests.support.rows import company, inbox_rows, stray_rows
from tests.support.webhook import Hook, running_webhook

pytestmark = pytest.mark.skipif(
    not (CORPUS / "INDEX.md").exists(),
    reason="there is no corpus of webhooks here: WHATSAPP_CORPUS says where one is",
)

ORDERS = ["as stored", "backwards", *(f"shuffled {n}" for n in range(3))]


def in_order(order: str) -> list[Stored]:
    found = list(corpus())
    if order == "backwards":
        found.reverse()
    elif order != "as stored":
        random.Random(order).shuffle(found)  # noqa: S311
    return found


def values(body: Any) -> Iterator[dict[str, Any]]:
    """The values of all changes of a body, where they are where they belong."""
    entries = body["entry"] if isinstance(body["entry"], list) else []
    for entry in entries:
        for change in entry.get("changes", ()):
            yield change["value"]


def items(bodies: Sequence[Stored], name: str) -> Iterator[tuple[str | None, Any]]:
    """All messages or statuses of the corpus with the number they came to."""
    for body in bodies:
        for value in values(body.body):
            number = value.get("metadata", {}).get("phone_number_id")
            yield from ((number, item) for item in value.get(name) or () if item)


def stored(rows: Sequence[Any]) -> list[Any]:
    """The items that are in the database, as Meta wrote them."""
    events = [row["event"] if "event" in row.keys() else row["body"] for row in rows]  # noqa: SIM118
    return [event.get("message") or event.get("status") for event in events]


@pytest.fixture
async def hook(pool: Pool, conn: Connection) -> AsyncIterator[Hook]:
    """A webhook of every second business of the corpus; the numbers of the others are unknown."""
    numbers = {
        number for name in ("messages", "statuses") for number, _ in items(list(corpus()), name)
    }
    for n, number in enumerate(sorted(filter(None, numbers - {NUMBER}))):
        if n % 2:
            await company(conn, number=number)
    await company(conn)
    async with running_webhook(pool) as running:
        yield running


async def everything(conn: Connection) -> list[Any]:
    return [*await inbox_rows(conn), *await stray_rows(conn)]


@pytest.mark.parametrize("order", ORDERS)
async def test_no_webhook_is_refused_and_no_message_or_status_lost(
    hook: Hook, conn: Connection, order: str
) -> None:
    bodies = in_order(order)
    assert len(bodies) > 200
    answers = {str(one): await hook.post(one.body) for one in bodies}
    assert {name: answer for name, answer in answers.items() if answer != 200} == {}

    rows = await everything(conn)
    found = stored(rows)
    for name in ("messages", "statuses"):
        sent = list(items(bodies, name))
        # Several projects made up the same ids: then the first to come is the one that counts.
        ids = [(number, item.get("id"), item.get("status")) for number, item in sent]
        for known, (_, item) in zip(ids, sent, strict=True):
            same = [one for one, each in zip(sent, ids, strict=True) if each == known]
            assert any(one in found for _, one in same) if known[1] else item in found

    keys = {(row.get("company_id"), row["dedup_key"]) for row in rows}
    assert len(keys) == len(rows)


async def test_posting_everything_again_and_at_once_changes_nothing(
    hook: Hook, conn: Connection
) -> None:
    bodies = in_order("as stored")
    for one in bodies:
        await hook.post(one.body)
    before = await everything(conn)
    hook.received.clear()
    again = [hook.post(one.body) for one in in_order("shuffled again") for _ in range(2)]
    assert set(await asyncio.gather(*again)) == {200}
    assert len(await everything(conn)) == len(before)
    assert hook.received == []


async def test_in_one_great_batch_they_are_the_same(hook: Hook, conn: Connection) -> None:
    bodies = in_order("as stored")
    entries = [
        entry
        for one in bodies
        if isinstance(one.body["entry"], list)
        for entry in one.body["entry"]
    ]
    great = {"object": "whatsapp_business_account", "entry": entries}
    assert len(orjson.dumps(great)) < 3 * 1024 * 1024
    assert await hook.post(great) == 200
    at_once = {(row.get("company_id"), row["dedup_key"]) for row in await everything(conn)}
    hook.received.clear()
    for one in bodies:
        assert await hook.post(one.body) == 200
    assert {(row.get("company_id"), row["dedup_key"]) for row in await everything(conn)} == at_once
    assert hook.received == []


async def test_every_message_means_something(hook: Hook, conn: Connection) -> None:
    for one in in_order("as stored"):
        await hook.post(one.body)
    messages = [
        event
        for row in await everything(conn)
        if "message" in (event := row.get("event") or row.get("body"))
    ]
    assert len(messages) > 100
    unknown = [to_event(event) for event in messages if message_facts(event)[1] != "unsupported"]
    kinds = {one.kind for one in unknown if isinstance(one, UnknownReceived)}
    # Some locations have placeholders for numbers.
    assert kinds <= {"order", "unknown", "ephemeral", "location"}
