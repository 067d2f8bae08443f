"""Commands of two words: the second one may also be a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app


def help_of(*words: str) -> str:
    """What a command says of itself, on one line."""
    result = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    return " ".join(result.output.split())


def test_both_ways_to_replay_are_told_of() -> None:
    told = help_of()
    assert "replay transcript" in told
    assert "replay-transcript" not in told
    assert "Play saved chats" in help_of("replay", "transcript")
    assert "Post stored webhooks" in help_of("replay")


def test_a_file_of_that_name_is_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "transcript").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert "Post stored webhooks" in help_of("replay", "transcript")


def test_replaying_nothing_is_an_error_of_usage() -> None:
    for words in (["replay"], ["replay", "transcript"], ["replay", "transcript", "missing.txt"]):
        assert CliRunner().invoke(app, words).exit_code == 2
