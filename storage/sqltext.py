"""SQL as a sequence of tokens: enough to tell code from strings and comments, no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""
      (?P<space>    \s+ )
    | (?P<comment>  --[^\n]* | /\* )    # the end of a block is found by hand: they nest
    | (?P<string>   [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
                    | (?P<tag>\$(?:[^\W\d]\w*)?\$) .*? (?P=tag) )
    | (?P<param>    @[a-z_]\w* )
    | (?P<position> \$\d+ )
    | (?P<word>     [^\W\d][\w$]* )
    | (?P<number>   \d[\w.]* )
    | (?P<operator> (?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?])+ )
    | (?P<other>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE: Final = re.compile(r"/\*|\*/")


class Token(NamedTuple):
    """A piece of SQL: space, comment, string, param, position, word, number, operator, other."""

    kind: str
    text: str
    start: int


def tokens(sql: str) -> Iterator[Token]:
    """Cut `sql` into tokens; joined together they are `sql` again.

    A quoted name counts as a string; `@name` is a param unless an operator sign stands before it.
    """
    at = 0
    while found := _TOKEN.match(sql, at):
        end = _end_of_block(sql, at) if found[0] == "/*" else found.end()
        yield Token(found.lastgroup or "other", sql[at:end], at)
        at = end


def _end_of_block(sql: str, start: int) -> int:
    depth = 0
    for edge in _BLOCK_EDGE.finditer(sql, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise ValueError("a comment that begins with /* has no end")


def statements(sql: str) -> list[str]:
    """Cut `sql` at the semicolons that end its statements; those with nothing but comments go."""
    found: list[str] = []
    piece: list[str] = []
    depth = 0  # of BEGIN ATOMIC … END, the only place where a semicolon does not end a statement
    before, has_code = "", False
    for token in tokens(sql):
        word = token.text.upper() if token.kind == "word" else ""
        if word == "ATOMIC" and before == "BEGIN":
            depth = 1
        elif depth and word in {"CASE", "END"}:
            depth += 1 if word == "CASE" else -1
        if token.text == ";" and not depth:
            if has_code:
                found.append("".join(piece).strip())
            piece, has_code = [], False
            continue
        piece.append(token.text)
        if token.kind not in {"space", "comment"}:
            before, has_code = word, True
    if has_code:
        found.append("".join(piece).strip())
    return found


def line_of(sql: str, offset: int) -> int:
    """The line, counted from 1, on which `offset` lies."""
    return sql.count("\n", 0, offset) + 1
