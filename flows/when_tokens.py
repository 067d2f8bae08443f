"""The words and numbers of a text about time, each with the codes of its language's vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from flows.plain import folded
from flows.when_words import ENGLISH, VOCABULARIES, Vocabulary

NO_CODES: Final[frozenset[str]] = frozenset()
WEEKDAYS: Final = tuple(f"WD{n}" for n in range(7))
BRIEF: Final = tuple(f"BRIEF{n}" for n in range(7))
MONTHS: Final = tuple(f"MON{n}" for n in range(1, 13))
NUMBERS: Final = tuple(f"N{n}" for n in range(1, 13))
HALVES: Final = tuple(f"HALF{n}" for n in range(1, 13))
ONES: Final = frozenset({"one", "один", "одну"})
_LONGEST: Final = 9  # digits
_TWO: Final = re.compile(r"\b2(day|moro|morrow|mrw|nite|night)\b")
_FOUR: Final = re.compile(
    r"\b4 (?=(?:me|my|us|him|her|a)\b)|(?<=\bbook )4 (?=[a-z])|(?<=\bprice )4 (?=[a-z])"
    r"|(?<=\bappointment )4 (?=[a-z])"
)
_BEFORE: Final = re.compile(r"\bb4\b")
_TWO_VERB: Final = re.compile(r"(?<=need |want |like |able )2 (?=[a-z])|(?<=going )2 (?=[a-z])")
_TWO_FOR_TO: Final = {
    "day": "today",
    "moro": "tomorrow",
    "morrow": "tomorrow",
    "mrw": "tomorrow",
    "nite": "tonight",
    "night": "tonight",
}


class Token(NamedTuple):
    """A word, phrase or number of the text."""

    kind: str  # "number", "ordinal", "clock", "date", "word"
    text: str
    codes: frozenset[str] = NO_CODES
    number: int = -1
    minute: int = 0


def has(tokens: Sequence[Token], at: int, *codes: str) -> bool:
    """Tell whether there is a token at a place and it has one of the codes."""
    return 0 <= at < len(tokens) and not tokens[at].codes.isdisjoint(codes)


def number_at(tokens: Sequence[Token], at: int) -> int | None:
    """Return the number at a place, if there is one."""
    if 0 <= at < len(tokens) and tokens[at].kind in ("number", "ordinal"):
        return tokens[at].number
    return None


def weekday_of(token: Token) -> int:
    """Return which weekday a token names; Monday is 0."""
    return next(n for n in range(7) if not token.codes.isdisjoint((WEEKDAYS[n], BRIEF[n])))


def month_of(token: Token) -> int:
    """Return which month a token names; January is 1."""
    return next(n for n, code in enumerate(MONTHS, 1) if code in token.codes)


def half_of(token: Token) -> int:
    """Return the hour that a token is half an hour before."""
    return next(n for n, code in enumerate(HALVES, 1) if code in token.codes)


def read(text: str, language: str) -> list[Token]:
    """Split a text into tokens; English is understood beside every other language."""
    grammar = _grammar(language)
    spelled = _BEFORE.sub("before", folded(text))
    spelled = _TWO.sub(lambda found: _TWO_FOR_TO[found[1]], spelled)
    spelled = _TWO_VERB.sub("to ", _FOUR.sub("for ", spelled))
    return list(_merged(list(grammar.pattern.finditer(spelled)), grammar))


class _Grammar(NamedTuple):
    pattern: re.Pattern[str]
    codes: Mapping[str, frozenset[str]]
    longest: Mapping[str, int]  # first word of a phrase -> how many words phrases with it have


def _merged(parts: Sequence[re.Match[str]], grammar: _Grammar) -> Iterator[Token]:
    at = 0
    while at < len(parts):
        kind, text = parts[at].lastgroup, parts[at].group()
        if kind != "word":
            yield _token(kind or "", text)
            at += 1
            continue
        for length in range(min(grammar.longest.get(text, 1), len(parts) - at), 0, -1):
            phrase = " ".join(part.group() for part in parts[at : at + length])
            codes = grammar.codes.get(phrase, NO_CODES)
            if codes or length == 1:
                yield _word(phrase, codes)
                at += length
                break


def _word(text: str, codes: frozenset[str]) -> Token:
    number = next((n for n, code in enumerate(NUMBERS, 1) if code in codes), 0) if codes else 0
    return Token("number", text, codes, number) if number else Token("word", text, codes)


def _token(kind: str, text: str) -> Token:
    match kind:
        case "clock":
            hour, minute = re.split(r"[:.h]", text)[:2]
            return Token(kind, text, number=int(hour), minute=int(minute or 0))
        case "half":
            return Token("word", text, frozenset({"AM" if text[0] == "a" else "PM"}))
        case "number" | "ordinal":
            digits = "".join(char for char in text if char.isdecimal())
            return Token(kind, text, number=int(digits[:_LONGEST]))
        case "at":
            return Token("word", text, frozenset({"AT"}))
        case _:
            return Token(kind, text)


@lru_cache(maxsize=64)
def _grammar(language: str) -> _Grammar:
    own = VOCABULARIES.get(language, ENGLISH)
    tables = (own,) if own is ENGLISH else (own, ENGLISH)
    codes: dict[str, set[str]] = {}
    longest: dict[str, int] = {}
    for code, phrase in (pair for table in tables for pair in _phrases(table)):
        codes.setdefault(phrase, set()).add(code)
        first, words = phrase.split(" ")[0], phrase.count(" ") + 1
        longest[first] = max(words, longest.get(first, 1))
    ordinal = "|".join(table.ordinal for table in tables)
    pattern = re.compile(
        r"(?P<date>\b\d{4}-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d{1,2}/\d{1,2}\b"
        # 10.11 is a date, but "at 10.11" is a time
        r"|(?<!\bв )(?<!\bat )\b\d{1,2}\.(?:0?[1-9]|1[0-2])\b(?!\.\d))"
        r"|(?P<clock>\b\d{1,2}[:.]\d\d(?!\d)|\b\d{1,2}h\d{0,2}\b)"
        rf"|(?P<ordinal>\b\d{{1,2}}(?:{ordinal})\b)"
        r"|(?P<number>\d+)"
        r"|(?P<half>(?:\b|(?<=\d))[ap]\.?m\b)"
        r"|(?P<at>@)"
        r"|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)?)"
    )
    return _Grammar(pattern, {p: frozenset(meant) for p, meant in codes.items()}, longest)


def _phrases(table: Vocabulary) -> Iterator[tuple[str, str]]:
    lists = (
        (WEEKDAYS, table.weekdays),
        (MONTHS, table.months),
        (NUMBERS, table.numbers),
        (HALVES, table.halves),
        ([BRIEF[n] for n in table.brief], table.brief.values()),
        (table.codes.keys(), table.codes.values()),
    )
    for codes, all_words in lists:
        for code, words in zip(codes, all_words, strict=False):
            yield from ((code, folded(word)) for word in words.split("|"))
