"""Migrations as files: `sql/migrations/NNNN_what.sql`, in dbmate's format.

    -- migrate:up
    …
    -- migrate:down
    …

`transaction:false` behind `migrate:up` or `migrate:down` is for what cannot run in a transaction,
such as CREATE INDEX CONCURRENTLY: each statement then stands alone, and must bear being run again.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from flows.values import valueclass
from storage.errors import MigrationRefused
from storage.sqltext import line_of, statements, tokens

DIRECTORY: Final = Path(__file__).parents[1] / "sql" / "migrations"
_FILE: Final = re.compile(r"(\d{4})_([a-z0-9]+(?:_[a-z0-9]+)*)\.sql")
_MARK: Final = re.compile(r"-- migrate:(up|down)((?: +transaction:(?:true|false))?)\s*")
_ENDS_A_TRANSACTION: Final = frozenset(
    ("BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "PREPARE")
)


@valueclass(frozen=True, slots=True)
class Section:
    """One way of a migration: its SQL, the line it begins on, and whether it is one transaction."""

    sql: str
    line: int
    transactional: bool


@valueclass(frozen=True, slots=True)
class Migration:
    """One file."""

    version: str
    name: str
    checksum: str
    up: Section
    down: Section

    def __str__(self) -> str:
        return f"{self.version}_{self.name}"


def load(directory: Path = DIRECTORY) -> list[Migration]:
    """Read the migrations of a directory; MigrationRefused says which file is wrong and why."""
    migrations = [_read(path) for path in sorted(directory.glob("*.sql"))]
    if not migrations:
        raise MigrationRefused(f"there are no migrations in {directory.name}/")
    for number, migration in enumerate(migrations, start=1):
        if migration.version != f"{number:04d}":
            raise MigrationRefused(
                f"{migration}.sql stands where {number:04d} belongs: "
                "versions count from 0001, each once, without a gap"
            )
    return migrations


def _read(path: Path) -> Migration:
    named = _FILE.fullmatch(path.name)
    if not named:
        raise MigrationRefused(f"{path.name}: the name of a migration is like 0001_what.sql")
    # A checkout on Windows has other line ends; it is the same migration.
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    try:
        sections = _sections(text)
    except ValueError as exc:
        raise MigrationRefused(f"{path.name}: {exc}") from None
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return Migration(named[1], named[2], checksum, sections["up"], sections["down"])


def _sections(text: str) -> dict[str, Section]:
    marks = [t for t in tokens(text) if t.kind == "comment" and t.text.startswith("-- migrate:")]
    ends = [*(mark.start for mark in marks[1:]), len(text)][: len(marks)]
    found: dict[str, Section] = {}
    for mark, end in zip(marks, ends, strict=True):
        read = _MARK.fullmatch(mark.text)
        if not read:
            raise ValueError(f"`{mark.text}` is not understood")
        begin = mark.start + len(mark.text)
        section = Section(text[begin:end], line_of(text, begin), "false" not in read[2])
        if section.transactional:
            _check_leaves_the_transaction_alone(section)
        found[read[1]] = section
    if len(marks) != 2 or list(found) != ["up", "down"]:
        raise ValueError("it has one `-- migrate:up` and, below it, one `-- migrate:down`")
    return found


def _check_leaves_the_transaction_alone(section: Section) -> None:
    for statement in statements(section.sql):
        word = next((token.text for token in tokens(statement) if token.kind == "word"), "")
        if word.upper() in _ENDS_A_TRANSACTION:
            raise ValueError(f"{word} has no place in it: the whole runs in one transaction")
