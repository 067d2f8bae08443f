"""However webhooks are damaged: no 500, no lost neighbour in the same POST, nothing in the logs."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import logs
from storage.pool import Connection, Pool
from tests.support.damage import MANGLED, mangled
from tests.support.payloads import (
    CORPUS,
    change,
    contact,
    corpus,
    envelope,
    inbound,
    message,
    status,
    value,
    wamid,
)
from tests.support.rows import company, inbox_rows, stray_rows
from tests.support.webhook import Hook, running_webhook

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
"""How many damaged webhooks are posted; more are a matter of patience."""

SECRET_NAME, SECRET_TEXT, SECRET_PHONE = "Zerafina Quillworth", "ixquick plovdiv", "15559871234"
OWN = [
    inbound(message(content={"body": SECRET_TEXT}, sender=SECRET_PHONE)),
    envelope(change(statuses=[status(recipient_id=SECRET_PHONE)], contacts=[contact()])),
    envelope(
        change(
            messages=[message(sender=SECRET_PHONE, content={"body": SECRET_TEXT}), message()],
            contacts=[contact(SECRET_PHONE, name=SECRET_NAME), contact()],
            statuses=[status("failed", errors=[{"code": 131026, "title": SECRET_TEXT}])],
        ),
        change("account_update", event="ACCOUNT_RESTRICTION"),
        change("smb_message_echoes", message_echoes=[message(to=SECRET_PHONE)]),
    ),
]


@functools.cache
def bodies() -> list[Any]:
    """The webhooks to damage: our own, and the corpus where there is one."""
    found = [one.body for one in corpus()] if (CORPUS / "INDEX.md").exists() else []
    return [*OWN, *found]


class Neighbour:
    """A good message that is added to a damaged POST."""

    def __init__(self) -> None:
        self.id = wamid()
        self.message = message(content={"body": "hi"}) | {"id": self.id}

    def join(self, body: Any, place: str) -> Any:
        """Put it into a body: into its last change's messages, as a change, or as an entry."""
        entry = body.get("entry") if isinstance(body, dict) else None
        new = change(messages=[self.message], contacts=[contact()])
        if not isinstance(entry, list):
            return envelope(new) | {"damaged": body}
        last = entry[-1] if entry and isinstance(entry[-1], dict) else None
        changes = last.get("changes") if last else None
        if place == "entry" or not isinstance(changes, list):
            return {**body, "entry": [*entry, *envelope(new)["entry"]]}
        found = changes[-1] if changes else None
        found = found if isinstance(found, dict) else {}
        within = found.get("value")
        if place == "message" and isinstance(within, dict) and found.get("field") == "messages":
            listed = within.get("messages")
            within["messages"] = [*(listed if isinstance(listed, list) else []), self.message]
            within["metadata"] = value()["metadata"]
            return body
        changes.append(new)
        return body


@pytest.fixture
async def hook(pool: Pool, conn: Connection) -> AsyncIterator[Hook]:
    await company(conn)
    async with running_webhook(pool) as running:
        yield running


@pytest.fixture
def every_line() -> Iterator[None]:
    """Log everything while a test runs."""
    logs.configure("json", "debug")
    yield
    logs.configure("json", "info")


async def kept(conn: Connection) -> set[Any]:
    """The ids of all messages that are in the inbox or among the strays."""
    rows = [*await inbox_rows(conn), *await stray_rows(conn)]
    events = [row["event"] if "event" in row.keys() else row["body"] for row in rows]  # noqa: SIM118
    found = [event.get("message") for event in events]
    ids = [one.get("id") for one in found if isinstance(one, dict)]
    return {one for one in ids if isinstance(one, str)}


def examples() -> list[tuple[bytes, str]]:
    """Damaged webhooks with the id of a good message in each; the same ones each time unless more
    are asked for."""
    found: list[tuple[bytes, str]] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=EXAMPLES <= 150,
        database=None,
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(mangled(bodies), st.sampled_from(["message", "change", "entry"]))
    def collect(body: Any, place: str) -> None:
        neighbour = Neighbour()
        # Here, because hypothesis lets recursion go deeper while it runs.
        found.append((json.dumps(neighbour.join(body, place)).encode(), neighbour.id))

    collect()
    return found


async def test_no_damage_costs_a_neighbour_or_says_anything_personal(
    hook: Hook, conn: Connection, every_line: None, capfd: pytest.CaptureFixture[str]
) -> None:
    neighbours: list[str] = []
    for raw, neighbour in examples():
        answer = await hook.post(raw)
        assert answer == 200, raw[:2000]
        neighbours.append(neighbour)
    lost = set(neighbours) - await kept(conn)
    assert lost == set()
    written = capfd.readouterr()
    for personal in (SECRET_NAME, SECRET_TEXT, SECRET_PHONE, *SECRET_NAME.split(), "wamid."):
        assert personal not in written.out + written.err, personal


@pytest.mark.parametrize("way", sorted(MANGLED))
async def test_each_way_of_damage_in_each_place_of_a_message(
    hook: Hook, conn: Connection, way: str
) -> None:
    mangle = MANGLED[way]
    template = inbound(message())
    neighbours: list[str] = []
    for path in paths(template):
        body = json.loads(json.dumps(template))
        container = body
        for key in path[:-1]:
            container = container[key]
        container[path[-1]] = mangle(container[path[-1]])
        neighbour = Neighbour()
        answer = await hook.post(json.dumps(neighbour.join(body, "entry")).encode())
        assert answer == 200, (path, body)
        neighbours.append(neighbour.id)
    assert set(neighbours) <= await kept(conn)


def paths(found: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to every value within."""
    items: Any = ()
    if isinstance(found, dict):
        items = list(found.items())
    elif isinstance(found, list):
        items = list(enumerate(found))
    for key, one in items:
        yield (*at, key)
        yield from paths(one, (*at, key))
