"""Values out of JSON in which anything may stand anywhere: all of these take any JSON value."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

_LONGEST_NAME: Final = 256
_LONGEST_PHONE: Final = 20
_AHEAD: Final = timedelta(minutes=5)
_FIRST: Final = datetime(2009, 1, 1, tzinfo=UTC)  # there was no WhatsApp before
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ().-]*")
_NOT_DIGITS: Final = re.compile(r"[^0-9]")


def listed(value: Any) -> list[Any]:
    """What should be a list: nothing is an empty one, anything else a list of it."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def mapped(value: Any) -> dict[str, Any]:
    """What should be an object: anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str:
    """What should be text: anything else is empty."""
    return value if isinstance(value, str) else ""


def identifier(value: Any) -> str | None:
    """An id, as a number or as text; a digest takes the place of one too long for an index."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        return None
    return value if len(value) <= _LONGEST_NAME else digest(value)


def name(value: Any) -> str | None:
    """What somebody calls themselves."""
    return text(value)[:_LONGEST_NAME] or None


def phone(value: Any) -> str | None:
    """The digits of a phone number; None for anything else."""
    found = identifier(value)
    if found is None or not _PHONE.fullmatch(found):
        return None
    digits = _NOT_DIGITS.sub("", found)
    return digits if len(digits) <= _LONGEST_PHONE else None


def moment(value: Any, received_at: datetime) -> datetime:
    """Seconds since 1970, as a number or as text; `received_at` for what cannot be the time."""
    try:
        found = datetime.fromtimestamp(int(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return received_at
    return found if _FIRST <= found <= received_at + _AHEAD else received_at


def digest(value: Any) -> str:
    """32 hex digits that stand for a value, whatever the order of its keys."""
    whole = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(whole).hexdigest()[:32]
