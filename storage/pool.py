"""The pool of connections to PostgreSQL, and the only places where a transaction begins and ends.

async with transaction(pool) as conn:
    await inbox.receive(conn, …)
    async with savepoint(conn):
        await slots.hold(conn, …)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from types import TracebackType
from typing import Final, TypeAlias

import asyncpg
from asyncpg.connection import LoggedQuery
from asyncpg.pool import PoolConnectionProxy

from storage.connecting import (
    PROMPT,
    UNHURRIED,
    Timeouts,
    connect,
    options,
    patiently,
    set_codecs,
    split_address,
)
from storage.errors import (
    ASYNCPG,
    FOREIGN,
    CommitInDoubt,
    Refused,
    StorageError,
    Unavailable,
    translate,
    translated,
)
from storage.lending import Pool, is_closed

__all__ = [
    "PROMPT",
    "UNHURRIED",
    "Connection",
    "Pool",
    "RoundTrips",
    "Timeouts",
    "connect",
    "connection",
    "open_pool",
    "own_transaction",
    "savepoint",
    "transaction",
]

Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy
"""What a storage function takes as `conn`."""


# A session's settings are not ours to keep there; these are those of PROMPT.
_BEGIN_BEHIND_POOLER: Final = """\
BEGIN;
SET LOCAL statement_timeout = '5s';
SET LOCAL lock_timeout = '2s';
SET LOCAL idle_in_transaction_session_timeout = '5s'"""


class RoundTrips:
    """Counts what is sent over a pool that was opened with it; BEGIN and COMMIT count too."""

    def __init__(self) -> None:
        self._statements: list[str] = []

    def __call__(self, query: LoggedQuery) -> None:
        self._statements.append(query.query)

    async def taken(self) -> list[str]:
        """The statements sent since the last call, oldest first."""
        await asyncio.sleep(0)  # asyncpg tells of a statement in the next round of the loop
        statements, self._statements = self._statements, []
        return statements


async def open_pool(
    database_url: str,
    *,
    size: int = 20,
    application_name: str = "usual",
    timeouts: Timeouts = PROMPT,
    patience: timedelta = timedelta(seconds=10),
    on_statement: Callable[[LoggedQuery], None] | None = None,
) -> Pool:
    """Open a pool, waiting up to `patience` for a server that is not there yet; else Unavailable.

    `?pooler=transaction` in the address says that a pooler such as PgBouncer stands in between and
    hands out a server connection for one transaction only.
    """
    url, pooled = split_address(database_url)
    if pooled and timeouts != PROMPT:
        raise Refused("through a pooler, transactions are PROMPT")

    async def prepare(conn: asyncpg.Connection) -> None:
        # A pooler may answer each statement by another server, but not inside a transaction.
        async with conn.transaction():
            await set_codecs(conn)
        if on_statement is not None:
            conn.add_query_logger(on_statement)

    async def attempt() -> Pool:
        pool = Pool(
            url,
            min_size=size,  # connecting is slow: never while somebody waits
            max_size=size,
            max_queries=1_000_000,
            max_inactive_connection_lifetime=0,
            # No code leaves state in a session, so nothing is reset when a connection comes back:
            # the query for it costs as much as an insert. (asyncpg still rolls back.)
            reset=_leave_as_it_is,
            init=prepare,
            loop=asyncio.get_running_loop(),
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
            **options(application_name, timeouts, pooled=pooled),
        )
        if pooled:
            pool.begin = _BEGIN_BEHIND_POOLER
        return await pool

    return await patiently(attempt, database_url, patience)


def transaction(pool: Pool) -> _Transaction:
    """`async with transaction(pool) as conn`: commits at the end, rolls back on any exception.

    Raises StorageError only. A failed statement inside dooms the whole; `savepoint` limits it.
    """
    return _Transaction(pool)


def connection(pool: Pool) -> _Lease:
    """`async with connection(pool) as conn`: for single statements, each its own transaction."""
    return _Lease(pool) if pool.begin == Pool.begin else _Transaction(pool)


def savepoint(conn: Connection) -> _Savepoint:
    """`async with savepoint(conn)`: what fails inside it is undone alone; the exception goes on."""
    return _Savepoint(conn)


@asynccontextmanager
async def own_transaction(conn: Connection) -> AsyncIterator[None]:
    """`async with own_transaction(conn)`: on a connection of one's own, not one of a pool."""
    await _begin(conn, Pool.begin)
    try:
        yield
    except BaseException as exc:
        await _roll_back(conn)
        if isinstance(exc, ASYNCPG):
            raise translate(exc) from None
        raise
    await _commit(conn)


