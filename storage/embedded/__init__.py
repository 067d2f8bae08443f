"""PostgreSQL and Valkey without installing either: what runs when no address is set.

    async with running(settings.data_dir) as servers:
        await connect(servers.database_url)

Any number of processes may use one data directory at once: the first one starts the servers, and
they stop when the last one is gone, however it went. Nothing else has to be cleaned up, ever.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

if sys.platform == "win32":
    raise ImportError("Embedded servers need Linux or macOS: set DATABASE_URL and REDIS_URL.")

from storage.embedded.locks import is_locked
from storage.embedded.programs import EmbeddedError
from storage.embedded.servers import Postgres, Server, Valkey
from storage.embedded.supervisor import Seat, known_access

__all__ = ["EmbeddedError", "Servers", "is_running", "recorded", "running"]


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are; an address is empty if that server was not wanted."""

    database_url: str
    redis_url: str


@asynccontextmanager
async def running(
    data_dir: Path,
    *,
    postgres: bool = True,
    valkey: bool = True,
    options: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Servers]:
    """Use the servers of this directory, starting those that do not run.

    `options` are PostgreSQL's settings; they count if this call starts it. EmbeddedError if the
    servers cannot run here.
    """
    wanted: list[Server] = [Postgres(options)] * postgres + [Valkey()] * valkey
    seats = [Seat(server, data_dir.absolute() / server.name) for server in wanted]
    try:
        taken = await asyncio.gather(*(seat.take() for seat in seats), return_exceptions=True)
        urls = dict(zip((server.name for server in wanted), map(_raised, taken), strict=True))
        yield Servers(urls.get(Postgres.name, ""), urls.get(Valkey.name, ""))
    finally:
        await asyncio.gather(*(seat.leave() for seat in seats))


def recorded(data_dir: Path) -> Servers | None:
    """Where the servers of this directory are, running or not; None if it never had any."""
    urls = {}
    for server in (Postgres(), Valkey()):
        if access := known_access(data_dir / server.name):
            urls[server.name] = server.url(access)
    return Servers(urls.get(Postgres.name, ""), urls.get(Valkey.name, "")) if urls else None


def is_running(data_dir: Path) -> bool:
    """Whether any server of this directory runs."""
    return any(is_locked(data_dir / name / "guard.lock") for name in (Postgres.name, Valkey.name))


def _raised(result: str | BaseException) -> str:
    if isinstance(result, BaseException):
        raise result
    return result
