"""The migration runner, on migrations of its own; and the project's, each up, down and up again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from storage import migrate, migration_files, schema
from storage.errors import Conflict, MigrationFailed, MigrationRefused, Unavailable
from storage.migrate import MigrationStatus
from storage.pool import connect

ROOT = Path(__file__).parents[2]
TABLES = """
    SELECT array_agg(relname::text ORDER BY relname) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname <> 'schema_migrations' AND relkind = 'r'
"""


class Directory:
    """A directory of migrations."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, up: str, down: str = "", *, options: str = "") -> Path:
        file = self.path / f"{name}.sql"
        file.write_text(f"-- migrate:up{options}\n{up}\n-- migrate:down{options}\n{down}\n")
        return file


@pytest.fixture
def files(tmp_path: Path) -> Directory:
    """Two small migrations."""
    directory = Directory(tmp_path)
    directory.write("0001_fruit", "CREATE TABLE fruit (name text);", "DROP TABLE fruit;")
    directory.write("0002_trees", "CREATE TABLE trees (name text);", "DROP TABLE trees;")
    return directory


@pytest.fixture
def up(empty_database_url: str, files: Directory) -> Callable[..., Awaitable[list[str]]]:
    """Migrate up; the versions that were applied."""

    async def run(to: str | None = None, patience: float = 10.0) -> list[str]:
        wait = timedelta(seconds=patience)
        done = await migrate.up(empty_database_url, files.path, to=to, patience=wait)
        return [applied.version for applied in done]

    return run


@pytest.fixture
def down(empty_database_url: str, files: Directory) -> Callable[..., Awaitable[list[str]]]:
    """Migrate down; the versions that were taken back."""

    async def run(steps: int = 1) -> list[str]:
        done = await migrate.down(empty_database_url, files.path, steps=steps)
        return [applied.version for applied in done]

    return run


async def ask(url: str, question: str) -> object:
    conn = await connect(url)
    try:
        return await conn.fetchval(question)
    finally:
        await conn.close()


async def states(url: str, files: Directory) -> dict[str, str]:
    return {s.version: s.state for s in await migrate.status(url, files.path)}


Run = Callable[..., Awaitable[list[str]]]


async def test_what_is_pending_is_applied_once_and_in_order(
    empty_database_url: str, files: Directory, up: Run
) -> None:
    assert await states(empty_database_url, files) == {"0001": "pending", "0002": "pending"}
    assert await up(to="1") == ["0001"]
    assert await up() == ["0002"]
    assert await up() == []
    assert await ask(empty_database_url, TABLES) == ["fruit", "trees"]
    first = (await migrate.status(empty_database_url, files.path))[0]
    assert isinstance(first, MigrationStatus)
    assert (first.version, first.name, first.state) == ("0001", "fruit", "applied")
    assert first.applied_at is not None
    assert first.took_ms is not None
    assert str(first) == f"0001_fruit: applied on {first.applied_at:%Y-%m-%d %H:%M} UTC"


async def test_each_one_is_reported_as_it_is_done(
    empty_database_url: str, files: Directory
) -> None:
    told: list[str] = []
    await migrate.up(empty_database_url, files.path, report=lambda m: told.append(m.name))
    await migrate.down(
        empty_database_url, files.path, steps=2, report=lambda m: told.append(m.name)
    )
    assert told == ["fruit", "trees", "trees", "fruit"]


async def test_down_takes_back_the_newest_and_stops_at_the_first(
    empty_database_url: str, up: Run, down: Run
) -> None:
    await up()
    assert await down() == ["0002"]
    assert await ask(empty_database_url, TABLES) == ["fruit"]
    assert await down(steps=5) == ["0001"]
    assert await down() == []
    assert await ask(empty_database_url, TABLES) is None
    assert await up() == ["0001", "0002"]


async def test_a_migration_that_fails_leaves_nothing_and_those_before_it_stay(
    empty_database_url: str, files: Directory, up: Run
) -> None:
    files.write("0003_bad", "CREATE TABLE half ();\n\nSELECT nonsense FROM fruit;")
    with pytest.raises(MigrationFailed) as caught:
        await up()
    assert str(caught.value) == (
        '0003_bad.sql, line 4: column "nonsense" does not exist (42703); nothing of it was kept'
    )
    assert await ask(empty_database_url, TABLES) == ["fruit", "trees"]
    assert (await states(empty_database_url, files))["0003"] == "pending"
    files.write("0003_bad", "CREATE TABLE half ();")
    assert await up() == ["0003"]


async def test_a_failure_quotes_no_row(empty_database_url: str, files: Directory, up: Run) -> None:
    files.write(
        "0003_unique",
        "INSERT INTO fruit VALUES ('+447700900123'), ('+447700900123');"
        "ALTER TABLE fruit ADD CONSTRAINT fruit_is_unique UNIQUE (name);",
    )
    with pytest.raises(MigrationFailed, match="fruit_is_unique") as caught:
        await up()
    assert "4477" not in str(caught.value)
    files.write(
        "0003_unique", "SELECT name::int FROM (VALUES ('phone +447700900123')) AS t (name);"
    )
    with pytest.raises(MigrationFailed, match=r"0003_unique.*22P02") as caught:
        await up()
    assert "4477" not in str(caught.value)


