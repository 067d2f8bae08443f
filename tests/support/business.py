"""The other end of a simulator in its own tests: a webhook receiver and a plain client."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from tests.support.graph import APP_SECRET, PATIENCE, Graph

Answering = Callable[[dict[str, Any]], Awaitable[None]]


class Business:
    """A webhook receiver that writes down what it gets: the other end, where the bot would be.

    `values` are the changes' values of correctly signed bodies in order of arrival; `answers`
    are HTTP statuses for the next POSTs, 200 when there are none left.
    """

    def __init__(self, app_secret: str = APP_SECRET) -> None:
        self.url = ""
        self.values: list[dict[str, Any]] = []
        self.bodies: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.answers: list[int] = []
        self.on_message: Answering | None = None
        self.verify_token: str | None = None
        self._secret = app_secret
        self._news = asyncio.Event()

    @property
    def messages(self) -> list[dict[str, Any]]:
        """All inbound messages."""
        return [one for value in self.values for one in value.get("messages", ())]

    @property
    def statuses(self) -> list[dict[str, Any]]:
        """All statuses."""
        return [one for value in self.values for one in value.get("statuses", ())]

    def steps(self, wamid: str) -> list[str]:
        """The statuses of one message, in order of arrival."""
        return [one["status"] for one in self.statuses if one["id"] == wamid]

    async def until(self, true: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
        """Wait until `true()` after some webhook."""
        try:
            async with asyncio.timeout(seconds):
                while not true():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"not within {seconds} s; got {self.values}") from None

    async def verify(self, request: web.Request) -> web.Response:
        """Prove that the address is ours, once there is a token."""
        if self.verify_token != request.query.get("hub.verify_token"):
            return web.Response(status=403)
        return web.Response(text=request.query["hub.challenge"])

    async def receive(self, request: web.Request) -> web.Response:
        """The webhook."""
        raw = await request.read()
        right = "sha256=" + hmac.new(self._secret.encode(), raw, hashlib.sha256).hexdigest()
        if request.headers.get("X-Hub-Signature-256") != right:
            return web.Response(status=401)
        answer = self.answers.pop(0) if self.answers else 200
        if answer == 200:
            self._note(raw)
        self._news.set()
        if answer == 200 and self.on_message:
            for value in self._values(self.bodies[-1]):
                if "messages" in value:
                    await self.on_message(value)
        return web.Response(status=answer)

    def _note(self, raw: bytes) -> None:
        self.raw.append(raw)
        self.bodies.append(json.loads(raw))
        self.values += self._values(self.bodies[-1])

    def _values(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [change["value"] for entry in body["entry"] for change in entry["changes"]]


@asynccontextmanager
async def running_business() -> AsyncIterator[Business]:
    """A receiver on a free port."""
    business = Business()
    app = web.Application()
    app.router.add_post("/webhook", business.receive)
    app.router.add_get("/webhook", business.verify)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        business.url = f"http://{host}:{port}/webhook"
        yield business
    finally:
        await runner.cleanup()


class Client:
    """A business's client of the Graph API: as plain as possible."""

    def __init__(self, graph: Graph, session: aiohttp.ClientSession) -> None:
        self._graph = graph
        self._session = session
        self.headers = {"Authorization": "Bearer token"}

    async def send(self, body: dict[str, Any], *, number: str | None = None) -> tuple[int, Any]:
        """POST a body to `/messages`; the status and the answer."""
        number = number or self._graph.number.phone_number_id
        url = f"{self._graph.url}/{number}/messages"
        async with self._session.post(url, json=body, headers=self.headers) as answer:
            return answer.status, await answer.json()

    async def text(self, to: str, text: str, **more: Any) -> str:
        """Send a text that has to be accepted; its wamid."""
        status, answer = await self.send(message(to, "text", {"body": text}, **more))
        assert status == 200, answer
        return str(answer["messages"][0]["id"])


@asynccontextmanager
async def graph_client(graph: Graph) -> AsyncIterator[Client]:
    """A client of a running Graph API."""
    async with aiohttp.ClientSession() as session:
        yield Client(graph, session)


def message(to: str, kind: str, content: Any, **more: Any) -> dict[str, Any]:
    """The body of a send."""
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": kind,
        kind: content,
        **more,
    }
