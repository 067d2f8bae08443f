"""Webhooks in which anything may be missing or something else."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from tests.support.payloads import ANA, change, contact, envelope, message, status

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a JSON value with each of its keys or indexes."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A webhook in which some parts are missing or have become something else."""
    body = envelope(
        change(
            messages=[message(), message("system", {"type": "user_changed_number", "wa_id": "1"})],
            statuses=[status()],
            contacts=[contact(user_id="US.1349")],
            errors=[{"code": 1}],
        ),
        change("smb_message_echoes", message_echoes=[message(to=ANA)]),
        change("account_update"),
    )
    for _ in range(draw(st.integers(1, 4))):
        found = list(places(body))
        if not found:
            break
        container, key = draw(st.sampled_from(found))
        if isinstance(container, dict) and draw(st.booleans()):
            del container[key]
        else:
            container[key] = draw(json_values)
    return body


def nested(depth: int, leaf: Any = 1) -> Any:
    """Lists in lists."""
    for _ in range(depth):
        leaf = [leaf]
    return leaf


DEEPEST = 600
"""What is nested deeper than about a thousand, no parser of ours reads."""
MANGLED: dict[str, Callable[[Any], Any]] = {
    "gone": lambda _: None,
    "number": lambda _: 7,
    "text": lambda _: "7",
    "truth": lambda _: True,
    "list": lambda value: [value],
    "twice": lambda value: [value, value],
    "object": lambda value: {"value": value},
    "empty list": lambda _: [],
    "empty object": lambda _: {},
    "long": lambda value: (str(value) * 3000)[:100_000],
    "NUL": lambda value: f"\0{value}\0",
    "lone surrogate": lambda value: f"\ud83d{value}",
    "wrong way round": lambda value: f"{value}\ude00\ud83d",
    "deep": lambda value: nested(300, value),
    "very deep": lambda value: nested(500, value),
    "huge": lambda _: 10**400,
    "beyond 64 bits": lambda _: 2**63 + 1,
    "minute": lambda _: 5e-324,
    "below zero": lambda _: -1,
    "format": lambda _: "{0.__class__} %s %n ${x}",
    "control": lambda _: "\x01\x1b[31m\u202e\u2028",
}
"""Ways to make something else of a value."""


@st.composite
def mangled(draw: st.DrawFn, bodies: Callable[[], Sequence[Any]]) -> Any:
    """A body of somebody's in which some keys are missing and some values are something else."""
    stored = bodies()
    body = copy.deepcopy(stored[draw(st.integers(0, len(stored) - 1))])
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(body))
        if not found:
            break
        container, key = draw(st.sampled_from(found))
        if isinstance(container, dict) and draw(st.integers(0, 3)) == 0:
            del container[key]
        else:
            container[key] = MANGLED[draw(st.sampled_from(sorted(MANGLED)))](container[key])
    assume(depth(body) <= DEEPEST)
    return body


def depth(value: Any) -> int:
    """How deep a JSON value is nested."""
    levels, found = 0, [value]
    while found:
        levels += 1
        inner = [one for one in found if isinstance(one, dict | list)]
        found = [each for one in inner for each in (one.values() if isinstance(one, dict) else one)]
    return levels
