"""Booking: the questions, what is skipped, what is held, and what happens in between."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from flows import effects as fx
from flows import events as ev
from flows.draft import ChoosingTime
from flows.lists import times
from flows.model import Slot, StaffOffer
from flows.replies import BookIt, PickSlot, decode, encode
from flows.wording import speak
from tests.support.chat import Chat, choices
from tests.support.happenings import happen
from tests.support.lumi import LUMI, SERVICES, STAFF
from tests.support.salon import Salon


def chat_after(*acts: str, salon: Salon | None = None) -> Chat:
    """Return a conversation in which these were typed, or tapped where they are in brackets."""
    chat = Chat(salon or Salon())
    for act in acts:
        if act[0] in "[(":
            chat.tap(act[1:-1])
        else:
            chat.type(act)
    return chat


def funnel(chat: Chat) -> list[tuple[str, object]]:
    return [(record.event_type, record.data.get("step")) for record in chat.records]


def test_a_newcomer_books_with_four_taps_and_a_confirmation() -> None:
    chat = chat_after("book", "(Women's cut)", "(Anyone)", "(Tomorrow)", "(11:00 AM)", "[Book it]")
    assert chat.text.startswith("Booked ✔")
    assert len(chat.salon.visits) == 1
    assert len(chat.said) == 6, "one message a turn"


def test_the_funnel_is_recorded_without_names_or_numbers() -> None:
    chat = chat_after(
        "hi", "[Book a visit]", "(Women's cut)", "(Becky)", "(Tomorrow)", "(11:00 AM)", "[Book it]"
    )
    assert funnel(chat) == [
        ("booking_started", None),
        ("step_viewed", "service"),
        ("step_completed", "service"),
        ("step_viewed", "staff"),
        ("step_completed", "staff"),
        ("step_viewed", "day"),
        ("step_completed", "day"),
        ("step_viewed", "time"),
        ("step_completed", "time"),
        ("step_viewed", "confirm"),
        ("step_completed", "confirm"),
        ("booking_submitted", None),
    ]
    [visit] = chat.salon.visits
    assert chat.records[-1].data == {
        "booking_id": str(visit),
        "service_id": 1,
        "staff_id": 1,
        "anyone": False,
    }


def test_the_time_is_held_for_as_long_as_the_business_says() -> None:
    policy = LUMI.policy.model_copy(update={"hold_minutes": 12})
    salon = Salon(company=replace(LUMI, policy=policy))
    chat = chat_after("colour with kelly on wednesday at 11", salon=salon)
    assert salon.holds[1].until == salon.now + timedelta(minutes=12)
    assert "I keep it for you for 12 minutes" in chat.text


def test_the_clocks_are_named_where_who_does_it_has_others() -> None:
    away = tuple(replace(one, timezone="America/Chicago") if one.id == 2 else one for one in STAFF)
    alike = tuple(replace(one, timezone="America/Detroit") for one in STAFF)
    act = "colour with kelly on wednesday at 11"
    chat = chat_after(act, salon=Salon(staff=away))
    assert "11:00 AM (New York time)" in chat.text
    chat.tap("Book it")
    assert "11:00 AM (New York time)" in chat.text
    moment = datetime(2026, 11, 25, 11, tzinfo=LUMI.zone)
    russian = speak("ru").moment_there(moment, moment.date(), LUMI.timezone)
    assert russian.endswith("(по времени: Нью-Йорк)")
    assert "New York" not in chat_after(act, salon=Salon(staff=alike)).text
    assert "New York" not in chat_after(act).text


def test_other_time_lets_go_of_the_time_and_shows_the_day() -> None:
    chat = chat_after("colour with kelly on wednesday at 11", "[Other time]")
    assert chat.salon.holds == {}
    assert chat.step == "booking.choosing_time"
    assert "11:00 AM" in chat.titles()


def test_cancel_lets_go_of_the_time_and_goes_back_to_the_menu() -> None:
    chat = chat_after("colour with kelly on wednesday at 11", "[Cancel]")
    assert chat.salon.holds == {}
    assert chat.titles() == ["Book a visit", "My visits", "Talk to us"]


@pytest.mark.parametrize("yes", ["yes", "ok!", "Book it", "1", "👍", "да"])
def test_a_yes_in_any_form_books(yes: str) -> None:
    chat = chat_after("colour with kelly on wednesday at 11", yes)
    assert chat.text.startswith(("Booked ✔", "Вы записаны ✔"))


def test_a_no_shows_other_times() -> None:
    chat = chat_after("colour with kelly on wednesday at 11", "no")
    assert chat.step == "booking.choosing_time"


def test_back_goes_back_one_question_at_a_time() -> None:
    chat = chat_after("book", "(Colour)", "(Kelly)", "(Tomorrow)", "(11:00 AM)")
    steps = []
    for _ in range(5):
        chat.type("back")
        steps.append(chat.step.split(".")[1])
    assert steps == ["choosing_time", "choosing_day", "choosing_staff", "choosing_service", "idle"]


def test_the_only_service_and_the_only_person_are_never_asked() -> None:
    salon = Salon(services=SERVICES[3:4])
    chat = chat_after("book", salon=salon)
    assert chat.step == "booking.choosing_day"
    assert chat.text == "Manicure with Maria. Which day?"


def test_who_was_shown_for_anyone_is_who_is_held() -> None:
    chat = chat_after("colour", "(Anyone)", "(Tomorrow)", "(9:00 AM)")
    assert chat.asked == [
        fx.HoldSlot(3, 1, chat.salon.holds[1].slot.start, chat.salon.holds[1].until)
    ]
    assert "Colour with Becky" in chat.text


def test_other_time_after_anyone_is_still_for_anyone() -> None:
    chat = chat_after("colour", "(Anyone)", "(Tomorrow)", "(9:00 AM)", "[Other time]")
    assert "6:00 PM" not in chat.titles()
    assert {"Becky", "Kelly"} <= set(chat.rows().values())


def test_a_price_that_depends_on_who_does_it_is_shown_with_the_name() -> None:
    dear = replace(STAFF[1], offers={**STAFF[1].offers, 3: StaffOffer(90, 15000)})
    chat = chat_after("book", salon=Salon(staff=(STAFF[0], dear, STAFF[2])))
    assert chat.rows()["Colour"] == "90 min, from $120"
    chat.tap("Colour")
    assert chat.rows()["Becky"].endswith("$120")
    assert chat.rows()["Kelly"].endswith("$150")


def test_services_stand_under_their_categories() -> None:
    services = tuple(replace(s, category="Nails" if s.id > 3 else "Hair") for s in SERVICES)
    chat = chat_after("book", salon=Salon(services=services))
    assert chat.last.sheet is not None
    assert [section.title for section in chat.last.sheet.sections] == ["Hair", "Nails"]


def test_something_free_of_charge_has_no_price() -> None:
    free = replace(SERVICES[3], price_minor=0)
    maria = replace(STAFF[2], offers={4: StaffOffer(45, 0)})
    salon = Salon(services=(free,), staff=(maria,))
    chat = chat_after("tomorrow", "monday at 11", salon=salon)
    assert chat.text.startswith("Manicure with Maria, Mon, Nov 23, 11:00 AM, 45 min. I keep")


def test_popular_times_come_first_and_say_so() -> None:
    salon = Salon()
    happen(salon, "popular times are 09:30, 16:30", Chat(salon))
    chat = chat_after("colour with becky", "(Tomorrow)", salon=salon)
    assert chat.rows()["9:30 AM"] == "★ popular"


def test_a_part_of_the_day_is_shown_first_and_the_whole_day_after_it() -> None:
    chat = chat_after("colour with kelly tomorrow in the morning")
    assert chat.titles()[:-1] == ["10:00 AM", "10:30 AM", "11:00 AM", "11:30 AM"]
    chat.tap("More times")
    assert "5:00 PM" in chat.titles()


def test_a_part_of_the_day_that_is_full_shows_the_rest() -> None:
    chat = chat_after("manicure on monday in the evening")
    chat.salon.taken.append(
        (3, datetime(2026, 11, 23, 22, tzinfo=UTC), datetime(2026, 11, 23, 23, tzinfo=UTC))
    )
    chat.type("evening")
    assert chat.text.startswith("Mon, Nov 23: the evening is full.")
    assert "11:00 AM" in chat.titles()


def test_more_times_show_every_free_time_once() -> None:
    salon = Salon()
    happen(salon, "times are offered every 15 minutes", Chat(salon))
    chat = chat_after("colour with kelly on tuesday", salon=salon)
    seen: list[str] = []
    while True:
        titles = chat.titles()
        seen += [title for title in titles if re.fullmatch(r"\d+:\d\d [AP]M", title)]
        if "More times" not in titles:
            break
        chat.tap("More times")
    assert len(seen) == len(set(seen)) == 31


def test_a_time_the_clocks_skip_is_not_free() -> None:
    salon = Salon(now=datetime(2027, 3, 12, 15, tzinfo=UTC))
    chat = chat_after("colour with kelly on sunday at 2:30 am", salon=salon)
    assert "isn't free" in chat.text


def test_a_time_that_comes_twice_is_told_apart() -> None:
    summer = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # 1:30, and an hour later 1:30 again
    starts = (summer, summer + timedelta(hours=1))
    slots = [Slot(3, 2, start, start + timedelta(minutes=90), 12000) for start in starts]
    state = ChoosingTime(service_id=3, staff_id=2, day=date(2026, 11, 1))
    say = times(Chat(Salon()).context(), state, date(2026, 11, 1), slots)
    titles = [" ".join(title.split()) for _, title in choices(say)]
    assert titles[:2] == ["1:30 AM", "1:30 AM (2)"]


def test_days_beyond_the_horizon_are_not_promised() -> None:
    chat = chat_after("colour with kelly on january 8")
    assert chat.text.startswith("I can book up to Sun, Dec 20.")


def test_next_week_begins_on_its_monday() -> None:
    chat = chat_after("colour with kelly next week")
    assert chat.titles()[0] == "Mon, Nov 23"
    chat.type("next week evening")
    assert "Mon, Nov 23" in chat.titles()[0] or chat.titles()[0].startswith("★")


def test_another_service_keeps_the_day_and_whoever_still_fits() -> None:
    chat = chat_after("colour with becky on wednesday", "men's cut")
    assert chat.text == "Wed, Nov 25, Men's cut with Becky. What time?"
    chat.type("manicure")
    assert chat.text == "Wed, Nov 25, Manicure with Maria. What time?"


def test_an_old_book_it_of_another_time_books_that_time() -> None:
    chat = chat_after("colour with kelly on wednesday at 11", "thursday at 12", "[Book it]")
    chat.tap("Book it", older=1)
    starts = sorted(visit.start for _, visit in chat.salon.visits.values())
    assert [start.day for start in starts] == [25, 26]


def test_two_taps_on_book_it_make_one_visit() -> None:
    chat = chat_after("colour with kelly on wednesday at 11", "[Book it]", "[Book it]", "[Book it]")
    assert len(chat.salon.visits) == 1
    assert chat.said[-1].text == chat.said[-2].text


def test_book_it_for_somebody_who_left_asks_for_another_day() -> None:
    chat = chat_after("colour with becky on wednesday at 11")
    happen(chat.salon, "Becky leaves", chat)
    chat.tap("Book it")
    assert chat.salon.visits == {}
    assert chat.text.startswith("That person can't be booked for it any more.")


def test_a_tap_on_a_slot_of_somebody_who_left_holds_the_time_by_anyone() -> None:
    chat = chat_after("colour", "(Anyone)", "(Tomorrow)")
    happen(chat.salon, "Becky leaves", chat)
    chat.tap("11:00 AM")
    assert "Colour with Kelly" in chat.text


def test_a_slot_that_was_never_offered_is_not_held() -> None:
    chat = Chat(Salon())
    start = datetime(2026, 11, 21, 6, tzinfo=UTC)
    chat.hear(ev.ReplyTapped(encode(PickSlot(3, 1, start, 1))))
    assert "is no longer free" in chat.text
    assert chat.salon.holds == {}


def test_every_time_row_says_what_it_holds() -> None:
    chat = chat_after("colour", "(Anyone)", "(Tomorrow)")
    replies = [decode(id_) for id_, title in choices(chat.last) if title[0].isdigit()]
    assert all(isinstance(reply, PickSlot) and reply.staff_id is None for reply in replies)
    chat.tap("11:00 AM")
    assert isinstance(decode(chat.last.buttons[0].id), BookIt)


def test_the_journey_of_the_load_generator_works_for_a_large_business() -> None:
    salon = Salon()
    chat = Chat(salon)
    happen(salon, "the salon has 12 services and 12 people", chat)
    chat.type("hi")
    chat.hear(ev.ReplyTapped(*choices(chat.last)[0]))
    avoided = ("more|later", "more|later", "more|later|wait", "more|later|wait|day")
    for avoid in avoided:
        assert chat.last.sheet is not None
        rows = [(i, t) for i, t in choices(chat.last) if not re.search(avoid, f"{i} {t}", re.I)]
        assert rows
        chat.hear(ev.ReplyTapped(*rows[-1]))
    assert chat.last.buttons
    chat.hear(ev.ReplyTapped(*choices(chat.last)[0]))
    assert chat.text.startswith("Booked ✔")


def test_a_business_that_offers_nothing_says_so() -> None:
    chat = chat_after("book", salon=Salon(services=()))
    assert chat.text == "Visits can't be booked here at the moment."
    assert chat.titles() == ["Book a visit", "My visits", "Talk to us"]


def test_nothing_free_offers_somebody_else_the_phone_and_a_person() -> None:
    salon = Salon()
    happen(salon, "Everybody is booked up for weeks", Chat(salon))
    chat = chat_after("colour with kelly", salon=salon)
    assert chat.titles() == ["Join the waitlist", "Other person", "Call us"]
    chat.type("manicure")
    assert chat.titles() == ["Join the waitlist", "Other service", "Call us"]


def test_endless_names_fit_everywhere() -> None:
    chat = Chat(Salon())
    happen(chat.salon, "all names are endless", chat)
    chat.type("hi")
    while not chat.salon.visits:
        chat.hear(ev.ReplyTapped(*choices(chat.last)[0]))
    for _ in range(9):
        chat.hear(ev.ReplyTapped(*choices(chat.last)[0]))
    chat.type("stop")
