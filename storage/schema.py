"""Writes sql/schema.sql: the schema as all migrations together make it, to be read and compared.

`python -m storage.schema` writes it; with `--check` it says what differs and exits 1.

It is what pg_dump says, in an order for readers: tables with their keys and indexes, functions,
triggers, foreign keys. It loads into an empty database. Partitions that hold a span of time are
left out: which ones there are depends on the day.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from flows.values import valueclass
from storage import migrate
from storage.embedded import running
from storage.embedded.programs import postgres_programs
from storage.errors import Refused, translated
from storage.pool import connect
from storage.sqltext import tokens

FILE: Final = Path(__file__).parents[1] / "sql" / "schema.sql"
_HEADER: Final = """\
-- The schema after all migrations. Generated, do not edit: `make schema` writes it.
-- Left out are the partitions that hold a span of time, because they depend on the day.
"""
_ENTRY: Final = re.compile(r"^--\n-- Name: (.+?); Type: (.+?); Schema: .*\n--\n", re.MULTILINE)
_NOISE: Final = re.compile(
    r"^(?:SET (?:default_tablespace|default_table_access_method) = .*;"
    r"|--\n-- PostgreSQL database dump complete\n--"
    r"|\\(?:un)?restrict .*)$\n?",
    re.MULTILINE,
)
_IDENTITY_DETAILS: Final = re.compile(r"( AS IDENTITY) \([^)]*\)")
_BEFORE_TABLES: Final = frozenset(("SCHEMA", "EXTENSION", "TYPE", "DOMAIN", "SEQUENCE"))
_LAST: Final = ("TRIGGER", "FK CONSTRAINT", "COMMENT")
_INDEXED: Final = re.compile(r" ON (?:ONLY )?(?:public\.)?(\w+) ")
_SPANS_OF_TIME: Final = """
SELECT relname FROM pg_class
WHERE relispartition AND relkind = 'r' AND pg_get_expr(relpartbound, oid) <> 'DEFAULT'
ORDER BY relname
"""


@valueclass(frozen=True, slots=True)
class _Entry:
    name: str
    kind: str
    sql: str

    @property
    def table(self) -> str | None:
        """The table it is shown with."""
        if self.kind == "INDEX":
            on = _INDEXED.search(self.sql)
            return on[1] if on else None
        if self.kind in {"TABLE", "CONSTRAINT", "DEFAULT"}:
            return self.name.partition(" ")[0]
        return self.sql.split()[2].removeprefix("public.") if self.is_identity else None

    @property
    def is_identity(self) -> bool:
        """Whether it is the sequence of an identity column, which pg_dump writes apart."""
        return self.kind == "SEQUENCE" and self.sql.startswith("ALTER TABLE")

    @property
    def is_function(self) -> bool:
        """Whether other entries may call it."""
        return self.kind in {"FUNCTION", "PROCEDURE", "AGGREGATE"}


async def dump(database_url: str, *, without: Sequence[str] = ()) -> str:
    """The schema of a database as SQL, the tables in `without` left out."""
    conn = await connect(database_url)
    try:
        with translated():
            spans = [row["relname"] for row in await conn.fetch(_SPANS_OF_TIME)]
    finally:
        await conn.close()
    said = await _pg_dump(database_url, [*spans, *without])
    return _HEADER + "".join(
        f"\n{_for_readers(entry)}\n" for entry in _ordered(list(_entries(said)))
    )


async def _pg_dump(database_url: str, left_out: Sequence[str]) -> str:
    address = urlsplit(database_url)
    process = await asyncio.create_subprocess_exec(
        postgres_programs(None) / "pg_dump",
        "--schema-only",
        "--no-owner",
        "--no-privileges",
        *(f'--exclude-table="{table}"' for table in left_out),
        env={  # not as arguments: everybody can read those
            "PGHOST": address.hostname or "",
            "PGPORT": str(address.port or 5432),
            "PGUSER": unquote(address.username or ""),
            "PGPASSWORD": unquote(address.password or ""),
            "PGDATABASE": unquote(address.path.removeprefix("/")),
            "LC_ALL": "C",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    if process.returncode != 0:
        raise Refused(f"pg_dump failed: {errors.decode(errors='replace').strip()}")
    return output.decode()


def _entries(said: str) -> Iterator[_Entry]:
    _, *pieces = _ENTRY.split(said)
    for name, kind, text in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        yield _Entry(name, kind, _NOISE.sub("", text).strip())


def _ordered(entries: Sequence[_Entry]) -> list[_Entry]:
    """Tables by name, each with what belongs to it, then functions, triggers, foreign keys.

    Otherwise pg_dump's order stands, which minds dependencies; functions that tables call come
    before them.
    """
    names = {entry.name for entry in entries if entry.kind == "TABLE"}
    tables = [entry for entry in entries if entry.table in names]
    tables.sort(key=lambda entry: entry.table or "")
    first = _called(tables, [entry for entry in entries if entry.is_function])
    first += [e for e in entries if e.kind in _BEFORE_TABLES and not e.is_identity]
    last = [entry for kind in _LAST for entry in entries if entry.kind == kind]
    shown = {id(entry) for entry in (*first, *tables, *last)}
    return [*first, *tables, *(e for e in entries if id(e) not in shown), *last]


def _called(callers: Sequence[_Entry], functions: Sequence[_Entry]) -> list[_Entry]:
    """The functions that these entries call, and those that these call."""
    words = {token.text for caller in callers for token in tokens(caller.sql)}
    found = [function for function in functions if function.name.partition("(")[0] in words]
    if not found:
        return []
    others = [function for function in functions if function not in found]
    return _called(found, others) + found


def _for_readers(entry: _Entry) -> str:
    """Without the name of the one schema there is, and without what an identity has by default."""
    sql = entry.sql
    if entry.is_identity:
        sql = _IDENTITY_DETAILS.sub(r"\1", sql)
    if entry.kind == "INDEX":
        sql = sql.replace(" ON ONLY ", " ON ", 1)  # the same where there are no partitions
    words: list[str] = []
    for token in tokens(sql):
        if token.text == "." and words and words[-1] == "public":
            words.pop()
        else:
            words.append(token.text)
    return "".join(words)


async def generate() -> str:
    """The text of sql/schema.sql, from a server of its own."""
    with tempfile.TemporaryDirectory(prefix="usual-schema-") as folder:
        # As root, the server runs as another user, who must be able to pass through here.
        os.chmod(folder, 0o711)  # noqa: S103 - as root, the servers run as somebody else
        options = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        async with running(Path(folder) / "data", valkey=False, options=options) as servers:
            await migrate.up(servers.database_url)
            return await dump(servers.database_url)


def difference(written: str, generated: str) -> str:
    """What has to change in sql/schema.sql; blank if nothing."""
    lines = difflib.unified_diff(
        written.splitlines(keepends=True), generated.splitlines(keepends=True), "written", "needed"
    )
    return "".join(lines)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m storage.schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    generated = asyncio.run(generate())
    if not check:
        FILE.write_text(generated, encoding="utf-8")
        return 0
    written = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    found = difference(written, generated)
    if found:
        sys.stderr.write(f"{found}\nsql/schema.sql is not what the migrations make: make schema\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
