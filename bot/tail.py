"""`usual tail`: the log for people; reads JSON lines and writes one coloured line an event."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any, Final

import orjson

from flows.values import valueclass

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
POLL_SECONDS: Final = 0.2

_COLOURS: Final = {
    "debug": "2",
    "info": "32",
    "warning": "33",
    "error": "31",
    "critical": "1;31",
    "dim": "2",
    "bold": "1",
    "key": "36",
}
_SHOWN_APART: Final = frozenset(("timestamp", "level", "event", "logger", "frames", "causes"))
_WHO: Final = frozenset(("company_id", "conversation_id", "customer_id", "turn"))
_WHAT: Final = frozenset(
    ("event_kind", "step_from", "step_to", "effects", "asks", "duration_ms"),
)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


@valueclass(frozen=True, slots=True)
class Painter:
    """Makes a readable line of a log event; `zone` None shows the times of this machine's zone."""

    colour: bool
    zone: tzinfo | None = None

    @classmethod
    def for_stream(cls, stream: IO[str] | None) -> Painter:
        """In colour on a terminal, unless NO_COLOR is set."""
        is_terminal = stream is not None and stream.isatty()
        return cls(is_terminal and not os.environ.get("NO_COLOR"))

    def paint(self, line: Mapping[str, Any]) -> str:
        """Time, level, event and what belongs to it; a failure goes on in the lines below."""
        level = str(line.get("level", ""))
        event = _plain(line.get("event", ""))
        told = self._turn(line) if event == "turn.committed" else self._pairs(line, _SHOWN_APART)
        head = (
            f"{self._in('dim', self._time(line.get('timestamp')))} "
            f"{self._in(level, f'{_plain(level):<8}')} {self._in('bold', f'{event:<20}')}"
        )
        return "\n".join((f"{head} {told}".rstrip(), *self._trace(line)))

    def paint_other(self, text: str) -> str:
        """A line that is not a log event, as it is but for what would move the cursor."""
        return self._in("dim", _plain(text))

    def _turn(self, line: Mapping[str, Any]) -> str:
        who = f"{line.get('company_id', '?')}/{line.get('conversation_id', '?')}"
        heard = f"{_plain(line.get('event_kind', ''))}: " if line.get("event_kind") else ""
        way = f"{_plain(line.get('step_from', '?'))} → {_plain(line.get('step_to', '?'))}"
        effects = _value(line.get("effects") or "nothing").replace(",", ", ")
        asks = f", asked {_value(line['asks'])}" if line.get("asks") else ""
        rest = self._pairs(line, _SHOWN_APART | _WHO | _WHAT)
        turn, took = _plain(line.get("turn", "?")), _plain(line.get("duration_ms", "?"))
        return f"{who} #{turn}  {heard}{self._in('bold', way)}  {effects}{asks}  {took} ms  {rest}"

    def _pairs(self, line: Mapping[str, Any], without: frozenset[str]) -> str:
        return " ".join(
            f"{self._in('key', _plain(key))}={_value(value)}"
            for key, value in line.items()
            if key not in without
        )

    def _trace(self, line: Mapping[str, Any]) -> Iterator[str]:
        for key, mark in (("frames", "in"), ("causes", "caused by")):
            found = line.get(key)
            for step in found if isinstance(found, list) else ():
                yield self._in("dim", f"{'':13}{mark} {_plain(step)}")

    def _time(self, stamp: object) -> str:
        try:
            moment = datetime.fromisoformat(str(stamp)).astimezone(self.zone)
        except (ValueError, OverflowError):
            return f"{_plain(stamp or ''):<12}"
        return moment.strftime("%H:%M:%S.") + f"{moment.microsecond // 1000:03d}"

    def _in(self, colour: str, text: str) -> str:
        code = _COLOURS.get(colour)
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code else text


def _plain(value: object) -> str:
    """A text without what would move the cursor, ring the bell or turn the line around."""
    return _UNPRINTABLE.sub("�", str(value))


def _value(value: object) -> str:
    match value:
        case str():
            text = _plain(value)
            return text if text and " " not in text else f'"{text}"'
        case list():
            return ",".join(_plain(part) for part in value)
        case Mapping():
            return ",".join(f"{_plain(key)}:{_plain(part)}" for key, part in value.items())
        case _:
            return _plain(value)


