"""Every named query against the schema, and what a call of one gives back."""

from __future__ import annotations

import traceback

import pytest

from storage import queries
from storage.errors import ConstraintViolated, Refused
from storage.pool import Connection
from storage.queries import Query, parse

EVERY = [query for module in queries.ALL.values() for query in module.values()]


def the_query(kind: str, body: str) -> Query:
    (query,) = parse("companies", f"-- name: asked :{kind}\n{body}")
    return query


INSERT = the_query(
    "exec",
    """INSERT INTO companies (name, timezone, phone_number_id, settings)
    SELECT name, 'UTC', name, @settings FROM unnest(@names::text[]) AS name""",
)


@pytest.mark.parametrize("query", EVERY, ids=lambda query: query.name)
async def test_every_query_fits_the_schema(conn: Connection, query: Query) -> None:
    statement = await conn.prepare(query.sql)
    assert len(statement.get_parameters()) == len(query.params)
    has_rows = bool(statement.get_attributes())
    assert has_rows == (query.kind != "exec"), "`:exec` gives back no rows, all others do"


async def test_each_kind_gives_back_what_it_promises(conn: Connection) -> None:
    names = the_query("many", "SELECT name, settings FROM companies ORDER BY name")
    one = the_query("one", "SELECT name FROM companies WHERE name = @name")
    count = the_query("value", "SELECT count(*) FROM companies")
    delete = the_query("exec", "DELETE FROM companies")

    assert await INSERT.exec(conn, names=["a", "b"], settings={"é": [1, None]}) == 2
    assert [tuple(row) for row in await names.many(conn)] == [
        ("a", {"é": [1, None]}),
        ("b", {"é": [1, None]}),
    ]
    found = await one.one(conn, name="b")
    assert found is not None
    assert found["name"] == "b"
    assert await one.one(conn, name="c") is None
    assert await count.value(conn) == 2
    assert await delete.exec(conn) == 2
    assert await delete.exec(conn) == 0


async def test_an_error_names_the_query_and_the_rule_and_no_value(conn: Connection) -> None:
    names = ["Secret " + "Salon"]
    await INSERT.exec(conn, names=names, settings={})
    with pytest.raises(ConstraintViolated) as caught:
        await INSERT.exec(conn, names=names, settings={})
    assert caught.value.constraint == "companies_phone_number_id_is_unique"
    assert str(caught.value) == (
        "companies_phone_number_id_is_unique is violated (23505) in companies.asked"
    )
    assert names[0] not in "".join(traceback.format_exception(caught.value))


async def test_an_argument_of_the_wrong_type_is_named_without_its_value(conn: Connection) -> None:
    phone = str(447700900123)
    with pytest.raises(Refused) as caught:
        await INSERT.exec(conn, names=phone, settings={})
    assert str(caught.value) == "argument names has the wrong type in companies.asked"
    assert phone not in "".join(traceback.format_exception(caught.value))


async def test_what_runs_is_told_to_the_server_by_name(conn: Connection) -> None:
    running = the_query("value", "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    assert (await running.value(conn)).startswith("/* companies.asked */")
