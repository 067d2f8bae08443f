"""The loader of named queries, and what every file in sql/queries must keep to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import storage
from storage import queries
from storage.queries import Module, Query, parse
from storage.sqltext import statements, tokens

EVERY = [query for module in queries.ALL.values() for query in module.values()]


def the_query(body: str, kind: str = "many") -> Query:
    (query,) = parse("inbox", f"-- name: claim :{kind}\n{body}")
    return query


def sent(body: str) -> str:
    return the_query(body).sql.removeprefix("/* inbox.claim */ ")


def test_parameters_are_numbered_in_order_of_appearance_and_reused() -> None:
    query = the_query("SELECT @now::date, @batch, @now")
    assert query.sql == "/* inbox.claim */ SELECT $1::date, $2, $1"
    assert query.params == ("now", "batch")


@pytest.mark.parametrize(
    "text",
    [
        "'mail @now'",
        "'it''s @now'",
        r"E'it\'s @now'",
        '"@now"',
        "$$ @now $$",
        "$body$ $$ @now $$ $body$",
        "1 -- @now",
        "1 /* @now /* nested @now */ @now */",
        "a @> b",
        "a <@ b",
        "a @@ b",
        "a @? '$.now'",
        "@ -5",
        "mail@ now",
    ],
)
def test_what_only_looks_like_a_parameter_is_left_alone(text: str) -> None:
    query = the_query(f"SELECT {text}")
    assert query.params == ()
    assert query.sql.endswith(text)


def test_a_parameter_may_stand_beside_operators_that_contain_an_at_sign() -> None:
    assert sent("SELECT a @> @b, @c <@ d, (@e), @f::jsonb @? @g") == (
        "SELECT a @> $1, $2 <@ d, ($3), $4::jsonb @? $5"
    )


@pytest.mark.parametrize("text", ["a=@b", "a <@b", "a @@b", "a||@b", "@Now"])
def test_an_operator_that_swallows_the_at_sign_of_a_parameter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="put a space"):
        the_query(f"SELECT {text}")


def test_the_comment_below_the_header_says_why_and_is_not_sent() -> None:
    query = the_query("-- Two workers never\n-- take the same.\nSELECT 1 -- one\n;\n-- next\n")
    assert query.why == "Two workers never take the same."
    assert query.sql == "/* inbox.claim */ SELECT 1 -- one"


def test_a_semicolon_in_a_string_ends_nothing() -> None:
    assert sent("SELECT ';', $$;$$;") == "SELECT ';', $$;$$"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT 1;", "line 1: SQL without a name"),
        ("-- name: claim\nSELECT 1", "line 1: a header is"),
        ("-- name: claim :all\nSELECT 1", "line 1: a header is"),
        ("-- name: Claim :one\nSELECT 1", "line 1: a header is"),
        ("-- name: claim :one\n-- why\n", "line 1: there is no statement"),
        ("-- name: claim :one\n;", "line 1: there is no statement"),
        ("\n-- name: claim :one\nSELECT 1; SELECT 2", "line 2: there is more than one"),
        ("-- name: claim :one\nSELECT $1", r"line 1: write @name instead of \$1"),
        ("-- name: a :one\nSELECT 1;\n-- name: a :one\nSELECT 2", "line 3: there is a second"),
        ("-- name: a :one\nSELECT 1 /* and", "has no end"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse("inbox", text)


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ({}, "inbox.claim lacks a, b"),
        ({"a": 1}, "inbox.claim lacks b"),
        ({"a": 1, "b": 2, "c": 3}, "inbox.claim does not take c"),
        ({"a": 1, "c": 3}, "inbox.claim lacks b and does not take c"),
    ],
)
async def test_a_call_names_the_arguments_it_forgot_or_made_up(
    args: dict[str, int], complaint: str
) -> None:
    query = the_query("SELECT @a + @b", kind="value")
    with pytest.raises(TypeError, match=f"^{complaint}$"):
        await query.value(None, **args)  # type: ignore[arg-type]  # it does not get that far


def test_a_misspelt_name_is_answered_with_the_right_one() -> None:
    module = Module("inbox", parse("inbox", "-- name: receive :exec\nDELETE FROM inbox"))
    with pytest.raises(KeyError, match=r"inbox\.sql has no query recieve; did you mean receive"):
        module["recieve"]
    with pytest.raises(KeyError, match=r"there is no sql/queries/nowhere\.sql"):
        queries.of("nowhere")


def test_tokens_joined_together_are_the_text_again() -> None:
    text = "SELECT E'\\'', $x$ ' $x$, \"a\"\"b\", 1.5e3, 'ж' /* a /* b */ c */ -- d\n; @é §"
    assert "".join(token.text for token in tokens(text)) == text


def test_statements_end_at_semicolons_of_their_own() -> None:
    function = (
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC "
        "SELECT CASE WHEN true THEN 1 END; SELECT 2; END"
    )
    text = f"-- first\nSELECT ';';\n{function};\n;; -- nothing\nDO $$ BEGIN NULL; END $$"
    assert statements(text) == [
        "-- first\nSELECT ';'",
        function,
        "-- nothing\nDO $$ BEGIN NULL; END $$",
    ]


# What follows is about the project's own files.


@dataclass(frozen=True, slots=True)
class Call:
    """`Q["claim"].many(conn, now=…)` somewhere in storage."""

    where: str
    query: str
    kind: str
    args: frozenset[str | None]


@dataclass(frozen=True, slots=True)
class Source:
    """A module of storage, and the names it has for modules of queries."""

    name: str
    tree: ast.Module
    bound: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Source:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bound = {
            ast.unparse(node.targets[0]): ast.literal_eval(node.value.args[0])
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.value.func) == "queries.of"
        }
        return cls(path.name, tree, bound)

    def query(self, node: ast.AST) -> str | None:
        """Which query an expression like `Q["claim"]` is."""
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            module = self.bound.get(ast.unparse(node.value))
            return f"{module}.{node.slice.value!s}" if module else None
        return None

    def used(self) -> set[str]:
        """Queries that are named as `Q["claim"]`."""
        return {name for node in ast.walk(self.tree) if (name := self.query(node))}

    def mentioned(self) -> set[str]:
        """Queries that a variable may pass on to `Q[query]`: their names stand somewhere here."""
        nodes = ast.walk(self.tree)
        words = {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
        return {f"{module}.{word}" for module in self.bound.values() for word in words}

    def calls(self) -> Iterator[Call]:
        for node in ast.walk(self.tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if name := self.query(node.func.value):
                args = frozenset(keyword.arg for keyword in node.keywords)
                yield Call(f"{self.name}:{node.lineno}", name, node.func.attr, args)


SOURCES = [Source.read(path) for path in sorted(Path(storage.__file__).parent.rglob("*.py"))]
USED = set().union(*(source.used() for source in SOURCES))
MENTIONED = set().union(*(source.mentioned() for source in SOURCES))
CALLS = [call for source in SOURCES for call in source.calls()]


@pytest.mark.parametrize("query", EVERY, ids=lambda query: query.name)
def test_every_query_says_why_it_is_as_it_is(query: Query) -> None:
    assert query.why


@pytest.mark.parametrize("query", EVERY, ids=lambda query: query.name)
def test_every_query_is_used(query: Query) -> None:
    assert query.name in USED | MENTIONED


def test_every_query_that_is_used_exists() -> None:
    assert {query.name for query in EVERY} >= USED


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.where} {call.query}")
def test_every_call_of_a_query_fits_it(call: Call) -> None:
    query = next(query for query in EVERY if query.name == call.query)
    assert call.kind == query.kind
    if None not in call.args:  # `**args` is for the run to judge
        assert call.args == set(query.params)
