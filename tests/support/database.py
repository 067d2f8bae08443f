"""The servers tests run against, and databases on them that are quick to have and to clean."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from storage import embedded, migrate
from storage.pool import Connection, connect

_T = TypeVar("_T")

# Nothing here has to survive the loss of power.
FAST: Final[Mapping[str, str]] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "256MB",
}
_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108
_ROOMY: Final = 4 << 30
_PREFIX: Final = "usual-test-"
_IN_USE: Final = "in-use.lock"
_TEMPLATE: Final = "usual_template"
_CLEAN: Final = """
DO $$
DECLARE
    leaf regclass;
BEGIN
    -- Without triggers: the order of foreign keys is of no matter when everything goes.
    SET LOCAL session_replication_role = replica;
    FOR leaf IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
            AND relname <> 'schema_migrations' AND pg_relation_size(oid) > 0
    LOOP
        EXECUTE format('DELETE FROM %s', leaf);
    END LOOP;
END
$$
"""


@asynccontextmanager
async def servers_with_template() -> AsyncIterator[embedded.Servers]:
    """PostgreSQL and Valkey, with a migrated database to make others from."""
    with _folder() as folder:
        async with embedded.running(folder / "data", options=FAST) as servers:
            url = await create(servers.database_url, _TEMPLATE)
            await migrate.up(url)
            yield servers


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for this run where making and dropping databases is quick."""
    roomy = _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free > _ROOMY
    place = _IN_MEMORY if roomy else Path(tempfile.gettempdir())
    _remove_what_killed_runs_left(place)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=place) as name:
        folder = Path(name)
        # As root, the servers run as another user, who must be able to pass through here.
        folder.chmod(0o711)
        with (folder / _IN_USE).open("w") as in_use:
            fcntl.flock(in_use, fcntl.LOCK_EX)
            yield folder


def _remove_what_killed_runs_left(place: Path) -> None:
    for in_use in place.glob(f"{_PREFIX}*/{_IN_USE}"):
        with suppress(OSError), in_use.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not embedded.is_running(in_use.parent / "data"):
                shutil.rmtree(in_use.parent)


@contextmanager
def in_a_thread(manager: AbstractAsyncContextManager[_T]) -> Iterator[_T]:
    """Keep an asynchronous context open in a thread of its own, whatever loops tests run."""
    opened: Future[_T] = Future()
    over = threading.Event()

    async def hold() -> None:
        try:
            async with manager as value:
                opened.set_result(value)
                await asyncio.to_thread(over.wait)
        except BaseException as exc:
            if opened.done():
                raise
            opened.set_exception(exc)

    ended: Future[None] = Future()

    def run() -> None:
        try:
            asyncio.run(hold())
        except BaseException as exc:  # the thread that waits for `ended` raises it
            ended.set_exception(exc)
        else:
            ended.set_result(None)

    threading.Thread(target=run, name="servers", daemon=True).start()
    yielded = opened.result()
    try:
        yield yielded
    finally:
        over.set()
        ended.result()


def named(database_url: str, name: str) -> str:
    """The address of another database on the same server."""
    return urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))


async def create(database_url: str, name: str, *, template: str | None = None) -> str:
    """Create a database on the server and return its address."""
    conn = await connect(database_url)
    try:
        # Copying files beats copying through the log.
        source = f'TEMPLATE "{template}"' if template else ""
        await conn.execute(f'CREATE DATABASE "{name}" {source} STRATEGY FILE_COPY')
    finally:
        await conn.close()
    return named(database_url, name)


async def create_migrated(database_url: str, name: str) -> str:
    """Create a database with the whole schema and return its address."""
    return await create(database_url, name, template=_TEMPLATE)


@asynccontextmanager
async def temporary(database_url: str, *, migrated: bool) -> AsyncIterator[str]:
    """The address of a new database that is gone afterwards, whoever still uses it.

    Its commits are as durable as in production: killing servers and clients loses none of them.
    """
    name = f"usual_{uuid4().hex}"
    url = await create(database_url, name, template=_TEMPLATE if migrated else None)
    conn = await connect(database_url)
    try:
        await conn.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = on')
        yield url
    finally:
        await conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await conn.close()


async def clean(conn: Connection) -> None:
    """Delete every row but the record of migrations."""
    await conn.execute(_CLEAN)
