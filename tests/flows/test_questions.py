"""What customers ask about the business, names in other letters, and names that nobody has."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest

from flows.model import Catalog, DatedShift, Shift
from flows.names import respelled
from tests.support.chat import Chat
from tests.support.happenings import happen
from tests.support.lumi import HAIR, LUMI, SERVICES, STAFF, person
from tests.support.salon import Salon

WEEK = "Mon: 10:00 AM – 7:00 PM\nTue – Sat: 9:00 AM – 7:00 PM\nSun: closed"


def said(text: str, salon: Salon | None = None) -> Chat:
    chat = Chat(salon or Salon())
    chat.type(text)
    return chat


@pytest.mark.parametrize(
    "text", ["when are you open?", "opening hours", "what time do you close", "hours please"]
)
def test_hours_are_told_with_a_way_to_book(text: str) -> None:
    chat = said(text)
    assert chat.text == f"Our hours:\n{WEEK}"
    assert chat.titles()[0] == "Book a visit"


@pytest.mark.parametrize("text", ["до скольки работаете", "Часы работы?", "вы работаете"])
def test_hours_are_told_in_russian(text: str) -> None:
    assert said(text).text == "Часы работы:\nПн: 10:00 – 19:00\nВт – сб: 09:00 – 19:00\nВс: закрыто"


def test_a_day_that_is_asked_about_is_answered_first() -> None:
    closed = "We're closed Sun, Nov 22.\nOur hours:\n" + WEEK
    assert said("are you open on sunday?").text == closed
    assert said("are you open tomorrow").text.startswith(
        "We're open tomorrow, 9:00 AM – 7:00 PM.\nOur hours:"
    )
    assert said("вы работаете в воскресенье?").text.startswith("Вс, 22 нояб. мы закрыты.")


def test_days_that_differ_and_breaks_are_told() -> None:
    early = DatedShift(date(2026, 11, 25), "replace", time(9), time(12))
    lunch = tuple(Shift(day, time(13), time(14), "break") for day in range(2, 7))
    becky = replace(STAFF[0], dated_shifts=(early,), shifts=STAFF[0].shifts + lunch)
    salon = Salon(staff=(becky,))
    salon._catalog = Catalog(
        LUMI, SERVICES, salon.staff, holidays=frozenset({date(2026, 11, 26), date(2027, 1, 1)})
    )
    lines = said("when are you open?", salon).text.splitlines()
    assert lines[1:] == [
        "Mon: closed",
        "Tue – Sat: 9:00 AM – 1:00 PM, 2:00 PM – 6:00 PM",
        "Sun: closed",
        "Wed, Nov 25: 9:00 AM – 12:00 PM",
        "Thu, Nov 26: closed",
    ]


def test_a_question_leaves_open_what_is_going_on() -> None:
    chat = said("manicure on monday")
    for question, answer in (
        ("how much is it?", "Manicure: 45 min, $38"),
        ("where are you", "You find us here: 12 Main Street"),
        ("phone number", "Our number is +1 212 555 0123. You can also go on right here."),
        ("when are you open", f"Our hours:\n{WEEK}"),
    ):
        chat.type(question)
        assert (chat.text, chat.titles()[0]) == (answer, "Carry on")
    chat.tap("Carry on")
    assert "Manicure with Maria. What time?" in chat.text


def test_two_questions_have_one_answer_and_a_wish_beside_one_is_heard() -> None:
    both = said("how much is a manicure and when are you open")
    assert both.text == f"Our hours:\n{WEEK}\nManicure: 45 min, $38"
    chat = said("manicure tomorrow, where are you?")
    assert chat.text.splitlines()[:2] == [
        "You find us here: 12 Main Street",
        "Tomorrow: nothing free.",
    ]


def test_one_service_is_no_choice() -> None:
    chat = said("how much is a manicure")
    assert chat.text == "Manicure: 45 min, $38"
    chat.tap("Book a visit")
    assert "Manicure with Maria. Which day?" in chat.text
    alone = Salon(staff=(replace(STAFF[2], offers={4: STAFF[2].offers[4]}), *STAFF[:2]))
    assert "Manicure with Maria. Which day?" in said("to maria please", alone).text


@pytest.mark.parametrize(
    ("text", "intro"),
    [
        ("haircut with Zoe", "There is nobody called Zoe here. Our team: Becky, Kelly."),
        ("haircut with zoe tomorrow", "There is nobody called Zoe here. Our team: Becky, Kelly."),
        ("can I come to maria with Zoe", ""),
        ("haircut with blow dry", ""),
        ("haircut with my daughter", ""),
        ("manicure with gel polish", ""),
    ],
)
def test_who_is_not_here_is_said_to_be_so(text: str, intro: str) -> None:
    assert said(text).text.startswith(intro)
    assert intro or "nobody called" not in said(text).text


def test_whoever_is_not_wanted_stays_unwanted_among_many() -> None:
    lola = person(9, "Lola", HAIR, range(1, 7), 9, 18)
    salon = Salon(staff=(*STAFF, lola))
    chat = said("not with becky", salon)
    chat.type("colour")
    assert chat.titles() == ["Anyone", "Kelly", "Lola"]
    chat.tap("Anyone")
    chat.type("what?")
    chat.tap("Tomorrow")
    assert {note for note in chat.rows().values() if note} == {"Kelly", "Lola"}
    chat.tap("9:00 AM")
    assert "Colour with Lola" in chat.text
    chat.tap("Other time")
    assert {note for note in chat.rows().values() if note} == {"Kelly", "Lola"}
    chat.type("with becky then")
    assert "Colour with Becky" in chat.text


def test_whoever_is_not_wanted_is_not_booked() -> None:
    assert "Women's cut with Kelly" in said("women's cut not with becky").text
    assert "Women's cut with Becky" in said("women's cut with anyone but kelly").text
    assert "Women's cut with Becky" in said("women's cut, no, with becky").text


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Анна", "Anna"),
        ("Анне", "Anna"),
        ("Бекки", "Becky"),
        ("Келли", "Kelly"),
        ("Марии", "Maria"),
        ("Максу", "Max"),
        ("Джону", "John"),
        ("Саре", "Sarah"),
        ("Катей", "Kate"),
        ("Anna", "Анна"),
        ("Becky", "Бекки"),
        ("Masha", "Маша"),
        ("Yulia", "Юлия"),
        ("Ekaterina", "Екатерина"),
    ],
)
def test_names_are_read_in_the_other_alphabet(written: str, name: str) -> None:
    staff = (person(7, name, HAIR, range(1, 7), 9, 18), person(8, "Olga", HAIR, range(1, 7), 9, 18))
    salon = Salon(staff=staff)
    assert respelled([written.lower()], salon.catalog) == [name.lower()]
    assert respelled(["tomorrow", "завтра", "стрижка", "haircut"], salon.catalog) == [
        "tomorrow",
        "завтра",
        "стрижка",
        "haircut",
    ]


def test_services_are_read_in_the_other_alphabet() -> None:
    services = tuple(replace(one, names={}) for one in SERVICES)
    chat = said("маникюр", Salon(services=services))
    assert "Manicure" in chat.text


def test_the_earliest_stays_the_wish_while_the_service_is_asked() -> None:
    chat = said("earliest")
    chat.tap("Manicure")
    assert chat.text == "Manicure. Some free times:"
    assert next(iter(chat.rows())).startswith("★ Today 11:00")


def test_all_that_was_understood_is_said_back() -> None:
    assert said("next week mornings").text == "Next week, mornings. What would you like?"
    assert said("next week").text == "Next week. What would you like?"
    chat = said("haircut")
    chat.type("no, tuesday")
    assert chat.text == "Tue, Nov 24. Which of these would you like?"
    assert len(chat.titles()) == 2


def test_a_visit_is_moved_to_the_day_that_is_named() -> None:
    salon = Salon()
    chat = Chat(salon)
    happen(salon, "the customer booked earlier: Women's cut with Becky on Tue 24 Nov 11:00", chat)
    happen(salon, "the customer booked earlier: Manicure with Maria on Thu 26 Nov 16:00", chat)
    chat.type("move my manicure to monday at 3")
    assert chat.text.startswith(
        "Manicure with Maria: from Thu, Nov 26, 4:00 PM to Mon, Nov 23, 3:00"
    )
    chat.type("move it to wednesday")
    chat.type("menu")
    chat.type("move it to wednesday")
    assert chat.text == "Which visit would you like to change?"
    chat.tap("Tue, Nov 24, 11:00 AM")
    assert chat.text == "Wed, Nov 25, Women's cut with Becky. What time?"
    chat.type("menu")
    chat.type("cancel my manicure")
    assert chat.text.startswith("Shall I cancel Manicure with Maria")
