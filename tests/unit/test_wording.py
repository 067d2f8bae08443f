"""Every sentence exists in every language, says the same, and fits where it is shown."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from flows import (
    asides,
    formats,
    keywords,
    language,
    several,
    where,
    wording,
    wording_areas,
    wording_unasked,
    wording_waitlist,
)
from flows.catalogues import CATALOGUES, SOURCE
from flows.plain import plain
from flows.wording import Message, Words, speak

FLOWS = Path(wording.__file__).parent
LOCALES = ("en_US", "en_GB", "ru", "ru_RU")
TODAY = date(2026, 11, 20)
EXTRACTED = {
    "sentence": None,
    "note": None,
    "button": None,
    "row": None,
    "footer": None,
    "keywords": None,
    "counted": (1, 2),
    "counted_note": (1, 2),
}
"""As the command in flows.catalogues names them."""

NAME = "Х" * wording.NAME
LONGEST = {
    "company": NAME,
    "service": NAME,
    "staff": NAME,
    "what": f"{NAME}, {NAME}",
    "visit": f"{NAME}, {NAME}, Wed, Nov 25, 2026, 12:30 PM, 480 min, 1 234 567,89 ₽",
    "details": "480 min, 1 234 567,89 ₽",
    "address": "Х" * wording.ADDRESS,
    "phone": "+44 20 7946 0958 ext. 1234",
    "code": "W" * wording.BUTTON,
    "city": "Х" * 2 * wording.BUTTON,
    "old": "Wed, Nov 25, 2026, 12:30 PM",
    "new": "Wed, Nov 25, 2026, 12:30 PM",
    "when": "Wed, Nov 25, 2026, 12:30 PM",
    "day": "Wed, Nov 25, 2026",
    "time": "12:30 PM",
    "times": "999 times",
    "price": "1 234 567,89 ₽",
    "first": "nothing free in the coming weeks",
    "second": "1 234 567,89 ₽",
    "place": f"{'Х' * 2 * wording.BUTTON} ({'W' * wording.BUTTON})",
    "hours": "12:30 PM – 12:30 PM, 12:30 PM – 12:30 PM, 12:30 PM – 12:30 PM",
    "team": "Х" * wording.ADDRESS,
    "days": f"{'Wed, Nov 25, 2026'} – {'Wed, Nov 25, 2026'}",
    "part": "in the afternoon",
    "last": "Wed, Nov 25, 2026",
    "until": "Wed, Nov 25, 2026, 12:30 PM",
    "ago": "999 weeks",
    "name": "Х" * wording_unasked.FIRST_NAME,
    "next": f"{NAME}, {NAME}, Wed, Nov 25, 2026, 12:30 PM",
    "short": "Х" * several.NAME,
    "n": 999,
}
"""The longest that each placeholder is given."""


def _messages(value: object) -> Iterator[Message]:
    if isinstance(value, Message):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _messages(one)


MODULES = (
    wording,
    wording_areas,
    wording_unasked,
    wording_waitlist,
    keywords,
    asides,
    where,
    language,
)
ALL = {
    message.source: message
    for module in MODULES
    for value in vars(module).values()
    for message in _messages(value)
}
MESSAGES = sorted(ALL.values(), key=lambda message: message.source)


def _catalogue(code: str) -> Catalog:
    file = FLOWS / "locales" / code / "LC_MESSAGES" / "usual.po"
    return read_po(BytesIO(file.read_bytes()), locale=code)


def _forms(code: str, message: Message) -> list[str]:
    """Return what a message is in a language, in all its plural forms."""
    if not message.plural:
        return [CATALOGUES[code].gettext(message.source)]
    numbers = (0, 1, 2, 5, 11, 21, 22, 25, 101)
    return [CATALOGUES[code].ngettext(message.source, message.plural, n) for n in numbers]


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_there_is_english_and_russian() -> None:
    assert {"en", "ru"} <= set(CATALOGUES)
    assert SOURCE == "en"


@pytest.mark.parametrize("code", CATALOGUES)
def test_every_text_is_translated_and_no_catalogue_has_another(code: str) -> None:
    catalogue = _catalogue(code)
    ids = {m.id[0] if isinstance(m.id, tuple) else m.id: m for m in catalogue if m.id}
    assert set(ids) == set(ALL)
    for source, message in ids.items():
        translated = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(translated), source
        assert not message.fuzzy, source


def test_the_documented_command_finds_every_text() -> None:
    found = {
        ids[0] if isinstance(ids, tuple) else ids
        for _, _, ids, _, _ in extract_from_dir(
            FLOWS, [("**.py", "python")], keywords={**EXTRACTED}, strip_comment_tags=False
        )
    }
    assert found == set(ALL)
    command = (FLOWS / "catalogues.py").read_text("utf-8")
    assert all(f"-k {name}" in command for name in EXTRACTED)


@pytest.mark.parametrize("code", CATALOGUES)
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.source[:40])
def test_a_text_has_the_same_placeholders_in_every_language(code: str, message: Message) -> None:
    wanted = _placeholders(message.source) | _placeholders(message.plural)
    for text in _forms(code, message):
        assert _placeholders(text) | {"n"} == wanted | {"n"}


@pytest.mark.parametrize("code", CATALOGUES)
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.source[:40])
def test_a_text_fits_where_it_is_shown(code: str, message: Message) -> None:
    if message in (wording.WHEN_DATE, wording.WHEN_NEAR, wording.BEST):
        return  # their lengths depend on the calendar: see below
    for text in _forms(code, message):
        shown = text.format_map(LONGEST)
        assert formats.units(shown) <= message.limit, shown
        assert shown.strip() == shown


@pytest.mark.parametrize("tag", LOCALES)
def test_the_moments_of_a_year_fit_into_the_title_of_a_row(tag: str) -> None:
    w = speak(tag)
    for ahead in range(179):
        for at in (time(9), time(12, 30), time(22, 45)):
            when = w.when(datetime.combine(TODAY + timedelta(days=ahead), at), TODAY)
            assert formats.units(w(wording.BEST, when=when)) <= 24, when


@pytest.mark.parametrize("tag", [*LOCALES, "de_DE", "fr_FR", "hu_HU"])
def test_the_moments_of_a_year_fit_onto_a_button_and_stay_apart(tag: str) -> None:
    w, shown = speak(tag), set()
    for ahead in range(365):
        for at in (time(9), time(12, 30), time(22, 45)):
            moment = datetime.combine(TODAY + timedelta(days=ahead), at)
            text = w.short_moment(moment, TODAY, wording.BUTTON)
            assert formats.units(text) <= wording.BUTTON, text
            shown.add(text)
    assert len(shown) == 365 * 3


def test_no_text_is_unused() -> None:
    used: set[str] = set()
    for file in FLOWS.glob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        used |= {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
    declared = {
        name for module in MODULES for name, value in vars(module).items() if list(_messages(value))
    }
    assert declared - used == set()


def test_no_sentence_stands_outside_the_wording() -> None:
    for file in sorted(FLOWS.glob("*.py")):
        if file.name in (
            "wording.py",
            "wording_areas.py",
            "wording_unasked.py",
            "wording_waitlist.py",
            "keywords.py",
            "asides.py",
            "language.py",
            "when_words.py",
        ):
            continue
        for text in _literals(ast.parse(file.read_text("utf-8"))):
            worded = " " in text.strip() and text[:1].isupper() and "|" not in text
            assert not worded, f"{file.name}: {text}"


def _literals(tree: ast.AST) -> Iterator[str]:
    """Return the strings of a module that are neither documentation nor an error's message."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr | ast.Raise | ast.JoinedStr):
            skipped |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in skipped:
            yield from [node.value] if isinstance(node.value, str) else []


