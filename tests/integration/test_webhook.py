"""The webhook as Meta sees it: what is answered, and what is in the inbox by then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import SecretStr
from yarl import URL

from bot.metrics import REGISTRY
from bot.whatsapp.signature import sign
from storage.pool import Connection, Pool, open_pool
from tests.support.damage import damaged
from tests.support.graph import APP_SECRET
from tests.support.payloads import change, contact, envelope, inbound, message, status
from tests.support.proxy import proxied
from tests.support.rows import company, count, inbox_rows, stray_rows
from tests.support.webhook import VERIFY_TOKEN, Hook, running_webhook

ODD_SIGNATURES = [None, "", "sha256=", "sha256=" + "0" * 63, "sha1=" + "0" * 40]


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("usual_webhooks_total", {"outcome": outcome}) or 0.0


@pytest.fixture
async def hook(pool: Pool, conn: Connection) -> AsyncIterator[Hook]:
    await company(conn)
    async with running_webhook(pool) as running:
        yield running


@asynccontextmanager
async def wire(hook: Hook) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which a test says byte by byte what is sent."""
    parts = urlsplit(hook.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


def head(signature: str | None, *more: str) -> bytes:
    lines = ["POST /webhook HTTP/1.1", "Host: usual", *more]
    if signature is not None:
        lines.append(f"X-Hub-Signature-256: {signature}")
    return "\r\n".join([*lines, "", ""]).encode()


async def first_line(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(5):
        return (await reader.readline()).strip()


async def verify(hook: Hook, **query: str) -> tuple[int, str]:
    params = {f"hub.{name}": value for name, value in query.items()}
    async with hook.session.get(hook.url, params=params) as answer:
        return answer.status, await answer.text()


async def test_the_challenge_is_answered_to_whoever_knows_the_token(hook: Hook) -> None:
    asked = {"mode": "subscribe", "verify_token": VERIFY_TOKEN, "challenge": "1158201444"}
    assert await verify(hook, **asked) == (200, "1158201444")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"mode": "subscribe", "challenge": "1"},
        {"mode": "subscribe", "verify_token": "", "challenge": "1"},
        {"mode": "subscribe", "verify_token": VERIFY_TOKEN + "x", "challenge": "1"},
        {"mode": "subscribe", "verify_token": "tökén", "challenge": "1"},
        {"mode": "unsubscribe", "verify_token": VERIFY_TOKEN, "challenge": "1"},
        {"verify_token": VERIFY_TOKEN, "challenge": "1"},
    ],
)
async def test_nobody_else_gets_the_challenge(hook: Hook, query: dict[str, str]) -> None:
    assert await verify(hook, **query) == (403, "")


@pytest.mark.parametrize("token", ["%ED%A0%80", "%FF", "%00", "%", "%F0%9F%98%80", ""])
async def test_no_spelling_of_a_token_breaks_the_verification(hook: Hook, token: str) -> None:
    url = URL(f"{hook.url}?hub.mode=subscribe&hub.verify_token={token}", encoded=True)
    async with hook.session.get(url) as answer:
        assert answer.status == 403


async def test_without_a_token_in_the_settings_nobody_gets_the_challenge(pool: Pool) -> None:
    async with running_webhook(pool, whatsapp_verify_token=None) as hook:
        assert (await verify(hook, mode="subscribe", verify_token=""))[0] == 403


async def test_what_is_answered_200_is_in_the_inbox(hook: Hook, conn: Connection) -> None:
    sent = message()
    before = counted("accepted")
    assert await hook.post(inbound(sent)) == 200
    (row,) = await inbox_rows(conn)
    assert row["event"] == {"message": sent, "contact": contact()}
    assert (row["kind"], row["status"]) == ("message", "pending")
    assert [(event.id, event.kind) for event in hook.received] == [(row["id"], "message")]
    assert counted("accepted") == before + 1


async def test_all_updates_of_a_post_are_stored(hook: Hook, conn: Connection) -> None:
    body = envelope(
        change(messages=[message(), message(sender="1555")], statuses=[status(), status()]),
        change(messages=[message()]),
        change("account_update"),
    )
    body["entry"] += envelope(change(statuses=[status()]))["entry"]
    assert await hook.post(body) == 200
    kinds = [row["kind"] for row in await inbox_rows(conn)]
    assert kinds == ["message", "message", "status", "status", "message", "account", "status"]


async def test_a_thousand_updates_fit_into_one_post(hook: Hook, conn: Connection) -> None:
    messages = [message(sender=str(15550000 + n % 100)) for n in range(500)]
    assert await hook.post(envelope(change(messages=messages, statuses=[status()] * 0))) == 200
    many = [status() for _ in range(500)]
    assert await hook.post(envelope(change(messages=messages, statuses=many))) == 200
    assert await count(conn, "inbox") == 1000
    assert await count(conn, "customers") == 100
    rows = [row["event"] for row in await inbox_rows(conn)]
    assert [event["message"]["id"] for event in rows[:500]] == [one["id"] for one in messages]


