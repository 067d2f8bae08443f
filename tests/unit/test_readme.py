"""The README is short and true: every name in it exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from bot import metrics
from bot.cli import app
from bot.settings import Settings
from tests.support.checkout import CHECKOUT

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", README, re.MULTILINE))
COMMANDS = sorted(
    set(re.findall(r"\busual ([a-z]+(?:-[a-z]+)*(?: (?:add|list|load|demo))?)", README))
)
SERIES = sorted(set(re.findall(r"\busual_[a-z_]+", README)))
PATHS = sorted(set(re.findall(r"`((?:bot|flows|storage|sql|tests)/[\w./-]*)", README)))
TARGETS = sorted(set(re.findall(r"\bmake ([a-z]+)\b(?=[ `]*(?:#|`))", README)))


def test_it_is_short() -> None:
    assert README.count("\n") <= 150


def test_its_table_has_every_setting_and_no_other() -> None:
    assert set(ROWS) == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("variable", ROWS)
def test_it_knows_what_holds_when_a_variable_is_unset(variable: str) -> None:
    default: Any = Settings.model_fields[variable.lower()].default
    shown = re.findall(r"`([^`]*)`", ROWS[variable])
    match default:
        case int() | float():
            assert [float(value) for value in shown] == [default]
        case str() if default:
            assert shown == [default]
        case _:
            assert not shown or variable == "DATA_DIR"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_it_names_exists(command: str) -> None:
    found: Any = get_command(app)
    for word in command.split():
        assert isinstance(found, typer.core.TyperGroup), command
        assert word in found.commands, command
        found = found.commands[word]


@pytest.mark.parametrize("series", SERIES)
def test_every_series_it_names_is_measured(series: str) -> None:
    names = {metric.name for metric in metrics.REGISTRY.collect()}
    assert series in names or series.removesuffix("_total") in names


@pytest.mark.parametrize("path", PATHS)
def test_every_file_it_names_is_there(path: str) -> None:
    assert (CHECKOUT / path).exists() or "<" in README.split(path, 1)[1][:1]


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_it_names_is_there(target: str) -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_its_picture_is_there_and_small() -> None:
    (picture,) = re.findall(r'<img src="([^"]+)"', README)
    assert Path(CHECKOUT / picture).stat().st_size < 300_000
