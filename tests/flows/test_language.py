"""Which language is spoken: what customers write, or what they ask for."""

from __future__ import annotations

import pytest

from flows.language import asked_for, name_of, written_in
from flows.plain import plain
from flows.wording import locale_for
from tests.support.chat import Chat
from tests.support.lumi import LUMI
from tests.support.salon import Salon


@pytest.mark.parametrize(
    ("text", "spoken", "settled", "expected"),
    [
        ("Здравствуйте", "en", False, "ru"),
        ("хочу на маникюр завтра", "en", True, "ru"),
        ("да", "en", False, None),  # two letters prove nothing
        ("Привіт, хочу записатися", "en", False, None),  # Ukrainian is not spoken here
        ("hello", "ru", False, "en"),
        ("hello", "ru", True, None),  # one word does not unsettle
        ("hello, tomorrow please", "ru", True, "en"),
        ("Becky", "ru", False, None),
        ("ok", "ru", False, None),
        ("stop", "ru", False, None),
        ("12:30", "ru", False, None),
        ("hola, quiero una cita", "en", False, None),
        ("マニキュア", "en", False, None),
        ("завтра haircut", "en", False, None),
    ],
)
def test_a_language_changes_only_when_the_writing_is_clear(
    text: str, spoken: str, settled: bool, expected: str | None
) -> None:
    assert written_in(text, spoken, settled=settled) == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("english", "en"),
        ("русский", "ru"),
        ("russian", "ru"),
        ("по-русски", "ru"),
        ("klingon", None),
    ],
)
def test_a_language_can_be_asked_for_by_name(text: str, language: str | None) -> None:
    assert asked_for(plain(text)) == language


def test_languages_are_called_what_their_speakers_call_them() -> None:
    assert [name_of(code) for code in ("en", "ru")] == ["English", "Русский"]


def test_a_language_is_written_as_the_country_of_the_business_writes_it() -> None:
    assert locale_for("en", LUMI) == "en_US"
    assert locale_for("ru", LUMI) == "ru"


def test_the_first_words_decide_the_language_and_it_is_remembered() -> None:
    chat = Chat(Salon())
    chat.type("Здравствуйте, запишите на маникюр")
    assert chat.locale == "ru"
    assert chat.titles()[-1] == "Более поздние даты"


def test_a_name_that_is_copied_from_a_list_changes_nothing() -> None:
    chat = Chat(Salon(), locale="ru")
    chat.type("записаться")
    chat.type("Маникюр")
    assert chat.locale == "ru"


def test_asking_for_a_language_asks_the_open_question_again_in_it() -> None:
    chat = Chat(Salon())
    chat.type("book")
    chat.type("Русский")
    assert chat.step == "booking.choosing_service"
    assert "На что вас записать?" in chat.last.text