async def test_what_postgresql_cannot_hold_is_cleaned(hook: Hook, conn: Connection) -> None:
    raw = orjson.dumps(inbound(message(content={"body": "HERE"})))
    assert await hook.post(raw.replace(b"HERE", rb"a\u0000b \ud83d c")) == 200
    (row,) = await inbox_rows(conn)
    assert row["event"]["message"]["text"]["body"] == "ab \ufffd c"


@pytest.mark.parametrize("signature", ODD_SIGNATURES)
async def test_without_a_signature_the_body_is_not_read(hook: Hook, signature: str | None) -> None:
    before = counted("bad_signature")
    async with wire(hook) as (reader, writer):
        writer.write(head(signature, "Content-Length: 1000000"))  # and not a byte of it
        assert await first_line(reader) == b"HTTP/1.1 401 Unauthorized"
    assert counted("bad_signature") == before + 1


async def test_a_wrong_signature_stores_nothing(hook: Hook, conn: Connection) -> None:
    before = counted("bad_signature")
    assert await hook.post(inbound(message()), secret="another secret") == 401  # noqa: S106
    body = orjson.dumps(inbound(message()))
    assert await hook.send(body + b" ", signature=sign(body, APP_SECRET.encode())) == 401
    assert await count(conn, "inbox") == 0
    assert counted("bad_signature") == before + 2


async def test_two_secrets_are_valid_while_one_is_being_replaced(pool: Pool) -> None:
    async with running_webhook(pool, whatsapp_app_secret=SecretStr("new, old")) as hook:
        answers = [await hook.post(envelope(), secret=one) for one in ("new", "old", "third")]
    assert answers == [200, 200, 401]


async def test_without_a_secret_in_the_settings_nothing_is_accepted(pool: Pool) -> None:
    async with running_webhook(pool, whatsapp_app_secret=None) as hook:
        assert await hook.post(envelope(), secret="") == 401


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"entry":',
        b'{"a":NaN}',
        b'{"a":"\xff"}',
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
    ],
)
async def test_what_is_no_json_object_is_refused(hook: Hook, conn: Connection, raw: bytes) -> None:
    before = counted("malformed")
    assert await hook.post(raw) == 400
    assert await count(conn, "inbox") + await count(conn, "strays") == 0
    assert counted("malformed") == before + 1


async def test_a_body_that_says_it_is_too_long_is_not_read(hook: Hook) -> None:
    before = counted("too_large")
    async with wire(hook) as (reader, writer):
        signature = sign(b"", APP_SECRET.encode())
        writer.write(head(signature, f"Content-Length: {3 * 1024 * 1024 + 1}"))
        assert await first_line(reader) == b"HTTP/1.1 413 Request Entity Too Large"
    assert counted("too_large") == before + 1


async def test_a_body_that_turns_out_too_long_is_not_read_on(pool: Pool) -> None:
    async with (
        running_webhook(pool, webhook_max_bytes=200_000) as hook,
        wire(hook) as (read, write),
    ):
        write.write(head(sign(b"", b""), "Transfer-Encoding: chunked"))
        for _ in range(21):
            write.write(b"2710\r\n" + b" " * 10_000 + b"\r\n")
        assert await first_line(read) == b"HTTP/1.1 413 Request Entity Too Large"


async def test_a_chunked_body_is_read_like_any_other(hook: Hook, conn: Connection) -> None:
    raw = orjson.dumps(inbound(*(message() for _ in range(300))))

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(raw), 10_000):
            yield raw[start : start + 10_000]

    assert await hook.send(parts(), signature=sign(raw, APP_SECRET.encode())) == 200
    assert await count(conn, "inbox") == 300


async def test_a_body_of_three_megabytes_is_taken(hook: Hook, conn: Connection) -> None:
    raw = orjson.dumps(inbound(message()))
    assert await hook.post(raw + b" " * (3 * 1024 * 1024 - len(raw))) == 200
    assert await hook.post(raw + b" " * (3 * 1024 * 1024 - len(raw) + 1)) == 413
    assert await count(conn, "inbox") == 1


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_body_that_cannot_be_unpacked_is_refused(hook: Hook, coding: str) -> None:
    raw = orjson.dumps(inbound(message()))
    signature = sign(raw, APP_SECRET.encode())
    async with wire(hook) as (reader, writer):
        lines = f"Content-Length: {len(raw)}", f"Content-Encoding: {coding}"
        writer.write(head(signature, *lines) + raw)
        assert (await first_line(reader)).startswith(b"HTTP/1.1 4")


