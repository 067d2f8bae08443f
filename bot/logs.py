"""Logs: one JSON line an event on stdout, or the same in colour; nothing personal in either.

An event is named `noun.verb` in the past (`turn.committed`). What may stand beside it is an
allowlist: `KEYS` maps each key to what its values may look like. Anything else is left out and its
key named in `dropped_keys`; under `strict()`, in tests, it raises. No name, phone number, message
text or secret has a key, at any level.

- A wamid, Meta's id of a message, holds the phone number in base64. The first twelve hex digits of
  its SHA-256 stand for it: enough to find all lines about one message.
- Of an exception: its type, where it went and a few codes (bot/faults.py), as keys of its line.
- Libraries log through the same door. Of what they say, only a text that stands as it is in their
  source is kept, never what they fill into it.

A line that cannot be written (reader gone, disk full) is lost: logging never fails a turn.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache, partial
from pathlib import PurePath
from types import FrameType, TracebackType
from typing import Any, Final, Literal
from uuid import UUID

import orjson
import structlog
from structlog.contextvars import merge_contextvars

from bot.faults import describe, place
from bot.tail import Painter, close_quietly

MOST_WORDS: Final = 50

_EVENT: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", re.ASCII)
_WORD: Final = re.compile(r"(?!.*\d{7})[A-Za-z0-9_<][\w.:/<>-]{0,79}", re.ASCII)
_SECRET: Final = re.compile(r"(?=[A-Za-z\d]{12})[A-Za-z]*\d+[A-Za-z]", re.ASCII)  # or base64
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONG_NUMBER: Final = re.compile(r"\+?\d{7,}")


class Unfit(Exception):
    """A log call used a key or a value that may not be logged; raised under `strict()` only."""


class _No(Exception):
    """The value is not of the kind that its key takes."""


@lru_cache(maxsize=4096)
def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None and not _SECRET.search(text)


@lru_cache(maxsize=512)
def _is_event(text: str) -> bool:
    return _EVENT.fullmatch(text) is not None


def _number(value: object) -> int | float:
    if isinstance(value, int | float):
        return value
    raise _No


def _word(value: object) -> str | int:
    """A name out of the code: ASCII, no blanks, no long number, nothing that looks encoded."""
    match value:
        case str() if _is_word(value):
            return value
        case Enum():
            return _word(value.value)
        case type():
            return value.__name__
        case int():
            return value
        case _:
            raise _No


def _words(value: object) -> object:
    """Several of them, perhaps each with a count; or only how many."""
    match value:
        case list() | tuple() | set() | frozenset() if len(value) <= MOST_WORDS:
            return [_word(part) for part in value]
        case Mapping() if len(value) <= MOST_WORDS:
            return {str(_word(key)): _number(count) for key, count in value.items()}
        case int():
            return value
        case _:
            raise _No


def _id(value: object) -> int | str:
    match value:
        case int():
            return value
        case UUID():
            return str(value)
        case str() if _UUID.fullmatch(value):
            return value
        case _:
            raise _No


def _metas_id(value: object) -> str:
    """Meta's id of what a business owns: digits, but nobody's number."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 32:
        return value
    raise _No


def _hash(value: object) -> str:
    if isinstance(value, str):
        return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    raise _No


def _path(value: object) -> str:
    """A file, or what was requested: without its query, long numbers as "#"."""
    if isinstance(value, str | PurePath):
        return _LONG_NUMBER.sub("#", str(value).partition("?")[0])[:200]
    raise _No


def _error(value: object) -> object:
    return type(value).__name__ if isinstance(value, BaseException) else _word(value)


_NUMBERS: Final = (
    "company_id customer_id conversation_id inbox_id outbox_id turn attempt attempts count "
    "duplicates strays bytes threshold duration_ms lag_ms took_ms wait_s pid port workers "
    "service_id staff_id candidates visits minutes"
)
_WORD_KEYS: Final = (
    "event_kind flow step step_from step_to timer code constraint field kind outcome reason "
    "sqlstate status check host migration process query seed server signal task template version"
)
KEYS: Final[Mapping[str, Callable[[object], object]]] = {
    **dict.fromkeys(_NUMBERS.split(), _number),
    **dict.fromkeys(_WORD_KEYS.split(), _word),
    **dict.fromkeys(("asks", "effects", "kinds"), _words),
    **dict.fromkeys(("booking_id", "timer_id"), _id),
    **dict.fromkeys(("phone_number_id", "waba_id"), _metas_id),
    "wamid": _hash,
    "path": _path,
    "error": _error,
}
"""Every key that a log call may use, with what makes its value fit or refuses it."""

_strict = False


def strict(on: bool = True) -> None:
    """From now on, what may not be logged raises Unfit: for tests."""
    global _strict
    _strict = on


