"""Named queries: every statement the bot runs stands in sql/queries/<module>.sql.

    -- name: claim_due :many
    -- Why it is written as it is.
    SELECT … WHERE fire_at <= @now

The kind says what comes back: `:one` row or None, `:many` rows, a single `:value`, or, for `:exec`,
the number of rows touched. `@now` is an argument of the call. An operator that ends in `@` wants a
space before a name: `during <@ period`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from difflib import get_close_matches
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import asyncpg

from flows.values import valueclass
from storage.errors import FOREIGN, translate
from storage.pool import Connection
from storage.sqltext import Token, line_of, tokens

DIRECTORY: Final = Path(__file__).parents[1] / "sql" / "queries"
_HEADER: Final = re.compile(r"-- name: ([a-z]\w*) :(one|many|exec|value)\s*")


@valueclass(frozen=True, slots=True)
class Query:
    """One statement; its `@name` parameters are sent as `$1, $2, …` in the order of `params`."""

    name: str
    kind: str
    why: str
    sql: str
    params: tuple[str, ...]
    _pick: Callable[[dict[str, Any]], tuple[Any, ...]] = field(repr=False, compare=False)

    async def one(self, conn: Connection, /, **args: Any) -> asyncpg.Record | None:
        """The first row, or None."""
        values = self._values(args)
        try:
            return await conn.fetchrow(self.sql, *values)
        except FOREIGN as exc:
            raise translate(exc, query=self.name, params=self.params) from None

    async def many(self, conn: Connection, /, **args: Any) -> list[asyncpg.Record]:
        """All rows."""
        values = self._values(args)
        try:
            return await conn.fetch(self.sql, *values)
        except FOREIGN as exc:
            raise translate(exc, query=self.name, params=self.params) from None

    async def value(self, conn: Connection, /, **args: Any) -> Any:
        """The first column of the first row, or None."""
        values = self._values(args)
        try:
            return await conn.fetchval(self.sql, *values)
        except FOREIGN as exc:
            raise translate(exc, query=self.name, params=self.params) from None

    async def exec(self, conn: Connection, /, **args: Any) -> int:
        """Run it; how many rows it touched."""
        values = self._values(args)
        try:
            status = await conn.execute(self.sql, *values)
        except FOREIGN as exc:
            raise translate(exc, query=self.name, params=self.params) from None
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def _values(self, args: dict[str, Any]) -> tuple[Any, ...]:
        try:
            values = self._pick(args)
        except KeyError:
            raise self._mismatch(args) from None
        if len(values) != len(args):
            raise self._mismatch(args)
        return values

    def _mismatch(self, args: dict[str, Any]) -> TypeError:
        missing = [name for name in self.params if name not in args]
        extra = [name for name in args if name not in self.params]
        lacks = f" lacks {', '.join(missing)}" if missing else ""
        refuses = f" does not take {', '.join(extra)}" if extra else ""
        return TypeError(f"{self.name}{' and'.join(filter(None, (lacks, refuses)))}")


class Module(dict[str, Query]):
    """The queries of one file by name; a name that is not there is a KeyError that helps."""

    def __init__(self, name: str, queries: list[Query]) -> None:
        super().__init__({query.name.partition(".")[2]: query for query in queries})
        self.name = name

    def __missing__(self, key: str) -> Query:
        close = get_close_matches(key, self, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise KeyError(f"sql/queries/{self.name}.sql has no query {key}{hint}")


def parse(module: str, text: str) -> list[Query]:
    """Read the queries of one file; a ValueError says what is wrong with it and on which line."""
    found = list(tokens(text))
    heads = [i for i, t in enumerate(found) if t.kind == "comment" and t.text[:8] == "-- name:"]
    stray = next((t for t in found[: heads[0] if heads else None] if _is_code(t)), None)
    if stray:
        raise ValueError(f"{module}.sql, line {line_of(text, stray.start)}: SQL without a name")
    queries: list[Query] = []
    for head, end in zip(heads, [*heads[1:], len(found)][: len(heads)], strict=True):
        where = f"{module}.sql, line {line_of(text, found[head].start)}"
        try:
            query = _query(module, found[head].text, found[head + 1 : end])
        except ValueError as exc:
            raise ValueError(f"{where}: {exc}") from None
        if any(query.name == other.name for other in queries):
            raise ValueError(f"{where}: there is a second {query.name}")
        queries.append(query)
    return queries


def _query(module: str, header: str, body: list[Token]) -> Query:
    named = _HEADER.fullmatch(header)
    if not named:
        raise ValueError("a header is `-- name: claim_due :many` (or :one, :value, :exec)")
    start = next((i for i, token in enumerate(body) if _is_code(token)), len(body))
    end = next((i for i, token in enumerate(body) if token.text == ";"), len(body))
    if start >= end:
        raise ValueError("there is no statement")
    if any(_is_code(token) for token in body[end + 1 :]):
        raise ValueError("there is more than one statement")
    params: dict[str, int] = {}
    sql = "".join(_piece(token, following, params) for token, following in _pairs(body[start:end]))
    why = [token.text[2:].strip() for token in body[:start] if token.text.startswith("--")]
    name = f"{module}.{named[1]}"
    # The name goes along: pg_stat_activity and slow-query logs then say what is running.
    text = f"/* {name} */ {sql.strip()}"
    return Query(name, named[2], " ".join(why), text, tuple(params), _picker(tuple(params)))


def _piece(token: Token, following: Token | None, params: dict[str, int]) -> str:
    """A token as PostgreSQL gets it."""
    if token.kind == "param":
        return f"${params.setdefault(token.text[1:], len(params) + 1)}"
    if token.kind == "position":
        raise ValueError(f"write @name instead of {token.text}")
    word = following.text if following is not None and following.kind == "word" else ""
    if token.kind == "operator" and token.text.endswith("@") and word:
        raise ValueError(
            f"{token.text}{word} is unclear: put a space before @{word} or after the @"
        )
    return token.text


def _pairs(body: list[Token]) -> list[tuple[Token, Token | None]]:
    return list(zip(body, [*body[1:], None], strict=True))


def _is_code(token: Token) -> bool:
    return token.kind not in {"space", "comment"}


def _picker(params: tuple[str, ...]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """What orders the arguments of a call; it runs for every statement, so C does it."""
    match params:
        case ():
            return lambda args: ()
        case (only,):
            return lambda args: (args[only],)
        case _:
            return itemgetter(*params)


def load(directory: Path = DIRECTORY) -> dict[str, Module]:
    """Read every file of a directory."""
    files = sorted(directory.glob("*.sql"))
    return {f.stem: Module(f.stem, parse(f.stem, f.read_text(encoding="utf-8"))) for f in files}


ALL: Final = load()


def of(module: str) -> Module:
    """The queries of sql/queries/<module>.sql."""
    if module not in ALL:
        raise KeyError(f"there is no sql/queries/{module}.sql")
    return ALL[module]
