"""Which indexes PostgreSQL takes, told by EXPLAIN under a planner that is free to choose."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from storage.pool import Connection

FEW: Final = 200
"""Tables of so few rows are read whole: that is quicker."""
_MODES: Final = ("force_custom_plan", "force_generic_plan")


async def faults(
    conn: Connection, sql: str, values: Sequence[Any], keys: Collection[str] = ()
) -> list[str]:
    """What is wrong with a query's plans: a table read whole, or a search by none of `keys`.

    Both plans are looked at: the one for these very values, and the one for any, which is what the
    bot's connections take.
    """
    found = []
    for mode, plan in (await _plans(conn, sql, values)).items():
        whole = {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"}
        found += [f"{mode}: {table} is read whole" for table in await _large(conn, whole)]
        searched = " ".join(node.get("Index Cond", "") for node in plan)
        found += [f"{mode}: no index by {key}" for key in keys if key not in searched]
    return found


async def _plans(
    conn: Connection, sql: str, values: Sequence[Any]
) -> dict[str, list[dict[str, Any]]]:
    """The nodes of the plan for these values and of the one for any."""
    given = f" ({', '.join(map(_literal, values))})" if values else ""
    found = {}
    async with conn.transaction():
        await conn.execute(f"SET LOCAL enable_seqscan = on; PREPARE asked AS {sql}")
        for mode in _MODES:
            await conn.execute(f"SET LOCAL plan_cache_mode = {mode}")
            text = await conn.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked{given}")
            plan = text if isinstance(text, list) else orjson.loads(text)
            found[mode] = list(nodes(plan[0]["Plan"]))
        await conn.execute("DEALLOCATE asked")
    return found


async def _large(conn: Connection, tables: Collection[str]) -> list[str]:
    return [
        table
        for table in tables
        if await conn.fetchval(f"SELECT count(*) FROM {table}") > FEW  # noqa: S608
    ]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes, from the top down."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return f"'{{{','.join(map(str, value))}}}'"
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'"
    return "'" + str(value).replace("'", "''") + "'"
