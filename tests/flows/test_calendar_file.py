"""The calendar file that goes with a booking."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from flows.calendar_file import calendar_file
from tests.support.chat import Chat
from tests.support.salon import Salon

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
VISIT = Salon().book(1, 1, 1, datetime(2026, 11, 21, 16, tzinfo=UTC))


def lines(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def unescaped(line: str) -> str:
    value = line.split(":", 1)[1]
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), value)


def test_the_file_says_what_when_and_where() -> None:
    file = calendar_file(VISIT, summary="Women's cut, Salon Lumi", place="12 Main St", now=NOW)
    assert (file.filename, file.mime_type) == ("visit.ics", "text/calendar")
    read = lines(file.content)
    assert read[0] == "BEGIN:VCALENDAR"
    assert read[-2:] == ["END:VCALENDAR", ""]
    assert "DTSTART:20261121T160000Z" in read
    assert "DTEND:20261121T170000Z" in read
    assert f"UID:{VISIT.id}" in read
    assert r"SUMMARY:Women's cut\, Salon Lumi" in read
    assert "LOCATION:12 Main St" in read


def test_a_moved_visit_replaces_what_the_calendar_has() -> None:
    moved = calendar_file(replace(VISIT, moves=2), summary="x", place="", now=NOW)
    read = lines(moved.content)
    assert f"UID:{VISIT.id}" in read
    assert "SEQUENCE:2" in read
    assert not [line for line in read if line.startswith("LOCATION")]


@given(st.text(max_size=300))
def test_any_name_survives_and_no_line_is_too_long(name: str) -> None:
    file = calendar_file(VISIT, summary=name, place=name, now=NOW)
    assert file.content.endswith("END:VCALENDAR\r\n")
    for line in file.content.split("\r\n"):
        assert len(line.encode("utf-8", "replace")) <= 75
        assert not [char for char in line if char < " "]
    summary = next(line for line in lines(file.content) if line.startswith("SUMMARY:"))
    kept = "".join(c for c in "\n".join(name.splitlines()) if c >= " " or c == "\n")
    assert unescaped(summary) == kept


def test_every_booking_and_every_move_brings_the_file() -> None:
    chat = Chat(Salon())
    chat.type("women's cut with becky on wednesday at 11")
    chat.tap("Book it")
    assert chat.last.attachment is not None
    chat.tap("Change")
    chat.tap("Fri, Nov 27")
    chat.tap("2:00 PM")
    chat.tap("Move it")
    assert chat.last.attachment is not None
    assert "SEQUENCE:1" in chat.last.attachment.content
