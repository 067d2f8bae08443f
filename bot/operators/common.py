"""What most commands need: a database that is up to date, a company that is there, JSON."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from bot.runtime import database_url, ensure_migrated, servers
from bot.settings import Settings, SettingsError
from storage import companies
from storage.pool import Connection, connect


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Connection]:
    """Give a connection to a database that is up to date."""
    async with servers(settings) as ready:
        await ensure_migrated(ready)
        conn = await connect(database_url(ready))
        try:
            yield conn
        finally:
            await conn.close()


async def asked_for(conn: Connection, company: int) -> int | None:
    """Return the company that was asked for, None for all; SettingsError when there is none."""
    if company and all(one.id != company for one in await companies.all_of_them(conn)):
        raise SettingsError(f"There is no company {company}.")
    return company or None


def print_json(found: Any) -> None:
    """Print one line for programs."""
    # PostgreSQL's ids are of a class of asyncpg's own.
    sys.stdout.buffer.write(orjson.dumps(found, default=str) + b"\n")
