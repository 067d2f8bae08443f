"""How far a demo's clock was moved, told to the commands that look at the same database.

A demo notes it in a file of DATA_DIR whenever the clock moves and when it starts again; a bot that
goes by the real time forgets it. The file names its database, so that one folder may serve several.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from bot.settings import Settings
from storage.clock import Clock, ShiftedClock, system_clock


class Moved(BaseModel):
    """What the file holds."""

    database: str
    ahead: timedelta


def note(settings: Settings, ahead: timedelta) -> None:
    """Have commands go by a clock that is so far ahead, with the settings before `servers`."""
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(Moved(database=_name(settings), ahead=ahead).model_dump_json())
    os.replace(unfinished, path)


def forget(settings: Settings) -> None:
    """Have commands go by the real time."""
    if _ahead(settings):
        _path(settings).unlink(missing_ok=True)


def clock_of(settings: Settings) -> Clock:
    """The clock by which these settings' database lives."""
    ahead = _ahead(settings)
    return ShiftedClock(offset=ahead) if ahead else system_clock


def _ahead(settings: Settings) -> timedelta:
    try:
        found = Moved.model_validate_json(_path(settings).read_bytes())
    except (OSError, ValidationError):
        return timedelta()
    return found.ahead if found.database == _name(settings) else timedelta()


def _path(settings: Settings) -> Path:
    return settings.data_dir / "clock.json"


def _name(settings: Settings) -> str:
    """Name a database without its password; the embedded one, whose port changes, by nothing."""
    if settings.database_url is None:
        return ""
    parts = urlsplit(settings.database_url.get_secret_value())
    return f"{parts.hostname}:{parts.port or 5432}{parts.path}"
