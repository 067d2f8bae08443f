"""Where to come: asked once, before anything is said of times, and remembered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from flows import effects as fx
from flows import events as ev
from flows.areas import Area, area_named, looks_like_a_code, seen_from
from flows.model import Slot
from flows.replies import BookIt, ChangeVisit, PickSlot, PickStaff, encode
from flows.replies_unasked import PickUsual
from tests.support.chat import Chat
from tests.support.salon import Salon

NEWARK = Area(1, "07102", "Newark", "NJ", "America/New_York")
EVANSVILLE = Area(2, "47708", "Evansville", "IN", "America/Chicago")
ASK = "Where shall we come?"
CUT, BECKY = 2, 1
NOON = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)  # Saturday, 12:00 in New York


def chat(*, lives_in: Area | None = None) -> Chat:
    """A conversation with a salon that comes to two zones."""
    salon = Salon(areas=(NEWARK, EVANSVILLE))
    return Chat(salon) if lives_in is None else _at(salon, lives_in)


def _at(salon: Salon, area: Area) -> Chat:
    salon.areas_of[1] = area.id
    return Chat(salon, area_id=area.id)


def settled(talk: Chat) -> list[int]:
    return [one.area_id for one in talk.effects if isinstance(one, fx.SettleIn)]


@pytest.mark.parametrize(
    "reply",
    [
        PickStaff(CUT, BECKY),
        PickSlot(CUT, BECKY, NOON, BECKY),
        BookIt(CUT, BECKY, NOON, BECKY, Salon().new_id()),
        PickUsual(CUT, BECKY, NOON),
    ],
)
def test_buttons_of_before_there_were_areas_ask_first_and_ask_nothing_of_storage(
    reply: PickStaff | PickSlot | BookIt | PickUsual,
) -> None:
    talk = chat()
    talk.hear(ev.ReplyTapped(encode(reply), "…"))
    assert talk.text.startswith(ASK)
    assert talk.asked == []


@pytest.mark.parametrize(
    "reply",
    [
        PickSlot(CUT, BECKY, NOON, BECKY),
        BookIt(CUT, BECKY, NOON, BECKY, Salon().new_id()),
        PickUsual(CUT, BECKY, NOON),
    ],
)
def test_a_time_that_was_tapped_stays_the_moment_that_was_shown(
    reply: PickSlot | BookIt | PickUsual,
) -> None:
    talk = chat()
    talk.hear(ev.ReplyTapped(encode(reply), "…"))
    talk.type("47708")
    assert "Sat, Nov 21, 11:00 AM (Chicago time)" in talk.text
    (kept,) = talk.salon.holds.values()
    assert kept.slot.start == NOON


def test_a_time_that_was_written_is_meant_by_the_clock_of_the_place() -> None:
    talk = chat()
    talk.type("men's cut with becky tomorrow at noon")
    talk.type("47708")
    (kept,) = talk.salon.holds.values()
    assert kept.slot.start == NOON + timedelta(hours=1)
    assert settled(talk) == [EVANSVILLE.id]


def test_what_the_answer_changes_is_known_in_the_very_turn_and_kept() -> None:
    talk = chat()
    talk.type("book")
    assert talk.text.startswith(ASK)
    talk.type("47708")
    assert talk.area_id == EVANSVILLE.id
    talk.type("menu")
    talk.tap("Book a visit")
    assert talk.text.startswith("For Evansville (47708). Is it somewhere else?")
    assert not settled(talk)


def test_a_business_without_areas_asks_nobody() -> None:
    talk = Chat(Salon())
    talk.type("book")
    assert talk.text.startswith("What would you like?")
    talk.type("another address")
    assert ASK not in talk.text
    talk.type("47708")
    assert "47708" not in talk.text


def test_a_place_that_is_not_served_leaves_ways_on() -> None:
    talk = chat()
    talk.type("book")
    talk.type("10001")
    assert talk.text.startswith("I'm sorry, we don't come to 10001 yet.")
    assert talk.titles() == ["Talk to us", "Call us", "Menu"]
    assert fx.Record("area_not_served") in talk.records
    talk.type("07102")
    assert talk.text.startswith("We come to Newark (07102).")


def test_what_is_no_code_is_asked_again_and_then_a_person_is_offered() -> None:
    talk = chat()
    talk.type("book")
    talk.type("by the lake")
    assert talk.text.startswith(ASK)
    talk.type("you know, the blue house")
    talk.type("next to the school")
    assert "Talk to us" in talk.titles()
    talk.tap("Carry on")
    assert talk.text.startswith(ASK)


def test_prices_and_visits_need_no_place() -> None:
    talk = chat()
    talk.type("how much is a men's cut?")
    assert talk.text == "Men's cut: 30 min, $40"
    talk.type("my visits")
    assert talk.text == "You have no visits ahead."


def test_the_language_may_change_with_the_question() -> None:
    talk = chat()
    talk.type("мужская стрижка завтра в 12:00")
    assert talk.text.startswith("Куда нам приехать?")
    talk.type("47708")
    assert "Sat" not in talk.text
    assert "Чикаго" in talk.text


def test_a_regular_s_usual_waits_until_it_is_known_by_which_clock() -> None:
    talk = chat()
    for week in (7, 14):
        start = NOON - timedelta(days=week)
        visit = talk.salon.book(1, CUT, BECKY, start)
        talk.salon.visits[visit.id] = (1, replace(visit, status="completed"))
    talk.type("hi")
    assert talk.text.startswith("Welcome")
    known = _at(talk.salon, EVANSVILLE)
    known.type("hi")
    assert "Your usual?" in known.text


def test_a_visit_elsewhere_is_changed_on_the_clock_of_its_place() -> None:
    talk = chat(lives_in=EVANSVILLE)
    visit = talk.salon.book(1, CUT, BECKY, NOON + timedelta(days=3))
    moved_house = _at(talk.salon, NEWARK)
    moved_house.hear(ev.ReplyTapped(encode(ChangeVisit(visit.id)), "Change"))
    assert settled(moved_house) == [EVANSVILLE.id]
    moved_house.type("wednesday at 3 pm")
    assert "Wed, Nov 25, 3:00 PM (Chicago time)" in moved_house.text
    assert "Evansville (47708)" in moved_house.text


def test_a_code_is_heard_in_the_middle_of_a_booking_but_a_time_is_a_time() -> None:
    talk = chat(lives_in=EVANSVILLE)
    talk.type("men's cut with becky tomorrow")
    talk.type("at 15")
    assert "3:00 PM (Chicago time)" in talk.text
    talk.type("07102")
    assert "4:00 PM, 30 min" in talk.text
    assert settled(talk) == [NEWARK.id]


def test_an_hour_is_meant_within_the_hours_that_the_clock_of_the_place_shows() -> None:
    denver = Area(3, "80202", "Denver", "CO", "America/Denver")
    salon = Salon(areas=(NEWARK, denver))
    for area, shown in ((NEWARK, "7:00 PM"), (denver, "7:00 AM")):
        talk = _at(salon, area)
        talk.type("men's cut with kelly tomorrow at 7")
        assert shown in talk.text


def test_a_postal_code_at_the_menu_is_noted() -> None:
    talk = chat(lives_in=NEWARK)
    talk.type("hi")
    talk.type("47708")
    assert talk.text == "We come to Evansville (47708)."
    assert settled(talk) == [EVANSVILLE.id]


AREAS = (
    NEWARK,
    EVANSVILLE,
    Area(3, "SW1A 1AA", "London", "", "Europe/London"),
    Area(4, "E1-6", "London", "", "Europe/London"),
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("47708", 2),
        (" 47708-1234 ", 2),
        ("It's 47708, Evansville.", 2),
        ("sw1a1aa", 3),
        ("SW1A 1AA please", 3),
        ("e1 6", 4),
        ("4770", None),
        ("477081", None),
        ("47708 or 07102", None),
        ("", None),
    ],
)
def test_postal_codes_are_found_however_they_are_written(text: str, found: int | None) -> None:
    area = area_named(text, Salon(areas=AREAS).catalog)
    assert (area.id if area else None) == found


@pytest.mark.parametrize(
    ("text", "alike"),
    [
        ("10001", True),
        ("10001-1234", False),
        ("1001", False),
        ("W1A 0AX", False),
        ("NW1W 8AB", True),
        ("hi", False),
        ("", False),
        ("...", False),
    ],
)
def test_what_has_the_shape_of_our_codes_is_taken_for_one(text: str, alike: bool) -> None:
    assert looks_like_a_code(text, Salon(areas=AREAS).catalog) is alike


def test_the_clock_of_a_catalogue_is_that_of_its_area() -> None:
    salon = Salon(areas=AREAS)
    seen = seen_from(salon.catalog, EVANSVILLE.id)
    assert (seen.timezone, str(seen.zone)) == ("America/Chicago", "America/Chicago")
    assert salon.catalog.timezone == "America/New_York"
    assert datetime.combine(date(2026, 7, 1), time(12), seen.zone).utcoffset() == timedelta(
        hours=-5
    )


def test_an_offer_and_a_person_come_first_when_a_place_is_forgotten_in_the_middle() -> None:
    """The business stops coming there while somebody chooses a day."""
    talk = chat(lives_in=EVANSVILLE)
    talk.type("men's cut with becky")
    assert talk.step == "booking.choosing_day"
    talk.salon.change(areas=(NEWARK,))
    slot = Slot(CUT, BECKY, NOON, NOON + timedelta(minutes=30), 4000)
    until = talk.salon.now + timedelta(minutes=15)
    talk.hear(ev.PlaceOffered(7, talk.salon.new_id(), slot, until, shared=False))
    assert talk.text.startswith("A place came free")
    talk.person_until = talk.salon.now + timedelta(hours=1)
    assert talk.type("hello?") == []
    talk.person_until = None
    talk.type("tomorrow")
    assert talk.text.startswith(ASK)


def test_what_was_to_be_booked_next_is_not_forgotten_over_the_question() -> None:
    talk = chat()
    talk.type("men's cut tomorrow at 3 pm and a manicure on tuesday at 4 pm")
    talk.type("47708")
    assert "Sat, Nov 21, 3:00 PM (Chicago time)" in talk.text
    talk.type("yes")
    assert talk.titles()[-1].startswith("Next: ")
    talk.tap(talk.titles()[-1])
    assert "Tue, Nov 24, 4:00 PM (Chicago time)" in talk.text