async def test_a_down_that_fails_leaves_the_migration_applied(
    empty_database_url: str, files: Directory, up: Run, down: Run
) -> None:
    files.write("0003_nuts", "CREATE TABLE nuts ();", "DROP TABLE nuts;\nDROP TABLE no_such;")
    await up()
    with pytest.raises(MigrationFailed, match=r"0003_nuts.*no_such.*nothing of it was kept"):
        await down()
    assert (await states(empty_database_url, files))["0003"] == "applied"
    assert await ask(empty_database_url, TABLES) == ["fruit", "nuts", "trees"]


async def test_what_one_migration_sets_is_not_set_for_the_next(
    empty_database_url: str, files: Directory, up: Run
) -> None:
    files.write("0003_set", "CREATE SCHEMA elsewhere; SET search_path = elsewhere;")
    files.write("0004_here", "CREATE TABLE here ();")
    await up()
    assert await ask(empty_database_url, TABLES) == ["fruit", "here", "trees"]


async def test_an_edited_file_is_refused_by_name(
    empty_database_url: str, files: Directory, up: Run, down: Run
) -> None:
    await up()
    files.write("0001_fruit", "CREATE TABLE fruit (name text, sweet bool);", "DROP TABLE fruit;")
    assert await states(empty_database_url, files) == {"0001": "edited", "0002": "applied"}
    with pytest.raises(MigrationRefused, match=r"0001_fruit\.sql was edited after it was applied"):
        await up()
    with pytest.raises(MigrationRefused, match="0001_fruit"):
        await down()
    assert await ask(empty_database_url, TABLES) == ["fruit", "trees"]


async def test_line_ends_of_another_system_are_no_edit(files: Directory, up: Run) -> None:
    await up()
    file = files.path / "0001_fruit.sql"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert await up() == []


async def test_a_database_that_newer_code_migrated_is_refused(
    empty_database_url: str, files: Directory, up: Run, down: Run
) -> None:
    newer = files.write("0003_nuts", "CREATE TABLE nuts ();", "DROP TABLE nuts;")
    assert await up() == ["0001", "0002", "0003"]
    newer.unlink()
    assert (await states(empty_database_url, files))["0003"] == "unknown"
    for go in (up, down):
        with pytest.raises(MigrationRefused, match="0003 nuts, which is not among the files here"):
            await go()


async def test_a_migration_that_was_left_out_is_refused(
    empty_database_url: str, files: Directory, up: Run
) -> None:
    await up()
    await ask(empty_database_url, "DELETE FROM schema_migrations WHERE version = '0001'")
    with pytest.raises(MigrationRefused, match="0002_trees is applied, but 0001_fruit"):
        await up()


async def test_a_target_that_does_not_exist_is_refused(up: Run) -> None:
    with pytest.raises(MigrationRefused, match="no migration 7: the newest is 0002_trees"):
        await up(to="7")


async def test_a_database_that_dbmate_began_is_taken_over(
    empty_database_url: str, files: Directory, up: Run
) -> None:
    for statement in (
        "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)",
        "INSERT INTO schema_migrations (version) VALUES ('0001')",
        "CREATE TABLE fruit (name text)",
    ):
        await ask(empty_database_url, statement)
    assert await states(empty_database_url, files) == {"0001": "applied", "0002": "pending"}
    assert await up() == ["0002"]
    assert await states(empty_database_url, files) == {"0001": "applied", "0002": "applied"}


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("0003_Big", "", r"0003_Big\.sql: the name of a migration is like"),
        ("3_short", "", r"3_short\.sql: the name of a migration is like"),
        ("0002_again", "-- migrate:up\n-- migrate:down\n", "counted from|count from 0001"),
        ("0004_gap", "-- migrate:up\n-- migrate:down\n", "0004_gap.sql stands where 0003 belongs"),
        ("0003_none", "SELECT 1;", "0003_none.sql: it has one `-- migrate:up`"),
        ("0003_only_up", "-- migrate:up\nSELECT 1;", "one `-- migrate:down`"),
        ("0003_turned", "-- migrate:down\n-- migrate:up\n", "below it, one `-- migrate:down`"),
        ("0003_sideways", "-- migrate:up\n-- migrate:left\n", "`-- migrate:left` is not"),
        ("0003_option", "-- migrate:up tx:no\n-- migrate:down\n", "`-- migrate:up tx:no` is not"),
        ("0003_own", "-- migrate:up\nSELECT 1; commit;\n-- migrate:down\n", "commit has no place"),
    ],
)
async def test_files_that_cannot_be_meant_are_refused_before_anything_runs(
    empty_database_url: str, files: Directory, up: Run, name: str, text: str, complaint: str
) -> None:
    (files.path / f"{name}.sql").write_text(text)
    with pytest.raises(MigrationRefused, match=complaint):
        await up()
    assert await ask(empty_database_url, TABLES) is None


