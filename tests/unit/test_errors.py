"""What asyncpg raises becomes a StorageError: which kind, whether to retry, no value in it."""

from __future__ import annotations

import asyncpg
import pytest

from storage.errors import (
    CommitInDoubt,
    Conflict,
    ConstraintViolated,
    Corrupt,
    Refused,
    StorageError,
    Unavailable,
    translate,
    translated,
)

VALUE = "+447700900123"


def from_server(code: str, **fields: str) -> asyncpg.PostgresError:
    """The error that asyncpg makes of a server's answer, with a value wherever one may be."""
    told = {"S": "ERROR", "C": code, "M": "the message", "D": f"Key (phone)=({VALUE})", **fields}
    return asyncpg.PostgresError.new(told)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("08006", Unavailable),
        ("08007", CommitInDoubt),
        ("25006", Unavailable),
        ("25P03", Unavailable),
        ("40001", Conflict),
        ("40003", CommitInDoubt),
        ("40P01", Conflict),
        ("53100", Unavailable),
        ("53300", Unavailable),
        ("55P03", Conflict),
        ("57014", Conflict),
        ("57P01", Unavailable),
        ("57P03", Unavailable),
        ("58030", Unavailable),
        ("XX001", Corrupt),
        ("42703", Refused),
        ("28P01", Refused),
        ("22P02", Refused),
        ("ZZ123", Refused),
    ],
)
def test_a_code_of_the_server_becomes_a_kind_of_error(code: str, kind: type[StorageError]) -> None:
    error = translate(from_server(code), query="inbox.claim")
    assert type(error) is kind
    assert error.sqlstate == code
    assert str(error).endswith(f"({code}) in inbox.claim")
    assert VALUE not in str(error)


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        (Unavailable, True),
        (CommitInDoubt, True),
        (Conflict, True),
        (ConstraintViolated, False),
        (Corrupt, False),
        (Refused, False),
    ],
)
def test_each_kind_says_whether_trying_again_may_help(
    kind: type[StorageError], retryable: bool
) -> None:
    assert kind.retryable == retryable


@pytest.mark.parametrize("code", ["23505", "23503", "23514", "23P01"])
def test_a_violated_constraint_is_known_by_its_name(code: str) -> None:
    error = translate(from_server(code, n="slot_claims_never_overlap"))
    assert isinstance(error, ConstraintViolated)
    assert error.constraint == "slot_claims_never_overlap"
    assert str(error) == f"slot_claims_never_overlap is violated ({code})"


def test_a_message_that_may_quote_a_value_is_not_repeated() -> None:
    quoting = from_server("22P02", M=f'invalid input syntax for type bigint: "{VALUE}"')
    assert str(translate(quoting)) == "InvalidTextRepresentationError (22P02)"
    harmless = from_server("42703", M='column "nope" does not exist')
    assert str(translate(harmless)) == 'column "nope" does not exist (42703)'


@pytest.mark.parametrize(
    ("foreign", "kind"),
    [
        (asyncpg.InterfaceError("connection is closed"), Unavailable),
        (asyncpg.InterfaceError("pool is closing"), Unavailable),
        (asyncpg.InterfaceError("connection has been released back to the pool"), Unavailable),
        (asyncpg.InterfaceError("another operation is in progress"), Refused),
        (asyncpg.InternalClientError("cannot switch to state 15"), Unavailable),
        (asyncpg.ConnectionDoesNotExistError("connection was closed in the middle"), Unavailable),
        (asyncpg.InvalidCachedStatementError("cached statement plan is invalid"), Conflict),
        (ConnectionResetError(104, "Connection reset by peer"), Unavailable),
        (TimeoutError(), Unavailable),
    ],
)
def test_what_goes_wrong_on_our_side_of_the_wire_becomes_a_kind_too(
    foreign: Exception, kind: type[StorageError]
) -> None:
    with pytest.raises(kind) as caught, translated():
        raise foreign
    assert type(caught.value) is kind
    assert caught.value.__suppress_context__, "a traceback would print what asyncpg said"


def test_other_exceptions_go_by_untouched() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError
