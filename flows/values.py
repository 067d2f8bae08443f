"""Classes of the values that turns make: dataclasses that nobody may change, as mypy sees to.

To keep that up at run time as well makes an object take four times as long, and a turn makes
hundreds of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as valueclass
else:

    def valueclass(*, frozen: bool, **options: Any) -> Any:
        """`dataclass(frozen=True, ...)`, which does not look who assigns to a field."""
        if not frozen:
            raise TypeError("a value is frozen")

        def made(cls: type) -> type:
            # As a frozen one would be, unless the class says itself how it is hashed.
            return dataclass(**options, unsafe_hash="__hash__" not in cls.__dict__)(cls)

        return made


__all__ = ["valueclass"]
