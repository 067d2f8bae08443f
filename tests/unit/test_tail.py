"""`usual tail` shows the log to people: one line an event, whatever stands in the file."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import tail
from bot.tail import Painter, Wanted

ROOT = Path(__file__).parents[2]
PLAIN = Painter(colour=False, zone=UTC)
TURN = {
    "timestamp": "2026-11-20T10:04:05.123Z",
    "level": "info",
    "event": "turn.committed",
    "company_id": 3,
    "conversation_id": 41,
    "customer_id": 8,
    "turn": 7,
    "event_kind": "ReplyTapped",
    "step_from": "booking.choosing_day",
    "step_to": "booking.choosing_time",
    "effects": ["Say", "Record"],
    "asks": 1,
    "duration_ms": 2.5,
    "wamid": "30757a9776bb",
    "logger": "usual.engine",
}
PROGRAM = "import sys; from bot import tail; sys.exit(tail.run(*sys.argv[1:]))"


def shown(*lines: bytes | dict[str, Any], wanted: Wanted | None = None) -> list[str]:
    raw = [one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in lines]
    out: list[str] = []
    tail.show(raw, out.append, PLAIN, wanted or Wanted())
    return out


def test_a_turn_reads_as_a_way_from_one_step_to_the_next() -> None:
    assert shown(TURN) == [
        "10:04:05.123 info     turn.committed       3/41 #7  ReplyTapped: "
        "booking.choosing_day → booking.choosing_time  Say, Record, asked 1  2.5 ms  "
        "wamid=30757a9776bb\n"
    ]


def test_other_events_show_their_keys() -> None:
    line = {"timestamp": "2026-11-20T10:04:05Z", "level": "warning", "event": "send.failed"}
    facts = {"code": 131047, "error": "WindowClosed", "kinds": {"text": 2}, "message": "It is shut"}
    assert shown(line | facts) == [
        "10:04:05.000 warning  send.failed          "
        'code=131047 error=WindowClosed kinds=text:2 message="It is shut"\n'
    ]


def test_a_failure_goes_on_in_the_lines_below() -> None:
    (text,) = shown(
        {
            "event": "turn.failed",
            "level": "error",
            "frames": ["bot/worker.py:88:_take", "bot/engine.py:9:take_turn"],
            "causes": ["TimeoutError at storage/pool.py:4:acquire"],
        }
    )
    assert [line.split() for line in text.splitlines()[1:]] == [
        ["in", "bot/worker.py:88:_take"],
        ["in", "bot/engine.py:9:take_turn"],
        ["caused", "by", "TimeoutError", "at", "storage/pool.py:4:acquire"],
    ]


def test_lines_that_are_no_events_show_as_they_are() -> None:
    assert shown(b"Listening.\n", b'{"a": 1}\n', b"{not json\n", b"\xff\n") == [
        "Listening.\n",
        '{"a": 1}\n',
        "{not json\n",
        "�\n",
    ]


def test_nothing_can_move_the_cursor_or_forge_a_line() -> None:
    evil = "\x1b[2J\r\nturn.committed\u202e\x07"
    (event,) = shown({"event": evil, "level": evil, "timestamp": evil, evil: evil})
    (other,) = shown(b"\x1b]0;title\x07\n")
    for text in (event, other):
        assert text.count("\n") == 1
        assert not set(text) & {"\x1b", "\r", "\x07", "\u202e"}


def test_colour_is_only_around_the_same_words() -> None:
    painted = Painter(colour=True, zone=UTC).paint(TURN)
    assert "\x1b[32minfo" in painted
    plain = painted
    for code in ("0", "1", "2", "32", "36"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == PLAIN.paint(TURN)


@pytest.mark.parametrize(
    ("wanted", "shows"),
    [
        (Wanted(), ["turn.committed", "turn.failed", "send.failed", "Listening."]),
        (Wanted(level="warning"), ["turn.failed", "send.failed", "Listening."]),
        (Wanted(events=("turn.*",)), ["turn.committed", "turn.failed"]),
        (Wanted(events=("*.failed", "x.*")), ["turn.failed", "send.failed"]),
        (Wanted(company=3), ["turn.committed", "turn.failed"]),
        (Wanted(company=3, conversation=42), ["turn.failed"]),
    ],
    ids=str,
)
def test_one_can_ask_for_some_events_only(wanted: Wanted, shows: list[str]) -> None:
    lines = shown(
        TURN,
        {"event": "turn.failed", "level": "error", "company_id": 3, "conversation_id": 42},
        {"event": "send.failed", "level": "warning", "company_id": 4},
        b"Listening.\n",
        wanted=wanted,
    )
    assert len(lines) == len(shows)
    assert all(name in line for name, line in zip(shows, lines, strict=True))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KNOWN = st.sampled_from([*TURN, "frames", "causes", "message"])


@given(line=st.dictionaries(KNOWN | st.text(), VALUES), is_turn=st.booleans())
def test_whatever_an_event_holds_it_is_shown(line: dict[str, Any], is_turn: bool) -> None:
    line["event"] = "turn.committed" if is_turn else line.get("event")
    (text,) = shown(line)
    assert text.endswith("\n")


@given(st.binary())
def test_whatever_stands_on_a_line_it_is_shown_or_skipped(raw: bytes) -> None:
    assert len(shown(raw)) == 1


class Day:
    """What happens to a file while it is followed: one thing each time the reader pauses."""

    def __init__(self, *happenings: Any) -> None:
        self._happenings = list(happenings)

    def pause(self, seconds: float) -> None:
        if not self._happenings:
            raise KeyboardInterrupt
        self._happenings.pop(0)()


def followed(path: Path, day: Day) -> list[bytes]:
    def until_over() -> Iterator[bytes]:
        try:
            yield from tail.grow(path, pause=day.pause)
        except KeyboardInterrupt:
            return

    return list(until_over())


def append(path: Path, text: str) -> Any:
    def happen() -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)

    return happen


def test_a_file_is_followed_as_it_grows_even_by_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\n")
    day = Day(append(path, "tw"), append(path, "o\n"))
    assert followed(path, day) == [b"one\n", b"two\n"]


def test_a_file_that_is_rotated_or_cut_is_followed_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\n")

    def rotate() -> None:
        path.rename(tmp_path / "log.1")

    day = Day(
        rotate,
        append(tmp_path / "log.1", "late\n"),
        append(path, "two is longer\n"),
        lambda: path.write_text("cut\n"),
    )
    assert followed(path, day) == [b"one\n", b"late\n", b"two is longer\n", b"cut\n"]


def start(*arguments: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe)


def test_the_first_ctrl_c_leaves_it_showing_how_the_bot_stops() -> None:
    with start() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(TURN).encode() + b"\n")
        process.stdin.flush()
        assert b"turn.committed" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdin.write(b'{"event": "process.stopped"}\n')
        process.stdin.close()
        assert b"process.stopped" in process.stdout.readline()
        assert process.wait() == 0
        assert process.stderr.read() == b""


def test_the_second_ctrl_c_ends_it_quietly() -> None:
    with start() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        for word in (b"one\n", b"two\n"):
            process.stdin.write(word)
            process.stdin.flush()
            assert process.stdout.readline() == word
            process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        assert process.stderr.read() == b""


def test_a_pager_that_quits_ends_it_quietly(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text((json.dumps(TURN) + "\n") * 5000)
    with start(str(log)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_a_file_that_is_not_there_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert tail.run("/nowhere/log") == 1
    assert capsys.readouterr().err == "/nowhere/log cannot be read: No such file or directory.\n"


def test_a_level_that_does_not_exist_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert tail.run("-", level="loud") == 2
    assert "debug, info, warning, error, critical" in capsys.readouterr().err
