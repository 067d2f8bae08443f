"""Stored webhooks are played to a running bot, and each event is told what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest
from aiohttp import web

from bot.operators import capture, replay
from bot.operators.replay import Outcome, Plan
from bot.operators.scrubbing import Scrubber
from bot.processes import listening
from storage.pool import Connection, Pool
from tests.support.graph import APP_SECRET
from tests.support.payloads import (
    CORPUS,
    change,
    corpus,
    envelope,
    inbound,
    message,
    status,
    value,
)
from tests.support.rows import company, inbox_rows, stray_rows
from tests.support.webhook import Hook, running_webhook, settings

needs_corpus = pytest.mark.skipif(
    not (CORPUS / "INDEX.md").exists(),
    reason="there is no corpus of webhooks here: WHATSAPP_CORPUS says where one is",
)


@pytest.fixture
async def hook(pool: Pool, conn: Connection) -> AsyncIterator[Hook]:
    await company(conn)
    async with running_webhook(pool) as running:
        yield running


class Player:
    """Replays files against the webhook of a test."""

    def __init__(self, hook: Hook, pool: Pool | None) -> None:
        self._hook, self._pool = hook, pool

    async def play(
        self, *files: Path, shuffle: int | None = None, duplicate: int = 1
    ) -> list[Outcome]:
        told: list[Outcome] = []
        stored = [one for file in files for one in replay.webhooks(file)]
        plan = Plan(self._hook.url, shuffle, duplicate)
        await replay.play(settings(), stored, plan, pool=self._pool, tell=told.append)
        return told


@pytest.fixture
async def player(hook: Hook, pool: Pool) -> Player:
    return Player(hook, pool)


def written(folder: Path, name: str, *stored: object) -> Path:
    """A file of JSON Lines."""
    path = folder / name
    path.write_bytes(b"\n".join(orjson.dumps(one) for one in stored))
    return path


async def test_bodies_changes_and_values_are_told_apart_event_by_event(
    tmp_path: Path, player: Player
) -> None:
    said = message()
    strange = value(number="404", messages=[message()])
    file = written(
        tmp_path,
        "some.jsonl",
        envelope(change(messages=[said, message()], statuses=[status()])),
        {"value": value(messages=[said])},
        value(messages=[message()]),
        change("account_update"),
        strange,
        {"object": "whatsapp_business_account", "entry": []},
        "no object",
    )
    told = await player.play(file)
    assert [(one.number, one.fate, one.kind) for one in told] == [
        (1, "accepted", "message"),
        (1, "accepted", "message"),
        (1, "accepted", "status"),
        (2, "duplicate", "message"),
        (3, "accepted", "message"),
        (4, "kept", "account"),
        (5, "kept", "message"),
        (6, "answered", None),
        (7, "refused", None),
    ]
    assert told[5].why == "news about the account"
    assert told[6].why == "stray: unknown_number"
    assert (told[8].http, told[8].why) == (400, "the body is no JSON object")


async def test_what_is_posted_twice_is_a_duplicate_in_any_order(
    tmp_path: Path, player: Player
) -> None:
    file = written(tmp_path, "many.jsonl", *[inbound(message()) for _ in range(10)])
    told = await player.play(file, shuffle=7, duplicate=3)
    assert Counter(one.fate for one in told) == {"accepted": 10, "duplicate": 20}
    order = [one.number for one in told]
    assert order != sorted(order)
    assert [one.number for one in await player.play(file, shuffle=7, duplicate=3)] == order


async def test_a_report_holds_nothing_personal(tmp_path: Path, player: Player) -> None:
    (told,) = await player.play(written(tmp_path, "one.json", inbound(message())))
    for line in (replay.as_line(told), replay.as_json(told)):
        assert "wamid" not in line
        assert "1555123" not in line
    assert replay.as_line(told) == "200 accepted  message one.json:1"


async def test_without_the_database_the_answers_are_told(tmp_path: Path, hook: Hook) -> None:
    (told,) = await Player(hook, None).play(written(tmp_path, "one.json", inbound(message())))
    assert (told.http, told.fate) == (200, "answered")


@needs_corpus
@pytest.mark.parametrize(("shuffle", "duplicate"), [(None, 1), (11, 2)])
async def test_the_whole_corpus_is_played_and_nothing_is_refused_or_lost(
    tmp_path: Path, player: Player, conn: Connection, shuffle: int | None, duplicate: int
) -> None:
    bodies = [one.body for one in corpus()]
    told = await player.play(
        written(tmp_path, "corpus.jsonl", *bodies), shuffle=shuffle, duplicate=duplicate
    )
    assert {one.http for one in told} == {200}
    fates = Counter(one.fate for one in told)
    assert fates.keys() <= {"accepted", "duplicate", "kept", "answered"}
    stored = len(await inbox_rows(conn)) + len(await stray_rows(conn))
    assert fates["accepted"] + fates["kept"] == stored


@needs_corpus
async def test_every_file_of_the_corpus_can_be_played_as_it_is(player: Player) -> None:
    files = sorted((CORPUS / "payloads").glob("*/*.json"))
    assert len(files) > 400
    told = await player.play(*files)
    # Answers and errors of the Graph API lie there as well: they are no webhooks, and kept.
    assert {one.http for one in told} <= {200, 400}
    assert {one.fate for one in told} <= {"accepted", "duplicate", "kept", "answered", "refused"}
    assert all(one.why == "the body is no JSON object" for one in told if one.http == 400)


class Capture:
    """The tap between Meta and the webhook of a test."""

    def __init__(self, url: str, file: Path) -> None:
        self.url, self.file = url, file


@pytest.fixture
async def tapped(hook: Hook, tmp_path: Path) -> AsyncIterator[Capture]:
    file = tmp_path / "captured.jsonl"
    with file.open("ab", buffering=0) as lines:
        async with aiohttp.ClientSession() as session:
            tap = capture.Tap(
                session,
                hook.url,
                app_secrets=(APP_SECRET.encode(),),
                scrubber=Scrubber(b"key"),
                store=lines.write,
                most_bytes=2**20,
            )
            async with listening(tap.app(), "127.0.0.1", 0) as port:
                yield Capture(f"http://127.0.0.1:{port}/webhook", file)


async def test_what_is_captured_replays_as_it_came(
    hook: Hook, player: Player, tapped: Capture, conn: Connection
) -> None:
    said = message(content={"body": "Maria Quill, tomorrow at 3"})
    bodies = [
        envelope(change(messages=[said, message()], statuses=[status()])),
        inbound(said),
        inbound(message(context={"id": said["id"]})),
        envelope(change("account_update")),
    ]
    through = Hook(tapped.url, hook.intake, hook.session)
    for body in bodies:
        assert await through.post(body) == 200
    assert await through.post(bodies[0], secret="wrong") == 401  # noqa: S106
    assert await through.post(b"not json") == 400
    came = [(row["kind"], row["status"]) for row in await inbox_rows(conn)]
    text = tapped.file.read_text()
    assert len(text.splitlines()) == len(bodies)
    for personal in ("Maria", "Quill", said["from"], said["id"]):
        assert personal not in text
    told = await player.play(tapped.file)
    assert [one.fate for one in told] == [
        "accepted",
        "accepted",
        "accepted",
        "duplicate",
        "accepted",
        "kept",
    ]
    rows = [(row["kind"], row["status"]) for row in await inbox_rows(conn)]
    assert rows[len(came) :] == came
    assert {one.fate for one in await player.play(tapped.file)} == {"duplicate"}


async def test_the_tap_passes_on_the_challenge_and_tells_when_the_bot_is_gone(
    tapped: Capture, hook: Hook
) -> None:
    query = {
        "hub.mode": "subscribe",
        "hub.verify_token": "verify-token-of-the-tests",
        "hub.challenge": "1158",
    }
    async with hook.session.get(tapped.url, params=query) as answer:
        assert (answer.status, await answer.text()) == (200, "1158")
    async with aiohttp.ClientSession() as session:
        gone = capture.Tap(
            session,
            "http://127.0.0.1:9/webhook",
            app_secrets=(),
            scrubber=Scrubber(b""),
            store=lambda _: None,
            most_bytes=1024,
        )
        async with listening(gone.app(), "127.0.0.1", 0) as port:
            url = f"http://127.0.0.1:{port}/webhook"
            async with session.post(url, data=b"{}") as answer:
                assert answer.status == web.HTTPBadGateway.status_code
