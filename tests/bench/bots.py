"""The bots under load, in processes: ours as an operator starts it, and the floor bot."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from storage.embedded import Servers
from storage.pool import connect
from tests.bench.load import APP_SECRET, BenchError, Tools
from tests.support.checkout import CHECKOUT
from tests.support.database import named

READY_WITHIN: Final = 60.0
FLOOR_DATABASE: Final = "floor"


@dataclass(slots=True)
class Process:
    """A process of a bot."""

    name: str
    log: Path
    handle: asyncio.subprocess.Process

    def rss_mb(self) -> float | None:
        """Its memory in megabytes, children not included; None where the system does not say."""
        try:
            status = Path(f"/proc/{self.handle.pid}/status").read_text("ascii")
        except OSError:
            return None
        kilobytes = [line.split()[1] for line in status.splitlines() if line[:6] == "VmRSS:"]
        return round(int(kilobytes[0]) / 1024, 1) if kilobytes else None

    def cpu_seconds(self) -> float | None:
        """The time it has had on a processor so far."""
        try:
            stat = Path(f"/proc/{self.handle.pid}/stat").read_text("utf-8").rpartition(")")[2]
        except OSError:
            return None
        user, system = stat.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def check_alive(self) -> None:
        """BenchError with the end of its log if it has died."""
        if self.handle.returncode is not None:
            tail = self.log.read_text("utf-8", "replace")[-1500:]
            raise BenchError(f"{self.name} ended with status {self.handle.returncode}:\n{tail}")


@dataclass(slots=True)
class Bot:
    """A bot that is up; `url` is its webhook, the first process receives."""

    name: str
    url: str
    processes: Sequence[Process] = field(default_factory=tuple)

    def rss_mb(self) -> float | None:
        """The memory of the process that receives."""
        return self.processes[0].rss_mb()

    def cpu_seconds(self) -> float:
        """The time that all its processes have had on a processor."""
        return sum(process.cpu_seconds() or 0.0 for process in self.processes)

    def check_alive(self) -> None:
        """BenchError if one of them has died."""
        for process in self.processes:
            process.check_alive()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def started(
    name: str, command: Sequence[str], environment: Mapping[str, str], log: Path
) -> AsyncIterator[Process]:
    """A process that is asked to stop at the end, and killed when it does not."""
    with log.open("ab") as output:
        handle = await asyncio.create_subprocess_exec(
            *command, cwd=CHECKOUT, env={**os.environ, **environment},
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    process = Process(name, log, handle)
    try:
        yield process
    finally:
        if handle.returncode is None:
            handle.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(20):
                    await handle.wait()
            except TimeoutError:
                handle.kill()
                await handle.wait()


@asynccontextmanager
async def usual(
    servers: Servers, folder: Path, *, graph_port: int, workers: int = 0, log_level: str = "info"
) -> AsyncIterator[Bot]:
    """Our bot: `usual serve`, or, with `workers`, a receiver and so many `usual work` beside it."""
    port = free_port()
    environment = {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "WHATSAPP_APP_SECRET": APP_SECRET,
        "WHATSAPP_VERIFY_TOKEN": "bench",
        "WHATSAPP_ACCESS_TOKEN": "bench",
        "WHATSAPP_API_URL": f"http://127.0.0.1:{graph_port}",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "LOG_FORMAT": "json",
        "LOG_LEVEL": log_level,
    }
    serve = [sys.executable, "-m", "bot", "serve", *(["--no-workers"] if workers else [])]
    name = f"usual-{workers}" if workers else "usual"
    async with started("serve", serve, environment, folder / f"{name}.log") as receiver:
        await ready(receiver, f"http://127.0.0.1:{port}/readyz")
        async with _workers(workers, environment, folder / f"{name}-work.log") as others:
            yield Bot(name, f"http://127.0.0.1:{port}/webhook", (receiver, *others))


@asynccontextmanager
async def _workers(
    count: int, environment: Mapping[str, str], log: Path
) -> AsyncIterator[tuple[Process, ...]]:
    if not count:
        yield ()
        return
    port = free_port()
    command = [sys.executable, "-m", "bot", "work", "--port", str(port)]
    async with started("work", command, environment, log) as worker:
        await ready(worker, f"http://127.0.0.1:{port}/readyz")
        async with _workers(count - 1, environment, log) as others:
            yield (worker, *others)


@asynccontextmanager
async def floor(
    tools: Tools, servers: Servers, folder: Path, *, graph_port: int
) -> AsyncIterator[Bot]:
    """The floor bot, with its tables in a database of its own on the same server."""
    database_url = named(servers.database_url, FLOOR_DATABASE)
    await _create_floor_database(tools, servers, database_url)
    port = free_port()
    environment = {
        "PG_DSN": database_url,
        "GRAPH_URL": f"http://127.0.0.1:{graph_port}/v26.0",
        "APP_SECRET": APP_SECRET,
        "PORT": str(port),
    }
    command = [sys.executable, str(tools.floor)]
    async with started("the floor bot", command, environment, folder / "floor.log") as process:
        await ready(process, f"http://127.0.0.1:{port}/")
        yield Bot("floor", f"http://127.0.0.1:{port}/webhook", (process,))


async def _create_floor_database(tools: Tools, servers: Servers, database_url: str) -> None:
    conn = await connect(servers.database_url)
    try:
        await conn.execute(f'CREATE DATABASE "{FLOOR_DATABASE}"')
    finally:
        await conn.close()
    conn = await connect(database_url)
    try:
        await conn.execute(tools.floor_schema.read_text("utf-8"))
    finally:
        await conn.close()


async def ready(process: Process, url: str) -> None:
    """Wait until it answers, and says 200 where it is asked for its health."""
    try:
        async with asyncio.timeout(READY_WITHIN), aiohttp.ClientSession() as session:
            while not await _answers(session, url):
                process.check_alive()
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise BenchError(f"{process.name} was not ready within {READY_WITHIN:.0f} s.") from None


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200 or not url.endswith("/readyz")
    except aiohttp.ClientConnectionError:
        return False


async def ask(database_url: str, query: str, *values: Any) -> Any:
    """One row of a database."""
    conn = await connect(database_url)
    try:
        return await conn.fetchrow(query, *values)
    finally:
        await conn.close()
