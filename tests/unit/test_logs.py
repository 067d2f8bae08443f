"""Logs say what happened and to which of our ids, and nothing about anybody."""

from __future__ import annotations

import ast
import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import structlog

from bot import logs
from storage.errors import ConstraintViolated

ROOT = Path(__file__).parents[2]
WAMID = "wamid.HBgLNDQ3OTExMTIzNDU2FQIAERgSRkY="
SECRETS = (
    "447911123456",
    "+44 7911 123456",
    "Ana Petrova",
    "Анна",
    "hi, can I come at 3?",
    "EAAGm0PX4ZCpsBAKZCtoken",
    "NDQ3OTExMTIzNDU2",  # a phone number in base64, as it stands in a wamid
)

Read = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Give back whatever log the other tests have."""
    before, was_strict = structlog.get_config(), logs._strict
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    logs.strict(False)
    yield
    structlog.configure(**before)
    logs.strict(was_strict)
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Read:
    """Configure JSON logs; the function returns the lines written since it was last called."""
    logs.configure("json", "debug")
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def fail(exc: BaseException) -> None:
    raise exc


def log() -> Any:
    return structlog.get_logger("usual.test")


def test_a_turn_is_one_line_with_what_it_did(written: Read) -> None:
    log().info(
        "turn.committed",
        company_id=3,
        conversation_id=41,
        turn=7,
        event_kind="ReplyTapped",
        step_from="booking.choosing_day",
        step_to="booking.choosing_time",
        effects=["Say", "Record"],
        asks=1,
        duration_ms=2.5,
        wamid=None,
    )
    (line,) = written()
    moment = line.pop("timestamp")
    assert moment.endswith("Z")
    assert len(moment) == len("2026-11-20T10:00:00.000Z")
    assert line == {
        "level": "info",
        "event": "turn.committed",
        "company_id": 3,
        "conversation_id": 41,
        "turn": 7,
        "event_kind": "ReplyTapped",
        "step_from": "booking.choosing_day",
        "step_to": "booking.choosing_time",
        "effects": ["Say", "Record"],
        "asks": 1,
        "duration_ms": 2.5,
        "logger": "usual.test",
    }


def test_a_key_that_is_not_known_is_left_out_and_named(written: Read) -> None:
    log().info("customer.created", customer_id=5, phone="447911123456", name="Ana Petrova")
    (line,) = written()
    assert line["customer_id"] == 5
    assert line["dropped_keys"] == ["phone", "name"]
    assert "447911123456" not in json.dumps(line)


def test_a_known_key_takes_only_values_of_its_kind(written: Read) -> None:
    log().info("send.failed", customer_id="447911123456", reason="Ana wrote: hi", code=131047)
    (line,) = written()
    assert line["code"] == 131047
    assert sorted(line["dropped_keys"]) == ["customer_id", "reason"]


@pytest.mark.parametrize("key", sorted(logs.KEYS))
@pytest.mark.parametrize("secret", SECRETS)
def test_no_key_takes_a_number_a_sentence_a_token_or_a_foreign_letter(
    key: str, secret: str
) -> None:
    """Meta's ids of a business are digits too: only those two may look like a phone number."""
    if key in {"wamid", "path"} or (key in {"phone_number_id", "waba_id"} and secret.isdigit()):
        return
    line = logs.scrub(None, "info", {"event": "something.happened", key: secret})
    assert line["dropped_keys"] == [key]
    in_a_list = logs.scrub(None, "info", {"event": "something.happened", key: ["ok", secret]})
    assert in_a_list["dropped_keys"] == [key]


def test_a_wamid_is_written_as_a_hash_that_finds_its_lines_again(written: Read) -> None:
    log().info("message.received", wamid=WAMID)
    log().info("message.read", wamid=WAMID)
    first, second = written()
    assert first["wamid"] == second["wamid"]
    assert len(first["wamid"]) == 12


def test_a_path_keeps_neither_query_nor_long_numbers(written: Read) -> None:
    log().info("request.refused", path="/media/447911123456/x?token=EAAG")
    log().info("file.read", path=Path("/srv/usual data/.env"))
    first, second = written()
    assert first["path"] == "/media/#/x"
    assert second["path"] == "/srv/usual data/.env"


def test_ids_types_enums_and_counts_by_kind_are_written_plainly(written: Read) -> None:
    class Outcome(Enum):
        SENT = "sent"

    log().info(
        "things.counted",
        booking_id=UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
        outcome=Outcome.SENT,
        kind=ValueError,
        kinds={"text": 3, "image": 1},
        effects=("Say",),
        error=KeyError("Ana"),
    )
    (line,) = written()
    assert line["booking_id"] == "01890a5d-ac96-774b-bcce-b302099a8057"
    assert (line["outcome"], line["kind"], line["error"]) == ("sent", "ValueError", "KeyError")
    assert line["kinds"] == {"text": 3, "image": 1}
    assert line["effects"] == ["Say"]


