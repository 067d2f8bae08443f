"""A TCP proxy that can be cut, stalled and slowed, for servers that a test must not really stop."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

_PREPARES: Final = re.compile(rb"(__asyncpg_stmt_\w+?__)\0/\* ([\w.]+) \*/")


@dataclass
class Pieces:
    """Counts the pieces that proxies pass on; before the `last` one is passed on, `end` happens.

    Shared by all proxies of a process, that is the moment at which it is killed.
    """

    last: int
    end: Callable[[], object]
    seen: int = 0

    def pass_on(self) -> bool:
        """Count one more; whether it goes through."""
        self.seen += 1
        if self.seen == self.last:
            self.end()
        return self.seen < self.last


class Proxy:
    """Passes bytes on until told not to."""

    def __init__(self, url: str) -> None:
        self._target = _target(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self._down = False
        self._stranded: list[asyncio.Event] = []
        self._flowing = _set()
        self.delay_s = 0.0
        self.pieces: Pieces | None = None
        self.swallow_after: bytes | None = None
        """Once a client had this query run, the answer is lost and its connection broken."""
        self.on_swallowed: Callable[[], object] = lambda: None
        """Happens when an answer is swallowed: what was asked for is done, and nobody knows."""
        self.reset_after: int | None = None
        """Break a connection in the middle of an answer, after so many bytes."""

    def point(self, url: str) -> None:
        """Break every connection and lead new ones to another server."""
        self._target = _target(url)
        for writer in list(self._writers):
            writer.transport.abort()

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        self._down = True
        for flowing in (self._flowing, *self._stranded):
            flowing.set()
        for writer in list(self._writers):
            writer.transport.abort()

    def mend(self) -> None:
        """Let connections through again, unharmed."""
        self._down = False
        self._flowing.set()
        self.delay_s, self.swallow_after, self.reset_after = 0.0, None, None

    def stall(self) -> None:
        """Take bytes and pass none on: no answer, no error, and no end either."""
        self._flowing.clear()

    def strand(self) -> None:
        """Stall the connections that there are for good; new ones are unharmed."""
        self._flowing.clear()
        self._stranded.append(self._flowing)
        self._flowing = _set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect one client with the target."""
        if self._down:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:  # nobody is there either
            writer.transport.abort()
            return
        pair = {writer, back}
        self._writers |= pair
        link = _Link(self, self._flowing, writer, back)
        try:
            await asyncio.gather(link.pump(reader, back), link.pump(there, writer, answers=True))
        finally:
            self._writers -= pair

    async def let_through(self, flowing: asyncio.Event) -> bool:
        """Wait as long as bytes take; whether they go through then."""
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        await flowing.wait()
        return not self._down and (self.pieces is None or self.pieces.pass_on())


class _Link:
    """One client's connection."""

    def __init__(self, proxy: Proxy, flowing: asyncio.Event, *ends: asyncio.StreamWriter) -> None:
        self._proxy, self._flowing, self._ends = proxy, flowing, ends
        self._swallowing = False
        self._prepared: dict[bytes, bytes] = {}

    async def pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        try:
            while data := await reader.read(65536):
                if not await self._proxy.let_through(self._flowing):
                    self._break()
                    return
                if answers and self._swallowing:
                    self._proxy.on_swallowed()
                    self._break()
                    return
                token, most = self._proxy.swallow_after, self._proxy.reset_after
                if not answers and self._runs(data, token):
                    self._swallowing = True
                if answers and most is not None:
                    writer.write(data[:most])
                    await writer.drain()
                    self._break()
                    return
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            await self._flowing.wait()  # whoever is stalled does not hear that the other is gone
            writer.close()

    def _runs(self, data: bytes, query: bytes | None) -> bool:
        """Whether a client has a query run; preparing it is not that yet."""
        for name, prepared in _PREPARES.findall(data):
            self._prepared[prepared] = name
        name = self._prepared.get(query or b"")
        return name is not None and name in _PREPARES.sub(b"", data)

    def _break(self) -> None:
        for end in self._ends:
            end.transport.abort()


def _target(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[tuple[str, Proxy]]:
    """Give the address of a proxy in front of the server at `url`, and the proxy."""
    parts = urlsplit(url)
    proxy = Proxy(url)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    credentials, _, _ = parts.netloc.rpartition("@")
    netloc = f"{credentials}@127.0.0.1:{port}" if credentials else f"127.0.0.1:{port}"
    try:
        yield urlunsplit(parts._replace(netloc=netloc)), proxy
    finally:
        proxy.cut()
        server.close()
