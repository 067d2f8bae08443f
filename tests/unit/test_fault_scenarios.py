"""Every known kind of disaster has a test, and can be found by its number: grep for `mark.fault`.

The numbers are those of a table of 26 that is kept beside the checkout, where somebody has it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.checkout import CHECKOUT, modules

TABLE = CHECKOUT.parent / "shared" / "facts" / "FAULTS.md"
NUMBERS = range(1, 27)
NAMED = ("cancelled", "descriptors", "frozen loop", "memory")
"""What is in no table: cancelled at every await, nothing left of something, nothing runs."""


@cache
def marks() -> dict[int | str, set[str]]:
    """Which tests go through which disaster, as their marks have it."""
    found: dict[int | str, set[str]] = {}
    for module in modules("tests"):
        for test, which in _marked(module):
            found.setdefault(which, set()).add(f"{module}::{test}")
    return found


def _marked(module: Path) -> Iterator[tuple[str, int | str]]:
    tree = ast.parse((CHECKOUT / module).read_text(encoding="utf-8"))
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault":
                yield from ((node.name, ast.literal_eval(one)) for one in mark.args)


@pytest.mark.parametrize("which", [*NUMBERS, *NAMED])
def test_every_disaster_has_a_test(which: int | str) -> None:
    assert marks().get(which)


def test_no_mark_names_what_is_not_known() -> None:
    assert set(marks()) <= {*NUMBERS, *NAMED}


def test_only_tests_are_marked() -> None:
    marked = {one.rpartition("::")[2] for tests in marks().values() for one in tests}
    assert [name for name in marked if not name.startswith("test_")] == []


@pytest.mark.skipif(not TABLE.exists(), reason="the table of disasters is not beside the checkout")
def test_the_table_has_no_other_numbers() -> None:
    text = TABLE.read_text(encoding="utf-8")
    assert [int(n) for n in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == list(NUMBERS)