def test_strictness_raises_where_a_test_would_not_look() -> None:
    logs.configure("json", "info")
    logs.strict()
    with pytest.raises(logs.Unfit, match="phone"):
        log().info("customer.created", phone="447911123456")
    with pytest.raises(logs.Unfit) as caught:
        log().info("said 447911123456")
    assert "447911123456" not in str(caught.value)


def test_nothing_below_the_level_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "warning")
    log().info("turn.committed", turn=1)
    log().warning("sweep.failed")
    assert '"sweep.failed"' in capsys.readouterr().out.splitlines()[0]


def test_what_is_bound_for_a_turn_is_on_its_lines(written: Read) -> None:
    with structlog.contextvars.bound_contextvars(conversation_id=9, turn=2):
        log().info("slot.lost")
    log().info("turn.committed")
    inside, outside = written()
    assert (inside["conversation_id"], inside["turn"]) == (9, 2)
    assert "turn" not in outside


def test_an_exception_of_ours_says_its_sentence_and_codes(written: Read) -> None:
    try:
        fail(ConstraintViolated("slot_claims_no_overlap", sqlstate="23P01", query="claims.add"))
    except ConstraintViolated:
        log().exception("turn.failed", turn=1)
    (line,) = written()
    assert line["level"] == "error"
    assert line["error"] == "ConstraintViolated"
    assert line["message"] == "slot_claims_no_overlap is violated (23P01) in claims.add"
    assert (line["sqlstate"], line["constraint"]) == ("23P01", "slot_claims_no_overlap")
    assert line["frames"][0].endswith(":test_an_exception_of_ours_says_its_sentence_and_codes")
    assert line["frames"][1].startswith("tests/unit/test_logs.py:")
    assert line["frames"][1].endswith(":fail")


def test_a_foreign_exception_says_its_type_and_codes_only(written: Read) -> None:
    cause = asyncpg.UniqueViolationError("Key (phone)=(447911123456) already exists")
    vars(cause)["constraint_name"] = "customers_phone_is_unique"
    try:
        try:
            raise cause
        except asyncpg.UniqueViolationError as exc:
            raise RuntimeError("Ana Petrova") from exc
    except RuntimeError as exc:
        log().error("turn.failed", exc_info=exc)
    (line,) = written()
    assert line["error"] == "RuntimeError"
    assert "message" not in line
    assert (line["sqlstate"], line["constraint"]) == ("23505", "customers_phone_is_unique")
    assert line["causes"][0].startswith("UniqueViolationError at tests/unit/test_logs.py:")


def test_a_group_names_every_exception_in_it(written: Read) -> None:
    group = ExceptionGroup("Ana", [ValueError("hi"), ExceptionGroup("", [OSError(28, "full")])])
    log().error("process.failed", exc_info=group)
    (line,) = written()
    assert line["causes"] == ["ValueError", "ExceptionGroup", "OSError"]
    assert line["errno"] == "ENOSPC"


def test_a_long_way_is_shortened_in_the_middle(written: Read) -> None:
    def down(depth: int) -> None:
        if depth == 0:
            raise ValueError
        down(depth - 1)

    try:
        down(60)
    except ValueError:
        log().exception("turn.failed")
    (line,) = written()
    assert len(line["frames"]) == 12
    assert line["frames"][2] == "…"
    assert line["frames"][-1].endswith(":down")


def test_libraries_log_a_text_of_their_source_and_not_what_they_fill_in(written: Read) -> None:
    library = logging.getLogger("aiohttp.server")
    library.error("Error handling request from %s", "447911123456")
    library.error(f"Unknown customer {SECRETS[2]}")
    library.info("something went well")
    first, second = written()
    assert (first["logger"], first["event"]) == ("aiohttp.server", "library.logged")
    assert first["message"] == "Error handling request from %s"
    assert "message" not in second
    assert second["at"].startswith("tests/unit/test_logs.py:")


def test_a_library_s_exception_loses_its_text(written: Read) -> None:
    try:
        fail(ValueError("447911123456"))
    except ValueError:
        logging.getLogger("redis").exception("failed")
    (line,) = written()
    assert line["error"] == "ValueError"
    assert "447911123456" not in json.dumps(line)


