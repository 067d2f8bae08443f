"""Where things stand in a JSON text: for errors that name a line and a column."""

import json
import re
from typing import Any

Path = tuple[str | int, ...]
BLANK = re.compile(r"[ \t\r\n]*")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
PLAIN = re.compile(r"[^\s,\]}]+")


class Places:
    """The places of all values of a text that is valid JSON, by the path to each."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: dict[Path, tuple[int, int]] = {}
        self._value(())

    def of(self, path: Path) -> dict[str, Any]:
        """Lines and columns of a value, from 1; those of what holds it when it is not there."""
        while path not in self._found:
            path = path[:-1]
        start, end = self._found[path]
        last = max(start, end - 1)
        return {
            "line_start": self._line(start),
            "line_end": self._line(last),
            "column_start": self._column(start),
            "column_end": self._column(last),
        }

    def _line(self, at: int) -> int:
        return self._text.count("\n", 0, at) + 1

    def _column(self, at: int) -> int:
        return at - self._text.rfind("\n", 0, at)

    def _value(self, path: Path) -> None:
        self._skip()
        start = self._at
        match self._text[start]:
            case "{":
                self._members(path)
            case "[":
                self._items(path)
            case '"':
                self._string()
            case _:
                self._at = self._end_of(PLAIN)
        self._found[path] = (start, self._at)

    def _members(self, path: Path) -> None:
        self._at += 1
        while self._next("}"):
            name = self._string()
            self._skip()
            self._at += 1  # the colon
            self._value((*path, name))

    def _items(self, path: Path) -> None:
        self._at += 1
        number = 0
        while self._next("]"):
            self._value((*path, number))
            number += 1

    def _next(self, closing: str) -> bool:
        """Go to the next part; False behind the last one."""
        self._skip()
        char = self._text[self._at]
        if char in {",", closing}:
            self._at += 1
            self._skip()
        return char != closing

    def _string(self) -> str:
        start, self._at = self._at, self._end_of(STRING)
        return str(json.loads(self._text[start : self._at], strict=False))

    def _skip(self) -> None:
        self._at = self._end_of(BLANK)

    def _end_of(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        return found.end() if found else self._at