def scrub(logger: Any, level: str, given: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Make of what a log call was given what may be written; absent values stay away."""
    event = given.pop("event", None)
    trouble = given.pop("exc_info", None)
    line: dict[str, Any] = {"timestamp": _now(), "level": level, "event": event}
    dropped: list[str] = []
    if not isinstance(event, str) or not _is_event(event):
        line["event"] = "unnamed.logged"
        dropped.append("event")
    for key, value in given.items():
        if value is None:
            continue
        try:
            line[key] = KEYS[key](value)
        except (KeyError, _No):
            dropped.append(key if _is_word(key) else "?")
    if trouble and (exc := _exception(trouble)) is not None:
        line |= describe(exc)
    if dropped:
        if _strict:
            raise Unfit(f"{line['event']}: bot.logs.KEYS has nothing for this {', '.join(dropped)}")
        line["dropped_keys"] = dropped
    if name := getattr(logger, "name", ""):
        line["logger"] = name
    return line


def _now() -> str:
    moment = datetime.fromtimestamp(time.time(), UTC)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def _exception(trouble: object) -> BaseException | None:
    match trouble:
        case BaseException():
            return trouble
        case (_, BaseException() as exc, _):
            return exc
        case _:
            return sys.exc_info()[1]


class Sink:
    """Where lines go: the stdout of the moment, or its stderr."""

    __slots__ = ("_aside", "name")

    def __init__(self, name: str = "", *, aside: bool = False) -> None:
        self.name, self._aside = name, aside

    def write(self, line: bytes) -> None:
        """Write one line; nothing happens when nobody can take it."""
        try:
            stream = (sys.stderr if self._aside else sys.stdout).buffer
            stream.write(line)
            stream.flush()
        except BrokenPipeError:
            close_quietly()
        except (OSError, ValueError, AttributeError):  # disk full; closed; no stdout at all
            return

    debug = info = warning = error = critical = write


def _as_json(logger: Any, level: str, line: MutableMapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # half a surrogate pair, an enormous number
        return (json.dumps(line, default=repr) + "\n").encode()


class _InColour:
    """Renders a line as `usual tail` would."""

    def __init__(self, *, aside: bool) -> None:
        self._painter = Painter.for_stream(sys.stderr if aside else sys.stdout)

    def __call__(self, logger: Any, level: str, line: MutableMapping[str, Any]) -> bytes:
        return f"{self._painter.paint(line)}\n".encode("utf-8", "replace")


class _Libraries(logging.Handler):
    """Takes what libraries say into the same log."""

    def __init__(
        self, render: Callable[[Any, str, MutableMapping[str, Any]], bytes], *, aside: bool
    ) -> None:
        super().__init__()
        self._render = render
        self._sink = Sink(aside=aside)

    def emit(self, record: logging.LogRecord) -> None:
        """Write what may be said of a record: who, where, which error, and a text of its source."""
        level = record.levelname.lower()
        line: dict[str, Any] = {
            "timestamp": _now(),
            "level": level,
            "event": "library.logged",
            "at": f"{place(record.pathname)}:{record.lineno}:{record.funcName}",
        }
        if _stands_in_source(record):
            line["message"] = record.msg
        if record.exc_info and record.exc_info[1] is not None:
            line |= describe(record.exc_info[1])
        if _is_word(record.name):
            line["logger"] = record.name
        self._sink.write(self._render(None, level, line))


def _stands_in_source(record: logging.LogRecord) -> bool:
    """Whether the message, not yet filled in, is a constant of the function that logs it."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        code = frame.f_code
        if code.co_filename == record.pathname and code.co_name == record.funcName:
            return isinstance(record.msg, str) and record.msg in code.co_consts
        frame = frame.f_back
    return False


def configure(
    log_format: Literal["json", "console"] = "json",
    log_level: str = "info",
    *,
    aside: bool = False,
) -> None:
    """Send our own logs and those of libraries to stdout; may be called again.

    `aside`: to stderr, for commands whose output is what was asked for.
    """
    render = _as_json if log_format == "json" else _InColour(aside=aside)
    level = logging.getLevelNamesMapping()[log_level.upper()]
    structlog.configure(
        processors=[merge_contextvars, scrub, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=partial(Sink, aside=aside),
        cache_logger_on_first_use=not _strict,  # tests configure more than once
    )
    # Libraries tell at length what goes well: of that we want nothing.
    logging.basicConfig(
        level=max(level, logging.WARNING), handlers=[_Libraries(render, aside=aside)], force=True
    )
    sys.excepthook = _report_crash


def report_loop_error(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Log what nobody caught in a task or callback: for `loop.set_exception_handler`."""
    structlog.get_logger("usual.loop").error("loop.failed", exc_info=context.get("exception"))


def _report_crash(
    kind: type[BaseException], exc: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, Exception):
        log = structlog.get_logger("usual.process")
        log.critical("process.crashed", exc_info=exc.with_traceback(trace))
