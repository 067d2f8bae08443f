"""Where the project lies, and the code in it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[2]


def modules(*rooms: str) -> list[Path]:
    """Every Python file of these top-level folders, as a path in the checkout."""
    found = [path for room in rooms for path in sorted((CHECKOUT / room).rglob("*.py"))]
    return [path.relative_to(CHECKOUT) for path in found]
