"""How a connection to PostgreSQL is made: address, patience, time limits, types."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import orjson

from flows.values import valueclass
from storage.errors import FOREIGN, Refused, translate

_T = TypeVar("_T")
_CONNECT_SECONDS: Final = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


@valueclass(frozen=True, slots=True)
class Timeouts:
    """How long the server lets one session work, wait for a lock, or idle inside a transaction."""

    statement: timedelta = timedelta(seconds=5)
    lock: timedelta = timedelta(seconds=2)
    idle_in_transaction: timedelta = timedelta(seconds=5)

    def settings(self) -> dict[str, str]:
        """As PostgreSQL's settings; zero means no limit."""
        return {
            "statement_timeout": _milliseconds(self.statement),
            "lock_timeout": _milliseconds(self.lock),
            "idle_in_transaction_session_timeout": _milliseconds(self.idle_in_transaction),
        }


PROMPT: Final = Timeouts()
"""For whatever a customer waits for: a frozen worker blocks nobody for long."""
UNHURRIED: Final = Timeouts(
    statement=timedelta(0), lock=timedelta(seconds=10), idle_in_transaction=timedelta(minutes=1)
)
"""For migrations and other long work; it still gives way when it cannot get a lock."""


def _milliseconds(duration: timedelta) -> str:
    return f"{duration // timedelta(milliseconds=1)}ms"


async def connect(
    database_url: str,
    *,
    application_name: str = "usual",
    timeouts: Timeouts = UNHURRIED,
    patience: timedelta = timedelta(seconds=10),
) -> asyncpg.Connection:
    """One connection of its own, to the server itself: for migrations, locks and long work."""
    url, pooled = split_address(database_url)
    if pooled:
        raise Refused("this needs a connection to PostgreSQL itself, not to its pooler")

    async def attempt() -> asyncpg.Connection:
        conn: asyncpg.Connection = await asyncpg.connect(
            url, **options(application_name, timeouts, pooled=False)
        )
        try:
            await set_codecs(conn)
        except BaseException:
            conn.terminate()
            raise
        return conn

    return await patiently(attempt, database_url, patience)


_PLANNER: Final = {
    "jit": "off",
    # Planned once: planning a statement over partitions anew costs more than running it.
    "plan_cache_mode": "force_generic_plan",
    # And for tables that grow: a plan made while one was empty must not read all of it later.
    "enable_seqscan": "off",
}


_WATCHFUL: Final = {
    # A client that is gone without a word must not keep its locks or its place: the server looks
    # while it works for somebody, waits for acknowledgements so long, and asks who is silent.
    "client_connection_check_interval": "2s",
    "tcp_user_timeout": "10s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


def options(application_name: str, timeouts: Timeouts, *, pooled: bool) -> dict[str, Any]:
    """What asyncpg is to be told about a connection."""
    settings = {"application_name": application_name, "timezone": "UTC"}
    if not pooled:  # a pooler refuses a session that asks for settings it does not know
        settings |= timeouts.settings() | _PLANNER | _WATCHFUL
    limit = timeouts.statement.total_seconds()
    return {
        "server_settings": settings,
        "timeout": _CONNECT_SECONDS,
        # Only for a server that is gone without a word: a living one breaks off by itself.
        "command_timeout": limit + _CONNECT_SECONDS if limit else None,
        "statement_cache_size": 0 if pooled else 500,
        "max_cached_statement_lifetime": 0,
    }


async def patiently(
    attempt: Callable[[], Awaitable[_T]], database_url: str, patience: timedelta
) -> _T:
    """Try to connect until it works, it cannot work (Refused), or patience ends (Unavailable)."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience.total_seconds()
    pause = _FIRST_PAUSE
    while True:
        try:
            return await attempt()
        except ValueError:
            raise Refused("not an address of the form postgresql://user@host:port/name") from None
        except FOREIGN as exc:
            error = translate(exc)
        if not error.retryable or loop.time() + pause > deadline:
            raise type(error)(f"cannot connect to {_where(database_url)}: {error}") from None
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def split_address(database_url: str) -> tuple[str, bool]:
    """The address for asyncpg, and whether `?pooler=transaction` was behind it."""
    parts = urlsplit(database_url)
    given = parse_qsl(parts.query)
    rest = [(key, value) for key, value in given if key != "pooler"]
    if len(rest) == len(given):
        return database_url, False
    if ("pooler", "transaction") not in given:
        raise Refused("the only pooler mode there is an option for is ?pooler=transaction")
    return urlunsplit(parts._replace(query=urlencode(rest))), True


def _where(database_url: str) -> str:
    """The address without user and password."""
    parts = urlsplit(database_url)
    host = parts.hostname or dict(parse_qsl(parts.query)).get("host", "the local socket")
    return f"PostgreSQL at {host}:{parts.port or 5432}{parts.path}"


async def set_codecs(conn: asyncpg.Connection) -> None:
    """Let jsonb come and go as Python's own types."""
    await conn.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )
    await conn.fetchval("SELECT '{}'::jsonb[]")  # asyncpg asks what the array is made of: do it now


def _to_jsonb(value: object) -> bytes:
    return b"\x01" + orjson.dumps(value)  # PostgreSQL's version of the binary format


def _from_jsonb(data: bytes) -> Any:
    return orjson.loads(memoryview(data)[1:])
