"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.checkout import CHECKOUT, modules

ROOMS = ("bot", "flows", "storage")
LONGEST_MODULE = 400
LONGEST_FUNCTION = 35

# The registry lists the flows for those who load states; it takes no step.
NAMES_FLOWS_ONLY = {"flows.machine", "flows.registry"}

SQL_METHODS = {"cursor", "execute", "executemany", "fetch", "fetchrow", "fetchval", "prepare"}
SQL = re.compile(
    r"\s*(SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|WITH|CREATE|ALTER|DROP|TRUNCATE|SET|COPY)\s",
)
# PostgreSQL without clients takes no parameters; the text is a password of ours, in hexadecimal.
BUILDS_SQL = {Path("storage/embedded/servers.py")}

each_module = pytest.mark.parametrize("module", modules(*ROOMS), ids=str)
each_module_or_test = pytest.mark.parametrize("module", modules(*ROOMS, "tests"), ids=str)


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse((CHECKOUT / module).read_text(encoding="utf-8"))


def dotted(module: Path) -> str:
    return ".".join(module.with_suffix("").parts).removesuffix(".__init__")


def imported(module: Path) -> set[str]:
    """What a module imports: `a.b` for `import a.b`; `a` and `a.b` for `from a import b`."""
    names: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def step_modules() -> set[str]:
    """The modules of flows that take steps, known by their use of `Step`."""
    taking = {dotted(m) for m in modules("flows") if "flows.machine.Step" in imported(m)}
    return taking - NAMES_FLOWS_ONLY


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def is_built(node: ast.expr) -> bool:
    """Whether a text is put together when the program runs."""
    match node:
        case ast.JoinedStr():
            return any(isinstance(part, ast.FormattedValue) for part in node.values)
        case ast.BinOp(op=ast.Add() | ast.Mod()):
            return True
        case ast.Call(func=ast.Attribute(attr="format" | "format_map" | "replace")):
            return True
        case _:
            return False


def first_words(node: ast.expr) -> str:
    """The constant text that a built text begins with."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=[first, *_]):
            return first_words(first)
        case ast.BinOp(left=left):
            return first_words(left)
        case ast.Call(func=ast.Attribute(value=value)):
            return first_words(value)
        case _:
            return ""


@each_module_or_test
def test_a_module_can_be_read_in_one_sitting(module: Path) -> None:
    lines = (CHECKOUT / module).read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST_MODULE


@each_module
def test_a_function_fits_on_a_screen(module: Path) -> None:
    for function in functions(module):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        lines = (function.end_lineno or 0) - body[0].lineno + 1 if body else 0
        assert lines <= LONGEST_FUNCTION, f"{module}:{function.lineno} {function.name}"


@each_module
def test_a_module_says_what_it_is(module: Path) -> None:
    assert ast.get_docstring(tree(module)) or module.name == "__init__.py"


@pytest.mark.parametrize("module", modules("flows"), ids=str)
def test_flows_wait_for_nothing(module: Path) -> None:
    waiting = ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith
    found = [node for node in ast.walk(tree(module)) if isinstance(node, waiting)]
    assert not found


@each_module
def test_only_the_engine_knows_both_steps_and_storage(module: Path) -> None:
    names = imported(module)
    knows_storage = module.parts[0] == "storage" or any(
        name == "storage" or name.startswith("storage.") for name in names
    )
    if knows_storage and names & step_modules():
        assert module == Path("bot/engine.py")


@pytest.mark.parametrize("module", modules("bot", "storage"), ids=str)
def test_sql_is_never_put_together(module: Path) -> None:
    if module in BUILDS_SQL:
        return
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.expr) and is_built(node):
            assert not SQL.match(first_words(node)), f"{module}:{node.lineno}"
        match node:
            case ast.Call(func=ast.Attribute(attr=method), args=[query, *_]) if (
                method in SQL_METHODS
            ):
                assert not is_built(query), f"{module}:{node.lineno}"


@pytest.mark.parametrize(
    "module",
    [m for m in modules("tests") if m.parts[:2] != ("tests", "support")],
    ids=str,
)
def test_our_own_code_is_never_mocked(module: Path) -> None:
    assert not {name for name in imported(module) if re.match(r"(unittest\.)?mock\b", name)}
    patched = [
        node
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute) and node.attr == "setattr"
    ]
    assert not patched
