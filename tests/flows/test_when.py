"""Days and times as people type them, in English and Russian."""

from __future__ import annotations

from datetime import date, datetime, time
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.model import Wish
from flows.when import Heard, when
from flows.when_words import VOCABULARIES

NOW = datetime(2026, 11, 20, 10, 0)  # a Friday  # noqa: DTZ001 - wall time
OPENING = (time(9), time(20))
MORNING, AFTERNOON, EVENING = "morning", "afternoon", "evening"


def heard(text: str, language: str = "en", locale: str = "") -> Heard | None:
    return when(
        text,
        now=NOW,
        language=language,
        locale=locale or {"en": "en_US"}.get(language, language),
        opening=OPENING,
    )


def nov(day: int) -> date:
    return date(2026, 11, day)


ENGLISH = {
    "monday or tuesday": Wish(nov(23)),  # the one named first is shown first
    "mon, wed or fri mornings": Wish(nov(23), part="morning"),
    "anything this afternoon": Wish(nov(20), part="afternoon"),
    "slots 2day": Wish(nov(20)),
    "3ish tomorrow": Wish(nov(21), time(15)),
    "monday not before 2": Wish(nov(23), time(14)),
    "weds": Wish(nov(25)),
    "for 2 people tomorrow": Wish(nov(21)),
    "today": Wish(nov(20)),
    "tmrw": Wish(nov(21)),
    "the day after tomorrow": Wish(nov(22)),
    "actually Saturday": Wish(nov(21)),
    "make it monday": Wish(nov(23)),
    "next friday": Wish(nov(27)),
    "next friday 10:30": Wish(nov(27), time(10, 30)),
    "friday at 6pm": Wish(nov(20), time(18)),
    "friday at 9": Wish(nov(27), time(9)),
    "sat": Wish(nov(21)),
    "sun 10am": Wish(nov(22), time(10)),
    "on sun": Wish(nov(22)),
    "this weekend": Wish(nov(21)),
    "next week tuesday 11am": Wish(nov(24), time(11)),
    "tuesday next week": Wish(nov(24)),
    "a week from monday": Wish(nov(30)),
    "in 3 days": Wish(nov(23)),
    "in a week": Wish(nov(27)),
    "2 weeks from now": Wish(date(2026, 12, 4)),
    "the 28th": Wish(nov(28)),
    "on the 3rd": Wish(date(2026, 12, 3)),
    "the 31st": Wish(date(2026, 12, 31)),
    "Saturday the 28th": Wish(nov(28)),
    "28 november": Wish(nov(28)),
    "Dec 3rd at 9am": Wish(date(2026, 12, 3), time(9)),
    "3rd of december": Wish(date(2026, 12, 3)),
    "may 5 2027": Wish(date(2027, 5, 5)),
    "january 8": Wish(date(2027, 1, 8)),
    "2026-12-01": Wish(date(2026, 12, 1)),
    "11/28": Wish(nov(28)),
    "28/11": Wish(nov(28)),
    "28.11.": Wish(nov(28)),
    "at 3": Wish(at=time(15)),
    "3pm": Wish(at=time(15)),
    "3:30": Wish(at=time(15, 30)),
    "15:30": Wish(at=time(15, 30)),
    "09:00": Wish(at=time(9)),
    "10.30": Wish(at=time(10, 30)),
    "at 10.11": Wish(at=time(10, 11)),
    "noon": Wish(at=time(12)),
    "12am": Wish(at=time(0)),
    "half past four": Wish(at=time(16, 30)),
    "quarter to 5": Wish(at=time(16, 45)),
    "10 o'clock": Wish(at=time(10)),
    "evening": Wish(part=EVENING),
    "after lunch": Wish(part=AFTERNOON),
    "tomorrow morning": Wish(nov(21), part=MORNING),
    "tonight": Wish(nov(20), part=EVENING),
    "tonight at 7": Wish(nov(20), time(19)),
    "7 in the evening": Wish(at=time(19)),
    "tomorrow at 15:00": Wish(nov(21), time(15)),
    "tomorrow @ 4": Wish(nov(21), time(16)),
    "in an hour": Wish(nov(20), time(11)),
    "in half an hour": Wish(nov(20), time(10, 30)),
    "within 90 minutes": Wish(nov(20), time(11, 30)),
    "one haircut tomorrow": Wish(nov(21)),
    "first thing monday": Wish(nov(23), part=MORNING),
    "tuesday over lunch": Wish(nov(24), time(12)),
    "ten to four": Wish(at=time(15, 50)),
    "twenty past three": Wish(at=time(15, 20)),
    "from ten to four": Wish(at=time(10)),
    "christmas eve": Wish(date(2026, 12, 24)),
    "on christmas": Wish(date(2026, 12, 25)),
    "new year's eve at 3": Wish(date(2026, 12, 31), time(15)),
    "boxing day": Wish(date(2026, 12, 26)),
    "Could you fit me in on Thursday, after 6 if possible?": Wish(nov(26), time(18)),
}
RUSSIAN = {
    "на завтра на 15": Wish(nov(21), time(15)),
    "на 25 ноября": Wish(nov(25)),
    "пятница или суббота": Wish(nov(20)),
    "на двоих завтра": Wish(nov(21)),
    "завтра": Wish(nov(21)),
    "завтра вечером": Wish(nov(21), part=EVENING),
    "послезавтра в 12": Wish(nov(22), time(12)),
    "лучше в субботу": Wish(nov(21)),
    "пн": Wish(nov(23)),
    "в следующий вторник утром": Wish(nov(24), part=MORNING),
    "на выходных": Wish(nov(21)),
    "через 3 дня": Wish(nov(23)),
    "через неделю": Wish(nov(27)),
    "через час": Wish(nov(20), time(11)),
    "через полчаса": Wish(nov(20), time(10, 30)),
    "на 28 число": Wish(nov(28)),
    "28-го в 15": Wish(nov(28), time(15)),
    "1 декабря": Wish(date(2026, 12, 1)),
    "25.11 в 10:00": Wish(nov(25), time(10)),
    "в 10.30": Wish(at=time(10, 30)),
    "в 3 часа дня": Wish(at=time(15)),
    "3 дня": Wish(at=time(15)),
    "в час": Wish(at=time(13)),
    "в 6 вечера": Wish(at=time(18)),
    "полпятого": Wish(at=time(16, 30)),
    "в половине шестого": Wish(at=time(17, 30)),
    "в полдень": Wish(at=time(12)),
    "12 ночи": Wish(at=time(0)),
    "после обеда": Wish(part=AFTERNOON),
    "запишите меня на пятницу к 19:00": Wish(nov(20), time(19)),
    "без пятнадцати четыре": Wish(at=time(15, 45)),
    "без четверти пять": Wish(at=time(16, 45)),
    "в среду без десяти пять": Wish(nov(25), time(16, 50)),
    "без двадцати пяти шесть": Wish(at=time(17, 35)),
    "без 15 четыре": Wish(at=time(15, 45)),
    "без 10 минут шесть": Wish(at=time(17, 50)),
    "четверть пятого": Wish(at=time(16, 15)),
    "четверть первого": Wish(at=time(12, 15)),
    "на новый год": Wish(date(2026, 12, 31)),
    "31 декабря": Wish(date(2026, 12, 31)),
    "на рождество": Wish(date(2027, 1, 7)),
    "tomorrow at 3": Wish(nov(21), time(15)),  # English is understood beside it
}
SINCE = {
    "end of the week": nov(20),
    "at the end of next week": nov(26),
    "early next week": nov(23),
    "beginning of the week": nov(23),
    "middle of the week": nov(25),
    "mid december": date(2026, 12, 11),
    "end of december": date(2026, 12, 21),
    "the end of the month": nov(21),
    "the week of the 14th": date(2026, 12, 14),
    "week commencing 30 november": nov(30),
    "the week of the 26th": nov(23),
    "after new year": date(2027, 1, 2),
    "in the new year": date(2027, 1, 1),
    "after christmas": date(2026, 12, 26),
    "before christmas": date(2026, 12, 18),
    "between christmas and new year": date(2026, 12, 26),
    "в конце недели": nov(20),
    "в конце следующей недели": nov(26),
    "в начале недели": nov(23),
    "в начале следующей недели": nov(23),
    "в середине декабря": date(2026, 12, 11),
    "в конце месяца": nov(21),
    "на неделе с 14 декабря": date(2026, 12, 14),
    "до нового года": date(2026, 12, 24),
    "после нового года": date(2027, 1, 1),
    "в новом году": date(2027, 1, 1),
}
NOTHING = [
    "hello",
    "yes",
    "2",
    "12",
    "the second one",
    "with May please",
    "I sat down",
    "the sun is out",
    "call me on 5551234567",
    "two haircuts tomorrow",
    "monday and tuesday",
    "3 or 4 tomorrow",
    "Saturday the 29th",
    "30 feb",
    "at 25",
    "25:00",
    "10:75",
    "in 5000 days",
    "in 99999999999999999999 hours",
    "may",
    "",
]
NOTHING_RUSSIAN = ["привет", "да", "хочу маникюр", "ко второму мастеру", "28"]


@pytest.mark.parametrize(("text", "wish"), ENGLISH.items())
def test_english_is_read(text: str, wish: Wish) -> None:
    assert heard(text) == Heard(wish)


@pytest.mark.parametrize(("text", "wish"), RUSSIAN.items())
def test_russian_is_read(text: str, wish: Wish) -> None:
    assert heard(text, "ru") == Heard(wish)


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_time_or_unclear_is_not_guessed(text: str) -> None:
    assert heard(text) is None


@pytest.mark.parametrize("text", NOTHING_RUSSIAN)
def test_what_is_no_time_or_unclear_is_not_guessed_in_russian(text: str) -> None:
    assert heard(text, "ru") is None


@pytest.mark.parametrize(("text", "first"), SINCE.items())
def test_a_part_of_a_week_and_what_is_about_a_feast_begin_on_a_day(text: str, first: date) -> None:
    assert heard(text, "en" if text.isascii() else "ru") == Heard(Wish(), first)


def test_next_week_is_a_stretch_of_days() -> None:
    assert heard("next week") == Heard(Wish(), nov(23))
    assert heard("на следующей неделе вечером", "ru") == Heard(Wish(part=EVENING), nov(23))


def test_the_order_of_day_and_month_is_that_of_the_country() -> None:
    assert heard("3/12", locale="en_US") == Heard(Wish(date(2027, 3, 12)))
    assert heard("3/12", locale="en_GB") == Heard(Wish(date(2026, 12, 3)))