@pytest.mark.parametrize(
    ("tag", "price"),
    [("en_US", "$82"), ("ru", "82 $"), ("en_GB", "US$82"), ("de_DE", "82 US$")],
)
def test_an_amount_has_no_needless_decimals(tag: str, price: str) -> None:
    assert speak(tag).price(8200, "USD").replace("\xa0", " ") == price


def test_amounts_are_written_as_the_place_does() -> None:
    assert speak("en_US").price(8250, "USD") == "$82.50"
    assert speak("ru").price(150000, "RUB").replace("\xa0", " ") == "1 500 ₽"
    assert speak("en_US").price(1500, "JPY") == "¥1,500"


@pytest.mark.parametrize(
    ("tag", "at"),
    [("en_US", "3:30 PM"), ("en_GB", "15:30"), ("en_DE", "15:30"), ("ru", "15:30")],
)
def test_times_are_written_as_the_place_does(tag: str, at: str) -> None:
    assert " ".join(speak(tag).time(time(15, 30)).split()) == at


def test_days_near_have_names_and_far_ones_their_year() -> None:
    w = speak("en_US")
    assert w.day(TODAY, TODAY) == "today"
    assert w.day(TODAY + timedelta(days=1), TODAY) == "tomorrow"
    assert w.day(date(2026, 11, 28), TODAY) == "Sat, Nov 28"
    assert w.day(date(2027, 1, 5), TODAY) == "Tue, Jan 5"
    assert w.day(date(2027, 11, 5), TODAY) == "Fri, Nov 5, 2027"


