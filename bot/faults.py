"""What may be said of an exception: never its text, unless the class is our own.

asyncpg's `str(exc)` quotes values of rows, aiohttp's quotes addresses, and a traceback with locals
prints whatever a function held. Classes of our own packages, by convention, say nothing personal.
"""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final

OUR_PACKAGES: Final = frozenset(("bot", "flows", "storage"))
MOST_FRAMES: Final = 12
MOST_CAUSES: Final = 6

_CHECKOUT: Final = str(Path(__file__).parents[1]) + os.sep
_INSTALLED: Final = f"{os.sep}site-packages{os.sep}"


def describe(exc: BaseException) -> dict[str, Any]:
    """Say of an exception what a log may hold, in keys of a log line.

    `error` (type), `message` (our own classes), `sqlstate`, `constraint`, `errno`, `frames` (as
    `file:line:function`, outermost first), `causes` (what led to it or is grouped in it).
    """
    others = list(_others(exc))[:MOST_CAUSES]
    facts: dict[str, Any] = {"error": type(exc).__name__}
    if is_ours(exc):
        facts["message"] = _text(exc)
    for one in (exc, *others):
        for key, value in _codes(one):
            facts.setdefault(key, value)
    frames = frames_of(exc.__traceback__)
    if frames:
        facts["frames"] = frames
    if others:
        facts["causes"] = [_in_short(one) for one in others]
    return facts


def is_ours(exc: BaseException) -> bool:
    """Whether the class belongs to our packages."""
    return type(exc).__module__.partition(".")[0] in OUR_PACKAGES


def frames_of(trace: TracebackType | None) -> list[str]:
    """Where it went, outermost first; of a long way the middle is left out."""
    frames = [
        f"{place(frame.f_code.co_filename)}:{line}:{frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(trace)
    ]
    if len(frames) > MOST_FRAMES:
        frames[2 : len(frames) - MOST_FRAMES + 3] = ["…"]
    return frames


@lru_cache(maxsize=1024)
def place(filename: str) -> str:
    """A source file, without the folders of this machine."""
    if filename.startswith(_CHECKOUT) and _INSTALLED not in filename:
        return filename.removeprefix(_CHECKOUT)
    if _INSTALLED in filename:
        return filename.rpartition(_INSTALLED)[2]
    return os.sep.join(filename.split(os.sep)[-2:])


def _others(exc: BaseException) -> Iterator[BaseException]:
    """What is grouped in it and what led to it, nearest first, each once."""
    seen, waiting = {id(exc)}, [exc]
    while waiting:
        one = waiting.pop(0)
        led = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        inside = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        for other in (*inside, *((led,) if led else ())):
            if id(other) not in seen:
                seen.add(id(other))
                waiting.append(other)
                yield other


def _codes(exc: BaseException) -> Iterator[tuple[str, str]]:
    sqlstate = getattr(exc, "sqlstate", None)
    if isinstance(sqlstate, str):
        yield "sqlstate", sqlstate
    constraint = getattr(exc, "constraint_name", None) or getattr(exc, "constraint", None)
    if isinstance(constraint, str):
        yield "constraint", constraint
    if isinstance(exc, OSError) and (name := errno.errorcode.get(exc.errno or 0)):
        yield "errno", name


def _in_short(exc: BaseException) -> str:
    said = f" ({_text(exc)})" if is_ours(exc) else ""
    frames = frames_of(exc.__traceback__)
    return f"{type(exc).__name__}{said}" + (f" at {frames[-1]}" if frames else "")


def _text(exc: BaseException) -> str:
    try:
        return str(exc)[:500]
    except Exception:  # a __str__ that fails must not hide what it should have told
        return ""
