"""The JSON of a webhook's body: what cannot be stored is cleaned, what is no object is refused."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bot.whatsapp.bodies import Malformed, parse


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (rb'{"a":"x\u0000y"}', {"a": "xy"}),
        (rb'{"a\u0000":{"b":["\u0000"]}}', {"a": {"b": [""]}}),
        (rb'{"a":"\\u0000"}', {"a": "\\u0000"}),
        (rb'{"a":"\ud83d"}', {"a": "\ufffd"}),
        (rb'{"a":"\ude00\u0000 \ud83d\ude00"}', {"a": "\ufffd \U0001f600"}),
        (b'{"a":1e400}', {"a": "1e400"}),
        (
            rb'{"a":[1e400,"\ud800",7,1.5,true,null]}',
            {"a": ["1e400", "\ufffd", 7, 1.5, True, None]},
        ),
    ],
)
def test_what_postgresql_cannot_hold_is_cleaned_and_nothing_else(raw: bytes, clean: Any) -> None:
    assert parse(raw) == clean


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"7",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity,"b":"\\ud800"}',
        b'{"a":"\xff"}',
        b'{"a":"\x00"}',
        b"\xef\xbb\xbf{}",
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":"\\ud800","b":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_json_object_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse(raw)


@pytest.mark.parametrize(
    "deep",
    [
        b"[" * 300 + b"]" * 300,
        b"[" * 800 + rb'"\u0000"' + b"]" * 800,
        b"[" * 400 + rb'"\ud800"' + b"]" * 400,
        b'{"a":' * 250 + b"1" + b"}" * 250,
    ],
)
def test_what_is_nested_too_deeply_does_not_take_its_neighbours_along(deep: bytes) -> None:
    parsed = parse(b'{"deep":' + deep + rb',"near":["x\u0000y"]}')
    assert parsed["near"] == ["xy"]
    assert b"nested too deeply" in orjson.dumps([[[[[[[[parsed]]]]]]]])