async def test_a_client_that_asks_first_is_told_to_go_on(hook: Hook, conn: Connection) -> None:
    raw = orjson.dumps(inbound(message()))
    signature = sign(raw, APP_SECRET.encode())
    async with wire(hook) as (reader, writer):
        writer.write(head(signature, f"Content-Length: {len(raw)}", "Expect: 100-continue"))
        assert await first_line(reader) == b"HTTP/1.1 100 Continue"
        await reader.readline()
        writer.write(raw)
        assert await first_line(reader) == b"HTTP/1.1 200 OK"
    assert await count(conn, "inbox") == 1


async def test_a_client_that_asks_first_is_refused_by_its_headers(hook: Hook) -> None:
    async with wire(hook) as (reader, writer):
        writer.write(head(None, "Content-Length: 10", "Expect: 100-continue"))
        assert await first_line(reader) == b"HTTP/1.1 401 Unauthorized"
    async with wire(hook) as (reader, writer):
        writer.write(head(sign(b"", b""), "Content-Length: 10", "Expect: a miracle"))
        assert await first_line(reader) == b"HTTP/1.1 417 Expectation Failed"


async def test_a_body_that_does_not_come_is_not_waited_for(pool: Pool) -> None:
    async with (
        running_webhook(pool, body_within=timedelta(milliseconds=50)) as hook,
        wire(hook) as (reader, writer),
    ):
        writer.write(head(sign(b"", b""), "Content-Length: 10") + b"{")
        assert await first_line(reader) == b"HTTP/1.1 408 Request Timeout"


async def test_a_client_that_hangs_up_leaves_nothing_behind(hook: Hook, conn: Connection) -> None:
    raw = orjson.dumps(inbound(message()))
    signature = sign(raw, APP_SECRET.encode())
    async with wire(hook) as (_, writer):
        writer.write(head(signature, f"Content-Length: {len(raw)}") + raw[:50])
        await writer.drain()
    assert await hook.post(inbound(message())) == 200
    assert await count(conn, "inbox") == 1


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=damaged())
async def test_a_damaged_webhook_is_taken_too(hook: Hook, body: Any) -> None:
    assert await hook.post(json.dumps(body).encode()) == 200


async def test_while_storage_is_away_meta_is_asked_to_come_again(
    database_url: str, conn: Connection
) -> None:
    await company(conn)
    body = inbound(message(), message(sender="1555"))
    before = counted("failed")
    async with proxied(database_url) as (url, proxy):
        pool = await open_pool(url, size=2)
        async with running_webhook(pool) as hook:
            assert await hook.post(inbound(message())) == 200
            proxy.cut()
            assert await hook.post(body) == 503
            assert await count(conn, "inbox") == 1
            assert counted("failed") == before + 1
            proxy.mend()
            assert await hook.post(body) == 200
        await pool.close()
    assert await count(conn, "inbox") == 3


async def test_an_unknown_number_is_kept_and_counted(hook: Hook, conn: Connection) -> None:
    before = REGISTRY.get_sample_value("usual_events_stray_total") or 0.0
    sent = message()
    for _ in range(2):
        assert await hook.post(envelope(change(number="404", messages=[sent]))) == 200
    (row,) = await stray_rows(conn)
    assert (row["reason"], row["phone_number_id"]) == ("unknown_number", "404")
    assert row["body"] == {"message": sent}
    assert REGISTRY.get_sample_value("usual_events_stray_total") == before + 2
    assert hook.received == []


async def test_a_body_that_is_no_envelope_is_kept(hook: Hook, conn: Connection) -> None:
    assert await hook.post({"object": "page", "hello": 1}) == 200
    (row,) = await stray_rows(conn)
    assert row["reason"] == "unreadable"
    assert row["body"] == {"body": {"object": "page", "hello": 1}}


async def test_logs_name_nobody(
    hook: Hook, capsys: pytest.CaptureFixture[str], conn: Connection
) -> None:
    secret: dict[str, Any] = {"body": "my secret wish"}
    person = contact("15557654321", name="Wanda Private", user_id="US.777666555444")
    said = [message(content=secret, sender="15557654321")]
    await hook.post(envelope(change(messages=said, contacts=[person], errors=[{"code": 1}])))
    await hook.post(envelope(change(number="404", messages=said, contacts=[person])))
    await hook.post(envelope({"field": "Wanda Private", "value": {"wa_id": "15557654321"}}))
    await hook.post(b'{"wa_id": "15557654321", Wanda')
    await hook.send(b"15557654321", signature=None)
    logged = capsys.readouterr().out
    assert "event.kept" in logged
    assert "event.strayed" in logged
    assert "webhook.refused" in logged
    for private in ("15557654321", "Wanda", "secret", "US.777"):
        assert private not in logged