async def test_what_nobody_caught_in_the_loop_is_logged(written: Read) -> None:
    loop = asyncio.get_running_loop()
    logs.report_loop_error(loop, {"message": "Ana", "exception": ValueError("Ana Petrova")})
    (line,) = written()
    assert (line["event"], line["error"]) == ("loop.failed", "ValueError")
    assert "Ana" not in json.dumps(line)


def spill(secret: str) -> None:
    """Every way into the log that anybody has thought of, with something that must not come out."""
    bound = log().bind(name=secret, reason=secret)
    bound.info("customer.met", text=secret, customer_id=secret, effects=[secret], kinds={secret: 1})
    log().info(secret)
    log().info("said %s", secret)
    log().info("met.%s", secret)
    log().info("customer.met", **{f"key {secret}": 1})
    log().info("customer.met", wamid=f"wamid.{secret}", path=f"/a?b={secret}")
    with structlog.contextvars.bound_contextvars(body=secret, step=secret):
        log().debug("customer.met")
    for kind in (ValueError, asyncpg.UniqueViolationError, OSError, KeyError):
        try:
            try:
                fail(kind(secret))
            except Exception as exc:
                raise ExceptionGroup(secret, [exc]) from exc
        except ExceptionGroup as exc:
            exc.add_note(secret)
            log().exception("turn.failed", error=exc)
            logging.getLogger("asyncio").exception("Task failed: %r", secret)
            context = {"message": secret, "exception": exc, "future": secret}
            logs.report_loop_error(asyncio.get_running_loop(), context)
            sys.excepthook(type(exc), exc, exc.__traceback__)
    library = logging.getLogger("aiohttp.access")
    library.warning("%s", secret, stack_info=True)
    library.warning("met " + secret)
    library.warning({"name": secret})
    logging.getLogger(f"client {secret}").warning("failed", extra={"name_": secret})


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_nothing_personal_comes_out_however_it_went_in(
    capsys: pytest.CaptureFixture[str], secret: str, log_format: Any
) -> None:
    logs.configure(log_format, "debug")
    spill(secret)
    output = capsys.readouterr()
    assert output.err == ""
    assert len(output.out.splitlines()) > 20
    assert secret not in output.out
    assert secret.replace(" ", "") not in output.out
    assert json.dumps(secret)[1:-1] not in output.out


def test_what_json_cannot_hold_does_not_stop_the_line(written: Read) -> None:
    log().info("thing.counted", count=10**40, duration_ms=float("nan"))
    (line,) = written()
    assert line["count"] == 10**40


def test_a_reader_that_goes_away_stops_nobody() -> None:
    program = (
        "from bot import logs; import structlog, sys; logs.configure('json', 'info')\n"
        "for n in range(20000): structlog.get_logger().info('thing.counted', count=n)\n"
        "print('went on', file=sys.stderr)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b"went on\n"
        assert process.wait() == 0


def test_a_closed_stdout_stops_nobody() -> None:
    program = (
        "from bot import logs; import structlog, os; logs.configure('json', 'info'); os.close(1)\n"
        "structlog.get_logger().info('thing.counted', count=1)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True)
    assert done.stderr == b""


LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
BINDERS = {"bind", "bound_contextvars", "bind_contextvars"}


def log_calls() -> list[tuple[str, ast.Call, str]]:
    """Every call of a log method in the program: where, the call, and the method."""
    found = []
    for file in sorted([*ROOT.glob("bot/**/*.py"), *ROOT.glob("storage/**/*.py")]):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            called, of = node.func.attr, ast.unparse(node.func.value)
            is_log = called in LEVELS and (of == "log" or "get_logger" in of)
            if is_log or called in BINDERS - {"bind"} or (called == "bind" and of == "log"):
                found.append((f"{file.relative_to(ROOT)}:{node.lineno}", node, called))
    return found


def test_every_log_call_of_the_program_uses_known_keys_and_a_plain_event() -> None:
    calls = log_calls()
    assert len(calls) > 5
    wrong = []
    for where, call, called in calls:
        keys = {keyword.arg or "**" for keyword in call.keywords}
        wrong += [f"{where}: {key}" for key in sorted(keys - set(logs.KEYS) - {"exc_info"})]
        if called in LEVELS:
            event = call.args[0].value if isinstance(call.args[0], ast.Constant) else ""
            if len(call.args) != 1 or not logs._is_event(str(event)):
                wrong.append(f"{where}: {ast.unparse(call.args[0])}")
    assert wrong == []


def test_what_a_command_logs_stands_aside_from_what_it_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("console", aside=True)
    structlog.get_logger("usual.schema").warning("schema.newer")
    logging.getLogger("asyncpg").warning("Failed")
    said = capsys.readouterr()
    assert said.out == ""
    assert "schema.newer" in said.err
    assert "library.logged" in said.err
