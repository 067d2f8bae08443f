"""The parts of reply ids: how their fields are written and read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


def whole(text: str) -> int:
    """Read a number of ASCII digits; ValueError when it is none."""
    if not (len(text) <= _DIGITS and text.isascii() and text.isdigit()):
        raise ValueError
    return int(text)


def _minute(text: str) -> datetime:
    return _EPOCH + whole(text) * _MINUTE


def _day(text: str) -> date:
    number = whole(text)
    return date(number // 10000, number // 100 % 100, number % 100)


def _uuid(text: str) -> UUID:
    if len(text) != 32:
        raise ValueError
    return UUID(hex=text)


def _language(text: str) -> str:
    if not _TAG(text):
        raise ValueError
    return text


_DIGITS: Final = 19
_TAG = re.compile(r"[A-Za-z]{2,3}(_[A-Za-z0-9]{2,8}){0,2}").fullmatch

_CODECS: Mapping[str, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    "int": (str, whole),
    "int | None": (lambda id_: str(id_ or 0), lambda text: whole(text) or None),
    "str": (str, _language),
    "date": (lambda day: day.isoformat().replace("-", ""), _day),
    "datetime": (lambda moment: str((moment - _EPOCH) // _MINUTE), _minute),
    "UUID": (lambda uuid: uuid.hex, _uuid),
    "UUID | None": (lambda uuid: uuid.hex, _uuid),
}
_FOLLOWED: Final = {"service_id": "also", "who": "then"}
"""Fields that stand in one part with others that follow."""


Part: TypeAlias = tuple[str, Callable[[Any], Any], str | None]
"""A field, how it is written or read, and the one that may follow in the same part."""


def parts_of(cls: type, way: int) -> tuple[Part, ...]:
    """Return the parts that a reply is written in (way 0), or read from (1)."""
    kinds = {field.name: str(field.type) for field in fields(cls)}
    followed = {name: more for name, more in _FOLLOWED.items() if more in kinds}
    return tuple(
        (name, _CODECS[kind][way], followed.get(name))
        for name, kind in kinds.items()
        if name not in _FOLLOWED.values()
    )
