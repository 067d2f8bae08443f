"""Every code of Meta's is one class of error with one thing to do."""

import inspect
import json
import math

import pytest

from bot.whatsapp import errors
from bot.whatsapp.errors import (
    TABLE,
    AccountHeld,
    Act,
    AuthLost,
    BadMessage,
    BadRecipient,
    BadTemplate,
    Doubtful,
    GraphError,
    HeldBack,
    OptedOut,
    PairThrottled,
    RecipientLost,
    Throttled,
    Transient,
    WindowClosed,
    from_answer,
    from_error,
)
from tests.support.checkout import CHECKOUT

CORPUS = CHECKOUT.parent / "shared" / "data" / "whatsapp" / "payloads" / "api_errors"
CLASSES = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, GraphError)
]

# As the platform's documentation lists them for sending messages.
DOCUMENTED = (
    *(0, 1, 2, 3, 4, 10, 33, 100, 190, 200, 299, 368, 80007, 130429, 130472, 130497),
    *(131000, 131005, 131008, 131009, 131016, 131020, 131021, 131026, 131030, 131031),
    *(131037, 131041, 131042, 131045, 131047, 131048, 131049, 131050, 131051, 131052),
    *(131053, 131056, 131057, 131059, 131062, 131063, 131064, 131201, 131215),
    *(132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018, 132068),
    *(132069, 133000, 133004, 133005, 133006, 133008, 133009, 133010, 133015, 133016),
    *(135000, 137000, 138000, 138018, 139100, 139101, 139102, 139103, 147001),
)


@pytest.mark.parametrize("code", DOCUMENTED)
def test_every_documented_code_is_in_the_table(code: int) -> None:
    assert code in TABLE


@pytest.mark.parametrize("code", TABLE)
def test_every_code_of_the_table_becomes_its_class(code: int) -> None:
    error = from_answer(400, json.dumps({"error": {"code": code}}).encode())
    assert type(error) is TABLE[code].kind
    assert error.code == code


@pytest.mark.parametrize("kind", CLASSES)
def test_what_is_done_fits_what_the_class_says(kind: type[GraphError]) -> None:
    assert kind.retryable == (kind.act in {Act.RETRY, Act.SLOW})
    assert kind.fault
    assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (190, AuthLost),
        (230, AuthLost),
        (131042, AccountHeld),
        (131026, RecipientLost),
        (131047, WindowClosed),
        (131050, OptedOut),
        (131049, HeldBack),
        (131056, PairThrottled),
        (130429, Throttled),
        (131030, BadRecipient),
        (132001, BadTemplate),
        (131009, BadMessage),
        (131000, Transient),
    ],
)
def test_codes_that_matter_are_what_they_should_be(code: int, kind: type[GraphError]) -> None:
    assert type(from_error({"code": code})) is kind


@pytest.mark.parametrize(
    ("http", "kind"),
    [
        (400, BadMessage),
        (401, AuthLost),
        (403, AccountHeld),
        (404, BadMessage),
        (429, Throttled),
        (500, Transient),
        (503, Transient),
    ],
)
def test_an_unknown_code_goes_by_http_status(http: int, kind: type[GraphError]) -> None:
    assert type(from_error({"code": 987654}, http=http)) is kind


def test_an_unknown_code_that_passes_is_tried_again() -> None:
    assert type(from_error({"code": 987654, "is_transient": True})) is Transient


@pytest.mark.parametrize("raw", [b"", b"<html>Bad gateway</html>", b"[]", b'{"ok":1}', b"\xff"])
def test_a_server_error_without_a_body_may_have_been_a_success(raw: bytes) -> None:
    assert type(from_answer(502, raw)) is Doubtful


@pytest.mark.parametrize("raw", [b"", b"not json", b'{"messages":[]}'])
def test_a_success_that_names_no_message_is_doubtful(raw: bytes) -> None:
    assert type(from_answer(200, raw)) is Doubtful


def test_a_proxy_in_between_is_tried_again() -> None:
    assert type(from_answer(404, b"<html>no such page</html>")) is Transient


def test_a_number_that_is_gone_holds_the_company() -> None:
    assert type(from_error({"code": 100, "error_subcode": 33})) is AccountHeld
    assert type(from_error({"code": 100, "error_subcode": 2})) is BadMessage


@pytest.mark.parametrize("code", [True, None, "x", 1.5, {}, "131047"])
def test_codes_of_odd_types_do_no_harm(code: object) -> None:
    error = from_error({"code": code, "error_data": "odd", "message": None})
    assert isinstance(error, WindowClosed if code == "131047" else BadMessage)


def test_a_pair_waits_four_times_longer_each_time() -> None:
    error = from_error({"code": 131056})
    assert [error.wait(attempts) for attempts in (1, 2, 3, 4)] == [1, 4, 16, 64]


def test_waits_grow_and_stop_growing() -> None:
    error = from_error({"code": 131016})
    assert [error.wait(attempts) for attempts in (1, 2, 3)] == [1, 2, 4]
    assert error.wait(10_000) == errors.LONGEST_PAUSE


def test_meta_may_ask_for_a_longer_wait() -> None:
    raw = b'{"error":{"code":130429}}'
    assert from_answer(429, raw, retry_after="30").pause == 30
    assert from_answer(429, raw, retry_after="Wed, 21 Oct").pause == 1
    assert math.isclose(from_answer(429, raw, retry_after="0").pause, 1)


def test_an_error_says_its_code_and_never_what_was_sent() -> None:
    body = {"code": 131009, "error_data": {"details": "Maria is not valid"}, "message": "Maria"}
    error = from_error(body, http=400)
    assert str(error) == "BadMessage 131009 (HTTP 400)"
    assert error.details == "Maria is not valid"


@pytest.mark.skipif(not CORPUS.exists(), reason="the payload corpus is not here")
def test_every_error_of_the_corpus_is_understood() -> None:
    read = 0
    for path in sorted(CORPUS.glob("error-*.json")):
        body = path.read_bytes()
        code = path.name.split("--")[0].removeprefix("error-")
        error = from_answer(400, body)
        assert type(error) is not Doubtful
        assert code == "none" or error.code == int(code), path.name
        read += 1
    assert read > 90
