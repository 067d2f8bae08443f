"""sql/schema.sql, and the rules that every table keeps: the catalogue is asked, not the files."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date

import asyncpg
import pytest

from storage import schema
from storage.pool import Connection, connect

NO_TENANT = {
    "companies": "it is the tenant",
    "schema_migrations": "it is about the database",
    "strays": "it holds what no company could be found for",
}
"""Tables that belong to no company, and why."""

NOT_INDEXED = {
    "bookings_staff_fkey": "staff are hardly ever deleted, and other indexes find the company's",
    "slot_claims_staff_fkey": "staff are hardly ever deleted, and other indexes find the company's",
    "slot_claims_conversation_fkey": "only holds and offers name one; an index covers just them",
    "inbox_conversation_fkey": "every turn writes it; conversations are hardly ever deleted",
    "timers_conversation_fkey": "turns write it; conversations are hardly ever deleted",
    "outbox_conversation_fkey": "every turn writes it; conversations are hardly ever deleted",
}
"""Foreign keys without an index for the side that refers, and why."""

TABLES = """
    SELECT relname AS name, oid FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    ORDER BY relname
"""
COLUMNS = """
    SELECT t.relname AS "table", a.attname AS name, format_type(a.atttypid, NULL) AS type,
        a.attnotnull AS required, a.attidentity <> '' AS identity
    FROM pg_attribute AS a JOIN pg_class AS t ON t.oid = a.attrelid
    WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p')
        AND NOT t.relispartition AND a.attnum > 0 AND NOT a.attisdropped
"""
INDEXES = """
    SELECT t.relname AS "table", i.relname AS name, x.indisprimary AS is_primary,
        x.indisunique OR x.indisexclusion AS refuses, x.indisvalid AS valid,
        pg_get_expr(x.indpred, x.indrelid) AS predicate,
        array(SELECT pg_get_indexdef(x.indexrelid, n, true)
              FROM generate_series(1, x.indnkeyatts) AS n) AS keys
    FROM pg_index AS x
    JOIN pg_class AS i ON i.oid = x.indexrelid
    JOIN pg_class AS t ON t.oid = x.indrelid
    WHERE t.relnamespace = 'public'::regnamespace AND NOT t.relispartition
"""
CONSTRAINTS = """
    SELECT t.relname AS "table", c.conname AS name, c.contype AS kind, c.convalidated AS valid,
        r.relname AS refers_to, c.confdeltype AS on_delete,
        array(SELECT attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (num, n)
              JOIN pg_attribute ON attrelid = c.conrelid AND attnum = num ORDER BY n) AS columns,
        array(SELECT attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k (num, n)
              JOIN pg_attribute ON attrelid = c.confrelid AND attnum = num ORDER BY n) AS referred
    FROM pg_constraint AS c
    JOIN pg_class AS t ON t.oid = c.conrelid
    LEFT JOIN pg_class AS r ON r.oid = c.confrelid
    WHERE t.relnamespace = 'public'::regnamespace AND NOT t.relispartition
        AND c.conparentid = 0 AND c.contype <> 'n'
"""
TOUCHED = """
    SELECT t.relname AS name FROM pg_trigger AS g
    JOIN pg_class AS t ON t.oid = g.tgrelid
    JOIN pg_proc AS p ON p.oid = g.tgfoid
    WHERE g.tgtype & 1 = 1 AND g.tgtype & 2 = 2 AND g.tgtype & 16 = 16  -- row, before, update
        AND g.tgqual IS NULL AND p.prosrc LIKE '%NEW.updated_at :=%'
