"""Brings a database to a version of the schema, and back.

Each migration runs in one transaction, together with the row in `schema_migrations` that records
it: killed at any point, it leaves nothing half done. Any number of processes may begin at once: one
works, the others wait for it. They poll for the lock, because whoever waits inside PostgreSQL holds
a snapshot, and CREATE INDEX CONCURRENTLY waits for every snapshot to end.

A file that was edited after it ran is refused, as databases would come to differ unnoticed. So is a
database that a newer version of the program has migrated. dbmate may be used on the same database.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import asyncpg

from flows.values import valueclass
from storage.errors import (
    FOREIGN,
    MigrationFailed,
    MigrationRefused,
    StorageError,
    Unavailable,
    translate,
    translated,
)
from storage.migration_files import DIRECTORY, Migration, Section, load
from storage.pool import connect
from storage.sqltext import line_of, statements

LOCK: Final = 0x757375616C  # "usual"
_POLL_SECONDS: Final = 0.1

# dbmate makes the first column only; a database that it began is taken over.
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version text CONSTRAINT schema_migrations_pkey PRIMARY KEY
);
ALTER TABLE schema_migrations
    ADD COLUMN IF NOT EXISTS name text,
    ADD COLUMN IF NOT EXISTS checksum text,
    ADD COLUMN IF NOT EXISTS applied_at timestamptz DEFAULT now(),
    ADD COLUMN IF NOT EXISTS took_ms bigint
"""
_BROKEN_INDEXES: Final = """
SELECT string_agg(indexrelid::regclass::text, ', ' ORDER BY indexrelid)
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE NOT indisvalid AND relkind = 'i'
"""

Way = Literal["up", "down"]
State = Literal["applied", "pending", "edited", "unknown"]


@valueclass(frozen=True, slots=True)
class Applied:
    """A migration that has just been applied or taken back."""

    version: str
    name: str
    took_ms: int

    def __str__(self) -> str:
        return f"{self.version}_{self.name} in {self.took_ms} ms"


@valueclass(frozen=True, slots=True)
class MigrationStatus:
    """Where a migration stands: `edited` since it ran, `unknown` where its file is not here."""

    version: str
    name: str
    state: State
    applied_at: datetime | None
    took_ms: int | None

    def __str__(self) -> str:
        when = f" on {self.applied_at:%Y-%m-%d %H:%M} UTC" if self.applied_at else ""
        state = f"applied{when}, edited since" if self.state == "edited" else f"{self.state}{when}"
        return f"{self.version}_{self.name}: {state}"


async def up(
    database_url: str,
    directory: Path = DIRECTORY,
    to: str | None = None,
    *,
    patience: timedelta = timedelta(minutes=10),
    report: Callable[[Applied], None] = lambda _: None,
) -> list[Applied]:
    """Apply what is pending, as far as version `to`, waiting up to `patience` for other processes.

    MigrationRefused comes before anything is touched; after MigrationFailed, those before it stay.
    """
    migrations = load(directory)
    wanted = _until(migrations, to)
    async with _connected(database_url) as conn:
        # Every process asks at its start, and mostly there is nothing to do: no lock for that.
        if not _pending(migrations, wanted, await _rows(conn)):
            return []
        await _lock(conn, patience)
        with translated():
            await conn.execute(_TABLE)
        done: list[Applied] = []
        for migration in _pending(migrations, wanted, await _rows(conn)):
            done.append(await _run(conn, migration, "up"))
            report(done[-1])
        return done


async def down(
    database_url: str,
    directory: Path = DIRECTORY,
    steps: int = 1,
    *,
    patience: timedelta = timedelta(minutes=10),
    report: Callable[[Applied], None] = lambda _: None,
) -> list[Applied]:
    """Take back the last `steps` migrations, the newest first; raises what `up` raises."""
    if steps < 1:
        raise ValueError("steps is 1 or more")
    migrations = load(directory)
    async with _connected(database_url) as conn:
        await _lock(conn, patience)
        rows = await _rows(conn)
        _compare(migrations, rows)
        done: list[Applied] = []
        for migration in [m for m in migrations if m.version in rows][::-1][:steps]:
            done.append(await _run(conn, migration, "down"))
            report(done[-1])
        return done


async def status(database_url: str, directory: Path = DIRECTORY) -> list[MigrationStatus]:
    """Every migration that the files or the database know, oldest first; changes nothing."""
    migrations = {m.version: m for m in load(directory)}
    async with _connected(database_url) as conn:
        rows = await _rows(conn)
    return [_status(v, migrations.get(v), rows.get(v)) for v in sorted({*migrations, *rows})]


def _status(
    version: str, migration: Migration | None, row: asyncpg.Record | None
) -> MigrationStatus:
    if row is None:
        return MigrationStatus(version, migration.name if migration else "", "pending", None, None)
    name = migration.name if migration else row.get("name") or ""
    state: State = "applied" if migration else "unknown"
    if migration and _is_edited(migration, row):
        state = "edited"
    return MigrationStatus(version, name, state, row.get("applied_at"), row.get("took_ms"))


