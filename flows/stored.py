"""Events of our own making as they lie in the inbox: a kind, and JSON.

A kind is the name of the event's class in snake case, so that a new internal event is a new
dataclass in flows.events and nothing else. What is stored outlives deploys: unknown fields are
ignored on reading, a field that is missing or null has its default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, cast, get_args

from pydantic import TypeAdapter, ValidationError

from flows.errors import UnknownEvent
from flows.events import Internal

_CAPITAL: Final = re.compile(r"(?<=.)(?=[A-Z])")


def kind_of(event: type[Internal]) -> str:
    """Return the kind that events of a class are stored as."""
    return _CAPITAL.sub("_", event.__name__).lower()


_CLASSES: Final[tuple[type[Internal], ...]] = get_args(Internal)
_KINDS: Final[Mapping[type[Internal], str]] = {cls: kind_of(cls) for cls in _CLASSES}
_BY_KIND: Final[Mapping[str, type[Internal]]] = {kind: cls for cls, kind in _KINDS.items()}
_ADAPTERS: Final[Mapping[type[Internal], TypeAdapter[Internal]]] = {
    cls: TypeAdapter(cls) for cls in _CLASSES
}
_OPTIONAL: Final[Mapping[type[Internal], frozenset[str]]] = {
    cls: frozenset(
        one.name
        for one in fields(cls)
        if one.default is not MISSING or one.default_factory is not MISSING
    )
    for cls in _CLASSES
}


def dump_event(event: Internal) -> tuple[str, dict[str, Any]]:
    """Return an internal event as its kind and JSON-ready values."""
    cls = type(event)
    return _KINDS[cls], cast(dict[str, Any], _ADAPTERS[cls].dump_python(event, mode="json"))


def load_event(kind: str, stored: Mapping[str, Any]) -> Internal:
    """Read a stored event.

    UnknownEvent when no internal event has this kind, as when a newer program wrote it, or what is
    stored is not enough for it.
    """
    cls = _BY_KIND.get(kind)
    if cls is None:
        raise UnknownEvent(f"no event is stored as {kind!r:.60}")
    given = {
        name: value
        for name, value in stored.items()
        if value is not None or name not in _OPTIONAL[cls]
    }
    try:
        return _ADAPTERS[cls].validate_python(given)
    except ValidationError as error:
        wrong = ", ".join(sorted({str(e["loc"][0]) for e in error.errors() if e["loc"]}))
        raise UnknownEvent(f"{kind} cannot be read: {wrong}") from None
