"""The JSON of a webhook's body, as something that PostgreSQL can hold.

WebhookError      the peer's fault; never retryable
└── Malformed     the body is not JSON, or not an object
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar, Final, NoReturn

import orjson

_NESTED_ENOUGH: Final = 200  # with fewer brackets than that, nothing can be nested too deeply
_WRAPPINGS: Final = 8  # what is put around a part of a body until it is stored
_DEEPEST: Final = 100  # Meta nests a dozen deep
_TOO_DEEP: Final = "nested too deeply"
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class WebhookError(Exception):
    """The request is not one that Meta would make."""

    retryable: ClassVar[bool] = False


class Malformed(WebhookError):
    """The body is not a JSON object."""


def parse(body: bytes) -> dict[str, Any]:
    """Parse a body; raises Malformed.

    NUL goes, and half a surrogate pair becomes U+FFFD, since jsonb takes neither; what is nested
    deeper than can be stored gives way to a word, for its neighbours' sake; all else stays.
    """
    try:
        parsed = orjson.loads(body)
        is_clean = b"\\u0000" not in body
    except orjson.JSONDecodeError:
        parsed = _parse_slowly(body)
        is_clean = False
    if not isinstance(parsed, dict):
        raise Malformed("not an object")
    if body.count(b"{") + body.count(b"[") > _NESTED_ENOUGH and not _can_be_written(parsed):
        parsed = _pruned(parsed, _DEEPEST)
    cleaned: dict[str, Any] = parsed if is_clean else _clean(parsed)
    return cleaned


def _parse_slowly(body: bytes) -> Any:
    """What orjson is too strict for: halves of surrogate pairs, numbers beyond a double."""
    try:
        return json.loads(
            body.decode(), parse_constant=_refuse, parse_int=_number, parse_float=_number
        )
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except ValueError:
        raise Malformed("not JSON") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _number(literal: str) -> Any:
    """The number as orjson reads it, or its digits where it cannot."""
    try:
        return orjson.loads(literal)
    except orjson.JSONDecodeError:
        return literal


def _clean(value: Any) -> Any:
    match value:
        case str():
            return _LONE_SURROGATE.sub("\ufffd", value.replace("\0", ""))
        case dict():
            return {_clean(key): _clean(item) for key, item in value.items()}
        case list():
            return [_clean(item) for item in value]
        case _:
            return value


def _can_be_written(parsed: Any) -> bool:
    """orjson reads deeper than it writes: what it writes with a margin can be stored."""
    wrapped = parsed
    for _ in range(_WRAPPINGS):
        wrapped = [wrapped]
    try:
        orjson.dumps(wrapped)
    except TypeError:
        return False
    return True


def _pruned(value: Any, levels: int) -> Any:
    """The same without what is more than so many levels down."""
    if not isinstance(value, dict | list):
        return value
    if levels == 0:
        return _TOO_DEEP
    if isinstance(value, dict):
        return {key: _pruned(item, levels - 1) for key, item in value.items()}
    return [_pruned(item, levels - 1) for item in value]