async def test_several_at_once_share_the_work_even_where_indexes_are_built_concurrently(
    empty_database_url: str, files: Directory, up: Run
) -> None:
    files.write(
        "0003_fruit_idx",
        "CREATE INDEX CONCURRENTLY fruit_idx ON fruit (name);\n"
        "CREATE INDEX CONCURRENTLY fruit_lower_idx ON fruit (lower(name)); -- semicolons; count\n",
        "DROP INDEX CONCURRENTLY fruit_idx; DROP INDEX CONCURRENTLY fruit_lower_idx;",
        options=" transaction:false",
    )
    files.write("0004_nuts", "CREATE TABLE nuts ();", "DROP TABLE nuts;")
    outcomes = await asyncio.gather(*(up() for _ in range(4)))
    assert sorted(outcomes) == [[], [], [], ["0001", "0002", "0003", "0004"]]
    assert await ask(empty_database_url, "SELECT count(*) FROM schema_migrations") == 4


async def test_a_concurrent_build_that_left_a_wreck_is_not_taken_for_done(
    empty_database_url: str, files: Directory, up: Run
) -> None:
    files.write("0003_double", "INSERT INTO fruit VALUES ('apple'), ('apple');")
    build = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS fruit_idx ON fruit (name);"
    files.write("0004_idx", build, options=" transaction:false")
    with pytest.raises(MigrationFailed, match=r"0004_idx.*fruit_idx.*what ran before it stays"):
        await up()
    with pytest.raises(MigrationFailed, match="invalid index fruit_idx: drop it"):
        await up()
    await ask(empty_database_url, "DROP INDEX fruit_idx")
    await ask(empty_database_url, "DELETE FROM fruit")
    assert await up() == ["0004"]


async def test_a_process_that_does_not_end_is_not_waited_for_for_ever(
    empty_database_url: str, up: Run
) -> None:
    conn = await connect(empty_database_url)
    await conn.execute("SELECT pg_advisory_lock($1)", migrate.LOCK)
    with pytest.raises(Unavailable, match="another process"):
        await up(patience=0.2)
    await conn.close()
    assert await up() == ["0001", "0002"]


async def test_a_table_in_use_makes_a_migration_give_way(
    empty_database_url: str, files: Directory, up: Run
) -> None:
    await up()
    files.write(
        "0003_sweet", "SET LOCAL lock_timeout = '50ms'; ALTER TABLE fruit ADD COLUMN sweet bool;"
    )
    conn = await connect(empty_database_url)
    async with conn.transaction():
        await conn.execute("SELECT FROM fruit")
        with pytest.raises(Conflict, match=r"0003_sweet: .*lock timeout.*was kept"):
            await up()
    await conn.close()
    assert await up() == ["0003"]


async def killed_in_the_middle(url: str, directory: Path) -> None:
    """Run `up` in a process of its own and kill it while a migration sleeps."""
    program = f"""
import asyncio
from pathlib import Path
from storage import migrate
asyncio.run(migrate.up({url!r}, Path({str(directory)!r})))
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=ROOT)
    sleeps = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    while not await ask(url, sleeps):
        await asyncio.sleep(0.02)
    process.kill()
    await process.wait()


async def test_killed_in_the_middle_nothing_is_half_done_and_the_next_one_goes_on(
    empty_database_url: str, files: Directory, up: Run
) -> None:
    # How soon the server looks for a client that is gone while it works.
    name = empty_database_url.rpartition("/")[2]
    await ask(
        empty_database_url,
        f"ALTER DATABASE \"{name}\" SET client_connection_check_interval = '50ms'",
    )
    files.write("0003_slow", "CREATE TABLE half (); SELECT pg_sleep(60);")
    await killed_in_the_middle(empty_database_url, files.path)
    assert await ask(empty_database_url, TABLES) == ["fruit", "trees"]
    files.write("0003_slow", "CREATE TABLE whole ();")
    assert await up() == ["0003"]
    assert await ask(empty_database_url, TABLES) == ["fruit", "trees", "whole"]


# From here on it is about the project's own migrations.


async def relations(conn: asyncpg.Connection) -> list[tuple[str, bytes]]:
    rows = await conn.fetch(
        "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "AND relname NOT LIKE 'schema_migrations%' ORDER BY relname"
    )
    return [(row["relname"], row["relkind"]) for row in rows]


@pytest.mark.parametrize("migration", migration_files.load(), ids=str)
async def test_every_migration_goes_up_down_and_up_again(
    empty_database_url: str, migration: migration_files.Migration
) -> None:
    async def now() -> tuple[str, list[tuple[str, bytes]]]:
        conn = await connect(empty_database_url)
        try:
            found = await relations(conn)
        finally:
            await conn.close()
        return await schema.dump(empty_database_url, without=["schema_migrations"]), found

    previous = f"{int(migration.version) - 1:04d}"
    if previous != "0000":
        await migrate.up(empty_database_url, to=previous)
    before = await now()
    await migrate.up(empty_database_url, to=migration.version)
    after = await now()
    await migrate.down(empty_database_url)
    assert await now() == before
    await migrate.up(empty_database_url, to=migration.version)
    assert await now() == after