def test_an_hour_without_am_or_pm_is_one_within_the_opening_hours() -> None:
    night = (time(20), time(23, 30))
    early = (time(5), time(12))
    late = when("at 9", now=NOW, language="en", locale="en_US", opening=night)
    soon = when("at 6", now=NOW, language="en", locale="en_US", opening=early)
    assert (late, soon) == (Heard(Wish(at=time(21))), Heard(Wish(at=time(6))))


def test_a_language_without_words_for_time_is_read_as_english() -> None:
    assert heard("tomorrow at 3", "xx") == Heard(Wish(nov(21), time(15)))


WORDS = sorted(
    {
        word
        for table in VOCABULARIES.values()
        for phrases in (*table.codes.values(), *table.weekdays, *table.months, *table.numbers)
        for word in phrases.split("|")
    }
)
PIECES = st.one_of(
    st.sampled_from(WORDS),
    st.integers(0, 10**12).map(str),
    st.sampled_from(["28th", "3pm", "10:30", "10.30", "30.02", "2026-13-01", "31/31", "0h", "@"]),
    st.text(max_size=5),
)


@given(st.lists(PIECES, max_size=12).map(" ".join), st.sampled_from(["en", "ru", "xx"]))
def test_whatever_is_typed_is_read_without_an_error(text: str, language: str) -> None:
    found = heard(text, language)
    assert found is None or found != Heard(Wish())


def test_reading_takes_a_fraction_of_a_millisecond() -> None:
    text = "Hi, could I have a women's cut on Wednesday after 6pm with Becky please?"
    heard(text)
    started = process_time()
    for _ in range(200):
        heard(text)
    assert (process_time() - started) / 200 < 0.001


@pytest.mark.parametrize(
    ("text", "language"),
    [("not monday", "en"), ("any day except tomorrow", "en"), ("только не в субботу", "ru")],
)
def test_a_day_that_is_ruled_out_is_not_taken(text: str, language: str) -> None:
    assert heard(text, language) is None


def test_what_else_was_said_than_a_day_that_is_ruled_out_counts() -> None:
    found = heard("next week in the morning, but not on monday")
    assert found == Heard(Wish(part=MORNING), nov(23))


def test_next_saturday_is_not_tomorrow() -> None:
    assert heard("next saturday") == Heard(Wish(nov(28)))


@pytest.mark.parametrize(
    ("text", "language", "wish"),
    [
        ("Good evening! On saturday, please", "en", Wish(nov(21))),
        ("Добрый вечер, можно в субботу?", "ru", Wish(nov(21))),
        ("good morning, is saturday evening free?", "en", Wish(nov(21), part=EVENING)),
    ],
)
def test_a_greeting_names_no_time_of_day(text: str, language: str, wish: Wish) -> None:
    assert heard(text, language) == Heard(wish)


@pytest.mark.parametrize(
    ("text", "language", "wish"),
    [
        ("between 2 and 4 on saturday", "en", Wish(nov(21), part="afternoon")),
        ("saturday from 10 to 12", "en", Wish(nov(21), part="morning")),
        ("saturday 2-4pm", "en", Wish(nov(21), part="afternoon")),
        ("saturday between 6 and 7 pm", "en", Wish(nov(21), part="evening")),
        ("в субботу с 14 до 16", "ru", Wish(nov(21), part="afternoon")),
        ("saturday between 10:30 and 12", "en", Wish(nov(21), part="morning")),
        ("saturday between 11 and 3", "en", Wish(nov(21), time(11))),
        ("between 3 and 5", "en", Wish(part="afternoon")),
        ("с 10 до 12", "ru", Wish(part="morning")),
        ("saturday before noon", "en", Wish(nov(21), part="morning")),
        ("в субботу до 15", "ru", Wish(nov(21), part="afternoon")),
        ("saturday morning or evening", "en", Wish(nov(21))),
        ("saturday 3pm or 4pm", "en", Wish(nov(21), time(15))),
    ],
)
def test_a_stretch_of_time_is_a_part_of_the_day(text: str, language: str, wish: Wish) -> None:
    assert heard(text, language) == Heard(wish)
