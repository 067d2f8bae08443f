"""A visit as a calendar file (RFC 5545) that phones and computers open."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from flows.effects import Attachment
from flows.model import Visit

_LINE: Final = 75  # octets, without the line break


def calendar_file(visit: Visit, *, summary: str, place: str, now: datetime) -> Attachment:
    """Return the file of a visit; a moved visit replaces what the calendar has of it."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Usual//Visits//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{visit.id}",
        f"SEQUENCE:{visit.moves}",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(visit.start)}",
        f"DTEND:{_utc(visit.end)}",
        f"SUMMARY:{_escaped(summary)}",
        *([f"LOCATION:{_escaped(place)}"] if place else []),
        f"DESCRIPTION:{_escaped(visit.code)}",
        "STATUS:CONFIRMED",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    content = "".join(_folded(line) for line in lines)
    return Attachment("visit.ics", "text/calendar", content)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    text = "\n".join(text.splitlines())
    for char in ("\\", ";", ","):
        text = text.replace(char, "\\" + char)
    text = text.replace("\n", "\\n")
    return "".join(char for char in text if char >= " ")


def _folded(line: str) -> str:
    """Break a line into pieces of at most 75 octets, between characters."""
    if len(line.encode("utf-8", "replace")) <= _LINE:
        return f"{line}\r\n"
    pieces, room, piece = [], _LINE, ""
    for char in line:
        size = len(char.encode("utf-8", "replace"))
        if size > room:
            pieces.append(piece)
            piece, room = "", _LINE - 1  # a continued line begins with a space
        piece += char
        room -= size
    return "\r\n ".join([*pieces, piece]) + "\r\n"
