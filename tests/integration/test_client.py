"""What goes over the wire to the Graph API, and what is made of every way it can end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.settings import Settings
from bot.whatsapp.client import Accepted, GraphClient
from bot.whatsapp.errors import (
    AuthLost,
    BadMessage,
    Doubtful,
    GraphError,
    Throttled,
    Transient,
    Unreachable,
)
from flows.effects import Attachment

TEXT = {"type": "text", "text": {"body": "Hello", "preview_url": False}}
TAKEN = b'{"messages":[{"id":"wamid.1"}]}'

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Wire:
    """A server that answers as it is told, and what it was asked."""

    answer: Answer
    url: str = ""
    requests: list[tuple[web.BaseRequest, bytes]] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Note a request and answer it."""
        form = request.content_type == "multipart/form-data"  # read once, by who wants it
        self.requests.append((request, b"" if form else await request.read()))
        return await self.answer(request)


@asynccontextmanager
async def talking(answer: Answer) -> AsyncIterator[tuple[Wire, GraphClient]]:
    wire = Wire(answer)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", wire.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        wire.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with GraphClient.open(settings_for(wire.url)) as client:
            yield wire, client
    finally:
        await runner.cleanup()


def settings_for(url: str) -> Settings:
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        whatsapp_api_url=url,
        whatsapp_api_version="v25.0",
        whatsapp_access_token=SecretStr("secret"),
    )


def says(body: bytes, status: int = 200, **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers=headers)

    return answer


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def test_a_message_is_posted_once_with_the_token() -> None:
    async with talking(says(TAKEN)) as (wire, client):
        assert await client.send("123", TEXT) == Accepted("wamid.1")
    ((request, body),) = wire.requests
    assert (request.method, request.path) == ("POST", "/v25.0/123/messages")
    assert request.headers["Authorization"] == "Bearer secret"
    assert request.headers["Content-Type"] == "application/json"
    assert orjson.loads(body) == TEXT


async def test_connections_are_kept_alive() -> None:
    async with talking(says(TAKEN)) as (wire, client):
        for _ in range(5):
            await client.send("123", TEXT)
    assert len({id(request.transport) for request, _ in wire.requests}) == 1


@pytest.mark.parametrize(
    ("raw", "accepted"),
    [
        (
            b'{"contacts":[{"input":"1","wa_id":"2"}],"messages":[{"id":"w"}]}',
            Accepted("w", wa_id="2"),
        ),
        (
            b'{"contacts":[{"user_id":"US.1"}],"messages":[{"id":"w","message_status":"accepted"}]}',
            Accepted("w", user_id="US.1"),
        ),
        (b'{"contacts":null,"messages":[{"id":"w"}],"new":{"a":1}}', Accepted("w")),
        (b'{"contacts":[7],"messages":[{"id":"w"}]}', Accepted("w")),
    ],
)
async def test_answers_are_read_leniently(raw: bytes, accepted: Accepted) -> None:
    async with talking(says(raw)) as (_, client):
        assert await client.send("123", TEXT) == accepted


@pytest.mark.parametrize(
    "raw",
    [b"", b"OK", b"[]", b"{}", b'{"messages":[]}', b'{"messages":[{"id":7}]}', b'{"messages":{}}'],
)
async def test_a_success_without_an_id_is_doubtful(raw: bytes) -> None:
    async with talking(says(raw)) as (_, client):
        with pytest.raises(Doubtful):
            await client.send("123", TEXT)


@pytest.mark.parametrize(
    ("status", "raw", "kind"),
    [
        (400, b'{"error":{"code":131009}}', BadMessage),
        (401, b'{"error":{"code":190}}', AuthLost),
        (500, b'{"error":{"code":131000}}', Transient),
        (500, b"", Doubtful),
        (502, b"<html>", Doubtful),
        (504, b"upstream timed out", Doubtful),
        (302, b"", Transient),
        (429, b"", Throttled),
    ],
)
async def test_errors_become_their_class(status: int, raw: bytes, kind: type[GraphError]) -> None:
    async with talking(says(raw, status, Location="/elsewhere")) as (wire, client):
        with pytest.raises(kind) as caught:
            await client.send("123", TEXT)
        assert type(caught.value) is kind
        assert len(wire.requests) == 1, "a redirection is not followed"


async def test_meta_may_say_how_long_to_wait() -> None:
    answer = says(b'{"error":{"code":130429}}', 429, **{"Retry-After": "17"})
    async with talking(answer) as (_, client):
        with pytest.raises(Throttled) as caught:
            await client.send("123", TEXT)
        assert caught.value.pause == 17


async def test_a_connection_that_breaks_before_the_answer_is_doubtful() -> None:
    async with talking(hang_up) as (wire, client):
        with pytest.raises(Doubtful):
            await client.send("123", TEXT)
        assert len(wire.requests) == 1, "the library must not send again by itself"


async def test_a_kept_connection_that_breaks_is_not_tried_again_by_itself() -> None:
    async with talking(says(TAKEN)) as (wire, client):
        await client.send("123", TEXT)
        wire.answer = hang_up
        with pytest.raises(Doubtful):
            await client.send("123", TEXT)
        assert len(wire.requests) == 2


async def test_an_answer_that_is_cut_off_is_doubtful() -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(TAKEN)
        assert request.transport is not None
        request.transport.abort()
        return response

    async with talking(cut) as (_, client):
        with pytest.raises(Doubtful):
            await client.send("123", TEXT)


async def test_a_refused_connection_has_sent_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with GraphClient.open(settings_for(f"http://127.0.0.1:{port}")) as client:
        with pytest.raises(Unreachable):
            await client.send("123", TEXT)


async def test_an_unknown_host_has_been_sent_nothing() -> None:
    async with GraphClient.open(settings_for("http://graph.invalid")) as client:
        with pytest.raises(Unreachable):
            await client.send("123", TEXT)


@pytest.mark.parametrize("typing", [True, False])
async def test_read_and_typing_go_in_one_call(typing: bool) -> None:
    async with talking(says(b'{"success":true}')) as (wire, client):
        await client.mark_read("123", "wamid.7", typing=typing)
    ((_, body),) = wire.requests
    expected = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.7"}
    if typing:
        expected["typing_indicator"] = {"type": "text"}  # type: ignore[assignment]
    assert orjson.loads(body) == expected


async def test_read_receipts_do_not_wait_for_long() -> None:
    async def dawdle(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3)
        return web.Response()

    async with talking(dawdle) as (_, client):
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(GraphError):
            await client.mark_read("123", "wamid.7", typing=True)
        assert loop.time() - began < 2


async def test_a_calendar_goes_up_as_plain_text_under_its_own_name() -> None:
    seen: list[object] = []

    async def media(request: web.Request) -> web.StreamResponse:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        seen.extend((form["messaging_product"], form["type"], file.filename, file.content_type))
        seen.append(file.file.read().decode())
        return web.json_response({"id": "media7"})

    async with talking(media) as (wire, client):
        calendar = Attachment("visit.ics", "text/calendar", "BEGIN:VCALENDAR ü")
        assert await client.upload("123", calendar) == "media7"
    assert seen == ["whatsapp", "text/plain", "visit.ics", "text/plain", "BEGIN:VCALENDAR ü"]
    assert wire.requests[0][0].path == "/v25.0/123/media"


async def test_an_upload_without_an_id_failed() -> None:
    async with talking(says(b"{}")) as (_, client):
        with pytest.raises(GraphError):
            await client.upload("123", Attachment("a.pdf", "application/pdf", "x"))
