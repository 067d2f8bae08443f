"""Commands go by the clock of the demo whose database they look at, and of no other."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import moved_clock
from bot.settings import Settings
from storage.clock import shift_of

AHEAD = timedelta(days=3, hours=2)
HERE = "postgresql://usual:one@db.example/usual"


def settings(folder: Path, database_url: str | None) -> Settings:
    values: dict[str, Any] = {"_env_file": None, "data_dir": folder, "database_url": database_url}
    return Settings(**values)


def ahead(folder: Path, database_url: str | None) -> timedelta:
    """How far ahead commands with such settings are."""
    return shift_of(moved_clock.clock_of(settings(folder, database_url)))


@pytest.mark.parametrize("database_url", [None, HERE])
def test_a_moved_clock_is_that_of_one_database(tmp_path: Path, database_url: str | None) -> None:
    folder = tmp_path / "not yet there"
    moved_clock.note(settings(folder, database_url), AHEAD)
    assert ahead(folder, database_url) == AHEAD
    for other in {None, HERE, "postgresql://db.example/other"} - {database_url}:
        moved_clock.forget(settings(folder, other))
        assert ahead(folder, other) == timedelta()
    assert ahead(folder, database_url) == AHEAD


def test_a_database_is_known_by_its_address_and_the_file_holds_no_password(tmp_path: Path) -> None:
    moved_clock.note(settings(tmp_path, HERE), AHEAD)
    assert (
        ahead(tmp_path, "postgresql://usual:changed@db.example:5432/usual?pooler=transaction")
        == AHEAD
    )
    (file,) = tmp_path.iterdir()
    assert "one" not in file.read_text()


def test_the_time_is_real_where_nobody_moved_it(tmp_path: Path) -> None:
    assert ahead(tmp_path, None) == timedelta()
    moved_clock.note(settings(tmp_path, None), AHEAD)
    moved_clock.forget(settings(tmp_path, None))
    assert ahead(tmp_path, None) == timedelta()
    (tmp_path / "clock.json").write_text("{}")
    assert ahead(tmp_path, None) == timedelta()