def test_russian_counts_in_three_forms() -> None:
    w = speak("ru")
    counted = [w.count(wording.TIMES_LEFT, n) for n in (1, 3, 9, 21)]
    assert counted == ["1 окно", "3 окна", "9 окон", "21 окно"]


def test_a_place_without_a_catalogue_is_spoken_to_in_its_own_english() -> None:
    assert speak("de_DE") == Words("en_DE", "en")
    assert speak("nonsense") == Words("en", "en")


def test_languages_from_right_to_left_begin_every_line_with_a_mark() -> None:
    w = replace(speak("en_US"), right_to_left=True)
    what = w(wording.WITH, service="Cut", staff="Ana")
    text = w(wording.WHICH_DAY, what=what)
    assert text == "\u200fCut with Ana. Which day?"
    assert formats.is_right_to_left("he_IL")
    assert formats.capitalised(w(wording.TODAY)) == "\u200fToday"


def test_what_others_wrote_is_never_taken_for_a_placeholder() -> None:
    w = speak("en_US")
    text = w(wording.WITH, service="{staff} {0} {company.policy}", staff="%s")
    assert text == "{staff} {0} {company.policy} with %s"


@given(st.text(max_size=60), st.sampled_from([20, 24, 72, 120]))
def test_a_name_is_shortened_only_when_it_must_be_and_always_fits(name: str, limit: int) -> None:
    short = formats.fit(name, limit)
    clean = " ".join(name.split())
    assert formats.units(short) <= limit
    assert short
    if clean and formats.units(clean) <= limit:
        assert short == clean
    elif clean:
        assert short.endswith(formats.ELLIPSIS)


@given(st.lists(st.text(alphabet="ab c", max_size=40), max_size=9))
def test_names_that_would_look_alike_are_told_apart(names: list[str]) -> None:
    titles = formats.told_apart(names, 24)
    assert len(set(titles)) == len(names)
    assert all(formats.units(title) <= 24 and title.strip() for title in titles)


def test_names_are_cut_at_words_and_differ_where_they_differ() -> None:
    names = ["Women's cut and blow-dry, long hair", "Women's cut and blow-dry, short hair"]
    assert formats.told_apart(names, 24) == ["Women's cut… long hair", "Women's cut… short hair"]
    assert formats.told_apart(["Anna", "Anna"], 24) == ["Anna", "Anna (2)"]
    assert formats.fit("Deluxe manicure with massage", 24) == "Deluxe manicure with…"
    assert formats.fit("👩‍👩‍👧‍👦" * 6, 24) == "👩‍👩‍👧‍👦👩‍👩‍👧‍👦…"


@pytest.mark.parametrize("code", CATALOGUES)
def test_no_word_is_asked_for_in_a_form_that_cannot_be_typed(code: str) -> None:
    for name, message in vars(keywords).items():
        if name.endswith("_WORDS"):
            words = CATALOGUES[code].gettext(message.source).split("|")
            assert all(plain(word) for word in words), name