def _until(migrations: Sequence[Migration], to: str | None) -> Sequence[Migration]:
    if to is None:
        return migrations
    for number, migration in enumerate(migrations, start=1):
        if migration.version == to.zfill(4):
            return migrations[:number]
    raise MigrationRefused(f"there is no migration {to}: the newest is {migrations[-1]}")


def _pending(
    migrations: Sequence[Migration],
    wanted: Sequence[Migration],
    rows: dict[str, asyncpg.Record],
) -> list[Migration]:
    _compare(migrations, rows)
    return [m for m in wanted if m.version not in rows]


def _compare(migrations: Sequence[Migration], rows: dict[str, asyncpg.Record]) -> None:
    """Refuse to go on where files and database disagree about what was applied."""
    known = {m.version: m for m in migrations}
    for version, row in rows.items():
        if version not in known:
            raise MigrationRefused(
                f"the database has migration {version} {row.get('name') or ''}, which is not among "
                "the files here: a newer version of the program was at work. Run that one, or "
                "have it take the migration back"
            )
        if _is_edited(known[version], row):
            raise MigrationRefused(
                f"{known[version]}.sql was edited after it was applied: restore it, and put the "
                "change into a new migration"
            )
    gap = next((m for m in migrations if m.version not in rows), None)
    later = next((m for m in migrations[::-1] if m.version in rows), None)
    if gap and later and gap.version < later.version:
        raise MigrationRefused(f"{later} is applied, but {gap}, which comes before it, is not")


def _is_edited(migration: Migration, row: asyncpg.Record) -> bool:
    return row.get("checksum") not in {None, migration.checksum}  # dbmate notes no checksum


@asynccontextmanager
async def _connected(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await connect(database_url, application_name="usual migrate")
    try:
        yield conn
    finally:
        await conn.close()


async def _rows(conn: asyncpg.Connection) -> dict[str, asyncpg.Record]:
    with translated():
        if await conn.fetchval("SELECT to_regclass('schema_migrations')") is None:
            return {}
        rows = await conn.fetch("SELECT * FROM schema_migrations ORDER BY version")
    return {row["version"]: row for row in rows}


async def _lock(conn: asyncpg.Connection, patience: timedelta) -> None:
    """Take the lock on migrating this database; it goes when the connection goes."""
    deadline = time.monotonic() + patience.total_seconds()
    with translated():
        while not await conn.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
            if time.monotonic() > deadline:
                raise Unavailable("another process is migrating this database and does not end")
            await asyncio.sleep(_POLL_SECONDS)


async def _run(conn: asyncpg.Connection, migration: Migration, way: Way) -> Applied:
    section = migration.up if way == "up" else migration.down
    started = time.perf_counter()
    if section.transactional:
        async with _told(migration, section, section.sql), conn.transaction():
            await conn.execute(section.sql)
            took_ms = await _record(conn, migration, way, started)
    else:
        await _run_piecemeal(conn, migration, section)
        async with _told(migration, section, section.sql):
            took_ms = await _record(conn, migration, way, started)
    return Applied(migration.version, migration.name, took_ms)


async def _run_piecemeal(conn: asyncpg.Connection, migration: Migration, section: Section) -> None:
    for statement in statements(section.sql):
        async with _told(migration, section, statement):
            # A concurrent build waits for others by taking locks; cut short, it leaves a wreck.
            await conn.execute("SET lock_timeout = 0")
            await conn.execute(statement)
    with translated():
        broken = await conn.fetchval(_BROKEN_INDEXES)
    if broken:
        raise MigrationFailed(f"{migration}: invalid index {broken}: drop it and migrate again")


async def _record(conn: asyncpg.Connection, migration: Migration, way: Way, started: float) -> int:
    took_ms = int((time.perf_counter() - started) * 1000)
    await conn.execute("RESET ALL")  # what a migration SETs is neither for us nor for the next
    if way == "down":
        await conn.execute("DELETE FROM schema_migrations WHERE version = $1", migration.version)
    else:
        await conn.execute(
            "INSERT INTO schema_migrations (version, name, checksum, took_ms) "
            "VALUES ($1, $2, $3, $4)",
            migration.version,
            migration.name,
            migration.checksum,
            took_ms,
        )
    return took_ms


@asynccontextmanager
async def _told(migration: Migration, section: Section, sql: str) -> AsyncIterator[None]:
    """Say of what fails inside it which migration failed, and on which line."""
    try:
        yield
    except FOREIGN as exc:
        raise _failure(migration, section, sql, exc) from None


def _failure(migration: Migration, section: Section, sql: str, exc: BaseException) -> StorageError:
    error = translate(exc)
    outcome = "nothing of it was kept" if section.transactional else "what ran before it stays"
    if error.retryable:
        return type(error)(f"{migration}: {error}; {outcome}: migrate again", sqlstate=None)
    line = ""
    reason = str(error)
    if isinstance(exc, asyncpg.PostgresError):
        if exc.position:
            offset = section.sql.index(sql) + int(exc.position) - 1
            line = f".sql, line {section.line + line_of(section.sql, offset) - 1}"
        if not error.sqlstate or not error.sqlstate.startswith("22"):
            reason = f"{exc.args[0]} ({exc.sqlstate})"  # only those of class 22 quote a value
    return MigrationFailed(f"{migration}{line}: {reason}; {outcome}")
