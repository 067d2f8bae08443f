"""What can go wrong between us and what is stored; asyncpg's own errors end here.

    StorageError              retryable
    ├── Unavailable           yes   Postgres cannot be reached, is starting up, or has no room left
    │   └── CommitInDoubt     yes   the connection broke under COMMIT: it may have happened
    ├── Conflict              yes   another transaction was in the way: deadlock, lock, time-out
    ├── ConstraintViolated    no    a rule of the schema said no; `constraint` is its name
    ├── Corrupt               no    what is stored cannot be read: a person must look
    └── Refused               no    our bug or our configuration: SQL, types, rights, login
        ├── MigrationRefused  no    the files and the database disagree; nothing was done
        └── MigrationFailed   no    a migration did not go through

"Retryable" means: the same transaction, taken again from its beginning, may succeed.

asyncpg's `str()` holds values of the row (`Key (phone)=(4479…) already exists`), and a traceback
prints the causes too. These errors carry codes and names only, and are raised `from None`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Final

import asyncpg


class StorageError(Exception):
    """Storage failed."""

    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str = "", *, sqlstate: str | None = None, query: str | None = None
    ) -> None:
        super().__init__(message or (self.__doc__ or "").partition("\n")[0])
        self.sqlstate = sqlstate
        self.query = query

    def __str__(self) -> str:
        code = f" ({self.sqlstate})" if self.sqlstate else ""
        where = f" in {self.query}" if self.query else ""
        return f"{self.args[0]}{code}{where}"


class Unavailable(StorageError):
    """PostgreSQL cannot be reached."""

    retryable = True


class CommitInDoubt(Unavailable):
    """The connection broke while COMMIT was under way: it may have happened."""


class Conflict(StorageError):
    """Another transaction was in the way."""

    retryable = True


class ConstraintViolated(StorageError):
    """A rule of the schema said no."""

    def __init__(
        self, constraint: str, *, sqlstate: str | None = None, query: str | None = None
    ) -> None:
        super().__init__(f"{constraint} is violated", sqlstate=sqlstate, query=query)
        self.constraint = constraint


class Corrupt(StorageError):
    """What is stored cannot be read."""


class Refused(StorageError):
    """PostgreSQL refused the statement or the login."""


class MigrationRefused(Refused):
    """The migration files and the database disagree."""


class MigrationFailed(Refused):
    """A migration did not go through."""


ASYNCPG: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The errors that are asyncpg's own."""

FOREIGN: Final = (*ASYNCPG, OSError)
"""Everything asyncpg lets out (a TimeoutError is an OSError); `translate` understands these."""

_BY_CODE: Final[dict[str, type[StorageError]]] = {
    "08007": CommitInDoubt,
    "25006": Unavailable,  # read-only: the server is no longer the primary
    "25P03": Unavailable,  # idle in transaction for too long: the server hung up
    "25P04": Unavailable,  # transaction_timeout: likewise
    "40003": CommitInDoubt,
    "55P03": Conflict,  # lock_timeout
    "55006": Conflict,
    "57014": Conflict,  # statement_timeout
}
_BY_CLASS: Final[dict[str, type[StorageError]]] = {
    "08": Unavailable,
    "40": Conflict,
    "53": Unavailable,
    "57": Unavailable,
    "58": Unavailable,
    "XX": Corrupt,
}
# Classes whose primary message speaks of statements, locks and connections, never of a row.
_SPEAKABLE: Final = frozenset(("08", "0A", "25", "26", "28", "3D", "40", "42", "53", "55", "57"))
# A pool takes a connection back by itself when the server hangs up.
_GONE: Final = re.compile("closed|closing|released back to the pool")
_ARGUMENT: Final = re.compile(r"query argument \$(\d+)")


def translate(
    exc: BaseException, *, query: str | None = None, params: Sequence[str] = ()
) -> StorageError:
    """The StorageError that one of FOREIGN means; `query` and its `params` are named in it."""
    match exc:
        case asyncpg.InvalidCachedStatementError() | asyncpg.OutdatedSchemaCacheError():
            return Conflict("the schema has changed under a prepared statement", query=query)
        case asyncpg.DataError(severity=None) if found := _ARGUMENT.search(str(exc)):
            # asyncpg's own: the value could not be sent at all.
            number = int(found[1])
            name = params[number - 1] if number <= len(params) else f"${number}"
            return Refused(f"argument {name} has the wrong type", query=query)
        case asyncpg.PostgresError():
            return _from_server(exc, query)
        case asyncpg.InterfaceError() if _GONE.search(str(exc)):
            return Unavailable("the connection is closed", query=query)
        case asyncpg.InterfaceError():
            return Refused(str(exc.args[0]), query=query)
        case TimeoutError():
            return Unavailable("PostgreSQL did not answer in time", query=query)
        case _:
            return Unavailable(f"the connection failed: {type(exc).__name__}", query=query)


def _from_server(exc: asyncpg.PostgresError, query: str | None) -> StorageError:
    code = exc.sqlstate or "XX000"
    if code.startswith("23"):
        # A missing value violates a rule without a name of its own.
        rule = exc.constraint_name or f"{exc.table_name}.{exc.column_name}"
        return ConstraintViolated(rule, sqlstate=code, query=query)
    kind = _BY_CODE.get(code) or _BY_CLASS.get(code[:2], Refused)
    message = str(exc.args[0]) if code[:2] in _SPEAKABLE else type(exc).__name__
    return kind(message, sqlstate=code, query=query)


@contextmanager
def translated() -> Iterator[None]:
    """Raise as StorageError what database calls inside it raise; any OSError counts as one."""
    try:
        yield
    except FOREIGN as exc:
        raise translate(exc) from None