class _Lease:
    __slots__ = ("_conn", "_lent", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Connection:
        try:
            self._lent = await self._pool.lend()
        except FOREIGN as exc:
            raise translate(exc) from None
        self._conn = self._lent[0]
        try:
            await self._begin()
        except BaseException:
            await self._pool.take_back(self._lent, in_order=False)
            raise
        return self._conn

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        in_order = False
        try:
            await (self._commit() if exc is None else self._roll_back())
            in_order = exc is None
        finally:
            await self._pool.take_back(self._lent, in_order=in_order)
        if isinstance(exc, ASYNCPG):
            raise translate(exc) from None

    async def _begin(self) -> None: ...

    async def _commit(self) -> None: ...

    async def _roll_back(self) -> None:
        """Have the server finish with a statement whose values the driver could not write.

        It has been parsed, and waits; else its timeout would strike whatever comes next.
        """
        with suppress(*FOREIGN):  # then the connection is gone
            await self._conn.execute("SELECT")


class _Transaction(_Lease):
    __slots__ = ()

    async def _begin(self) -> None:
        await _begin(self._conn, self._pool.begin)

    async def _commit(self) -> None:
        await _commit(self._conn)

    async def _roll_back(self) -> None:
        await _roll_back(self._conn)


class Work:
    """`async with Work(pool) as unit`: takes a connection, and a transaction, when asked for one.

    Before `begin` each statement is a transaction of its own; then it is as with `transaction`.
    """

    __slots__ = ("_conn", "_lease", "_pool", "begun")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lease: _Lease | None = None
        self._conn: Connection | None = None
        self.begun = False

    @property
    def is_open(self) -> bool:
        """Tell whether a connection is kept for this work."""
        return self._conn is not None

    async def open(self) -> Connection:
        """The connection, which from now on is kept for this work."""
        if self._conn is None:
            lease = connection(self._pool)
            self._conn = await lease.__aenter__()
            self._lease = lease
        return self._conn

    async def begin(self) -> None:
        """Begin, if that has not happened yet."""
        conn = await self.open()
        if not self.begun:
            # Behind a pooler every connection comes with a transaction.
            if self._pool.begin == Pool.begin:
                await _begin(conn, self._pool.begin)
            self.begun = True

    async def __aenter__(self) -> Work:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Commit or undo what was begun, and give the connection back."""
        if self._lease is None or self._conn is None:
            return
        failed = exc
        try:
            if self.begun and self._pool.begin == Pool.begin:
                await (_commit(self._conn) if exc is None else _roll_back(self._conn))
        except BaseException as error:
            failed = error
            raise
        finally:
            await self._lease.__aexit__(type(failed) if failed else None, failed, None)


async def _begin(conn: Connection, statement: str) -> None:
    try:
        await conn.execute(statement)
    except FOREIGN as exc:
        raise translate(exc) from None


async def _commit(conn: Connection) -> None:
    """Not conn.transaction()'s commit.

    That one does not notice that the server, in a transaction doomed by a swallowed error, answers
    COMMIT with ROLLBACK.
    """
    if is_closed(conn):
        raise Unavailable("the connection broke before COMMIT")
    try:
        outcome = await conn.execute("COMMIT")
    except FOREIGN as exc:
        raise _at_commit(translate(exc)) from None
    if outcome != "COMMIT":
        raise Refused("a failed statement was passed over, and the transaction undone")


async def _roll_back(conn: Connection) -> None:
    with suppress(*FOREIGN):  # then the connection is gone, and the transaction with it
        await conn.execute("ROLLBACK")


class _Savepoint:
    __slots__ = ("_conn",)

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def __aenter__(self) -> None:
        with translated():
            await self._conn.execute("SAVEPOINT here")

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if exc is None:
            with translated():
                await self._conn.execute("RELEASE SAVEPOINT here")
            return
        with suppress(*FOREIGN):  # then the whole transaction is lost, and finds out
            await self._conn.execute("ROLLBACK TO SAVEPOINT here; RELEASE SAVEPOINT here")
        if isinstance(exc, ASYNCPG):
            raise translate(exc) from None


def _at_commit(error: StorageError) -> StorageError:
    if not isinstance(error, Unavailable):
        return error  # a deferred constraint, say: the server has answered
    return CommitInDoubt(sqlstate=error.sqlstate)


async def _leave_as_it_is(conn: asyncpg.Connection) -> None:
    pass
