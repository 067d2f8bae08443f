"""Webhooks in which anything may be missing or something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