"""
Row = asyncpg.Record


async def tenant_tables(conn: Connection) -> list[str]:
    return [row["name"] for row in await conn.fetch(TABLES) if row["name"] not in NO_TENANT]


async def foreign_keys(conn: Connection) -> list[Row]:
    return [row for row in await conn.fetch(CONSTRAINTS) if row["kind"] == b"f"]


async def test_the_schema_file_is_what_the_migrations_make(database_url: str) -> None:
    written = schema.FILE.read_text(encoding="utf-8")
    found = schema.difference(written, await schema.dump(database_url))
    assert not found, f"run `make schema`:\n{found}"


async def test_the_schema_file_loads_into_an_empty_database(empty_database_url: str) -> None:
    written = schema.FILE.read_text(encoding="utf-8")
    conn = await connect(empty_database_url)
    await conn.execute(written)
    await conn.close()
    # PostgreSQL drops some brackets of what it wrote itself when it reads it again.
    loaded = await schema.dump(empty_database_url)
    assert re.sub(r"[()]", "", loaded) == re.sub(r"[()]", "", written)


async def test_the_day_on_which_it_is_written_does_not_change_the_schema_file(
    fresh_database_url: str,
) -> None:
    conn = await connect(fresh_database_url)
    before = await conn.fetchval("SELECT count(*) FROM pg_inherits")
    functions = await conn.fetch(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND proname ~ '^maintain_.*_partitions$'"
    )
    for function in functions:
        await conn.execute(f"SELECT {function['proname']}($1)", date(2031, 2, 3))
    assert await conn.fetchval("SELECT count(*) FROM pg_inherits") > before
    await conn.close()
    written = schema.FILE.read_text(encoding="utf-8")
    assert schema.difference(written, await schema.dump(fresh_database_url)) == ""


async def test_every_table_of_a_company_names_it_first_in_every_key(conn: Connection) -> None:
    indexes: dict[str, list[Row]] = defaultdict(list)
    for index in await conn.fetch(INDEXES):
        indexes[index["table"]].append(index)
    for table in await tenant_tables(conn):
        (primary,) = [index for index in indexes[table] if index["is_primary"]]
        assert primary["keys"][0] == "company_id", primary["name"]
        for index in indexes[table]:
            if index["refuses"]:
                # An exclusion constraint has an expression there: `int8range(company_id, …)`.
                first = re.split(r"\W+", index["keys"][0])
                assert "company_id" in first[:2], index["name"]


async def test_every_table_of_a_company_has_a_company(conn: Connection) -> None:
    owned = {row["table"] for row in await conn.fetch(COLUMNS) if row["name"] == "company_id"}
    required = {
        row["table"]
        for row in await conn.fetch(COLUMNS)
        if row["name"] == "company_id" and row["required"]
    }
    tables = set(await tenant_tables(conn))
    assert required == tables
    assert owned == tables, "a table in NO_TENANT has a company_id after all"


async def test_what_is_said_of_exceptions_is_still_true(conn: Connection) -> None:
    assert {row["name"] for row in await conn.fetch(TABLES)} >= set(NO_TENANT)
    assert {key["name"] for key in await foreign_keys(conn)} >= set(NOT_INDEXED)


async def test_foreign_keys_stay_within_the_company(conn: Connection) -> None:
    for key in await foreign_keys(conn):
        assert key["columns"][0] == "company_id", key["name"]
        expected = "id" if key["refers_to"] == "companies" else "company_id"
        assert key["referred"][0] == expected, key["name"]


async def test_deleting_a_company_reaches_every_table_of_it(conn: Connection) -> None:
    reached = {"companies"}
    keys = await foreign_keys(conn)
    while True:
        more = {
            key["table"] for key in keys if key["refers_to"] in reached and key["on_delete"] == b"c"
        } - reached
        if not more:
            break
        reached |= more
    assert set(await tenant_tables(conn)) <= reached


async def test_every_foreign_key_has_an_index_on_the_side_that_refers(conn: Connection) -> None:
    indexes = await conn.fetch(INDEXES)

    def serves(index: Row, key: Row) -> bool:
        columns = set(key["columns"])
        covered = set(index["keys"][: len(columns)]) == columns
        # A key with a NULL in it refers to nothing, so an index may leave it out.
        harmless = {f"({column} IS NOT NULL)" for column in columns} | {None}
        return index["table"] == key["table"] and covered and index["predicate"] in harmless

    bare = {
        key["name"]
        for key in await foreign_keys(conn)
        if not any(serves(index, key) for index in indexes)
    }
    assert bare == set(NOT_INDEXED)


async def test_every_constraint_has_a_name_that_was_given_to_it(conn: Connection) -> None:
    # Errors are told apart by these names, so they are chosen and say the rule.
    automatic = {b"c": r"_check\d*$", b"u": r"_key\d*$", b"x": r"_excl\d*$"}
    for constraint in await conn.fetch(CONSTRAINTS):
        name, kind = constraint["name"], constraint["kind"]
        assert name.startswith(constraint["table"]), name
        if kind == b"f":
            assert name != f"{constraint['table']}_{'_'.join(constraint['columns'])}_fkey", name
            assert re.search(r"[a-z]_fkey$", name), name
        elif kind in automatic:
            assert not re.search(automatic[kind], name), name


async def test_everything_in_the_schema_is_valid(conn: Connection) -> None:
    assert [row["name"] for row in await conn.fetch(CONSTRAINTS) if not row["valid"]] == []
    assert [row["name"] for row in await conn.fetch(INDEXES) if not row["valid"]] == []


async def test_every_table_with_updated_at_keeps_it_by_a_trigger(conn: Connection) -> None:
    columns = await conn.fetch(COLUMNS)
    dated = {row["table"] for row in columns if row["name"] == "updated_at"}
    assert {row["name"] for row in await conn.fetch(TOUCHED)} >= dated


async def test_moments_have_a_zone_and_ids_have_room(conn: Connection) -> None:
    for column in await conn.fetch(COLUMNS):
        where = f"{column['table']}.{column['name']}"
        assert column["type"] != "timestamp without time zone", where
        if column["identity"] or column["name"].endswith("_id"):
            assert column["type"] in {"bigint", "uuid", "text"}, where


async def test_there_are_no_enums(conn: Connection) -> None:
    # A value can be added to one, but never taken away again.
    assert await conn.fetchval("SELECT count(*) FROM pg_type WHERE typtype = 'e'") == 0


@pytest.mark.parametrize("column", ["created_at", "updated_at"])
async def test_the_moments_every_table_may_have_are_moments(conn: Connection, column: str) -> None:
    types = {row["type"] for row in await conn.fetch(COLUMNS) if row["name"] == column}
    assert types == {"timestamp with time zone"}