@valueclass(frozen=True, slots=True)
class Wanted:
    """Which events to show: at least this level, one of these names (`turn.*`), of whom."""

    level: str = "debug"
    events: tuple[str, ...] = ()
    company: int | None = None
    conversation: int | None = None

    def everything(self) -> bool:
        """Whether nothing is asked for in particular: then lines that are no events show too."""
        return not self.events and self.company is None and self.conversation is None

    def takes(self, line: Mapping[str, Any]) -> bool:
        """Whether to show this event."""
        level = line.get("level")
        if level in LEVELS and LEVELS.index(str(level)) < LEVELS.index(self.level):
            return False
        if self.company is not None and line.get("company_id") != self.company:
            return False
        if self.conversation is not None and line.get("conversation_id") != self.conversation:
            return False
        name = str(line.get("event"))
        return not self.events or any(fnmatchcase(name, pattern) for pattern in self.events)


def read(raw: bytes) -> Mapping[str, Any] | None:
    """The event on a line of the log, or None where there is something else."""
    if not raw.lstrip().startswith(b"{"):
        return None
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return line if isinstance(line, dict) and "event" in line else None


def show(
    lines: Iterable[bytes], write: Callable[[str], object], painter: Painter, wanted: Wanted
) -> None:
    """Write each line that is wanted, as it comes."""
    for raw in lines:
        line = read(raw)
        if line is not None:
            if wanted.takes(line):
                write(painter.paint(line) + "\n")
        elif wanted.everything():
            write(painter.paint_other(raw.decode("utf-8", "replace").rstrip("\r\n")) + "\n")


def grow(path: Path, *, pause: Callable[[float], object] = time.sleep) -> Iterator[bytes]:
    """The lines of a file, also those that come; starts over when it is replaced or cut."""
    while True:
        with path.open("rb") as file:
            yield from _grown(path, file, pause)


def _grown(path: Path, file: IO[bytes], pause: Callable[[float], object]) -> Iterator[bytes]:
    begun = b""
    while True:
        piece = file.readline()
        if piece.endswith(b"\n"):
            yield begun + piece
            begun = b""
            continue
        begun += piece
        if piece:
            continue
        if _is_other(path, file):
            if begun:
                yield begun
            return
        pause(POLL_SECONDS)


def _is_other(path: Path, file: IO[bytes]) -> bool:
    """Whether the path leads to another file by now, or to one that has become shorter."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False  # moved away: the new one comes soon
    here = os.fstat(file.fileno())
    return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino) or (
        there.st_size < file.tell()
    )


def run(
    source: str = "-",
    *,
    follow: bool = False,
    level: str = "debug",
    event: str = "*",
    company: int | None = None,
    conversation: int | None = None,
) -> int:
    """Show a log file, or stdin for "-", until it ends or Ctrl-C; returns the exit status.

    `event` may be several patterns with commas between them.
    """
    if level not in LEVELS:
        sys.stderr.write(f"The level must be one of {', '.join(LEVELS)}.\n")
        return 2
    events = tuple(pattern.strip() for pattern in event.split(",") if pattern.strip() != "*")
    wanted = Wanted(level, events, company, conversation)
    painter = Painter.for_stream(sys.stdout)

    def write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    try:
        with _lines(source, growing=follow) as lines:
            show(lines, write, painter, wanted)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        close_quietly()
        return 0
    except OSError as error:
        sys.stderr.write(f"{source} cannot be read: {error.strerror}.\n")
        return 1
    return 0


def close_quietly() -> None:
    """Let stdout go nowhere: its reader is gone, and Python would complain when it ends."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextmanager
def _lines(source: str, *, growing: bool) -> Iterator[Iterable[bytes]]:
    if source == "-":
        with _patient():
            yield iter(sys.stdin.buffer.readline, b"")
    elif growing:
        yield grow(Path(source))
    else:
        with Path(source).open("rb") as file:
            yield file


@contextmanager
def _patient() -> Iterator[None]:
    """Let the first Ctrl-C be for the process before us in the pipe, to see how it stops."""
    if sys.stdin.isatty():
        yield
        return

    def stay(signum: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    with suppress(ValueError):  # not in the main thread: no signals there
        signal.signal(signal.SIGINT, stay)
    try:
        yield
    finally:
        with suppress(ValueError):
            signal.signal(signal.SIGINT, signal.default_int_handler)
