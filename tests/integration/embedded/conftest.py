"""Folders for servers; in none of them may anything run when a test is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.embedded_servers import passable_folder, processes_in


@pytest.fixture(scope="module")
def shared_folder() -> Iterator[Path]:
    with passable_folder() as folder:
        yield folder


@pytest.fixture
def folder(shared_folder: Path) -> Iterator[Path]:
    """A folder in which servers may have been before: making them anew takes a while."""
    yield shared_folder / "data"
    assert not processes_in(shared_folder)


@pytest.fixture
def new_folder() -> Iterator[Path]:
    """A folder in which no server has been."""
    with passable_folder() as folder:
        yield folder / "data"
        assert not processes_in(folder)
