"""Reminders, ratings, the usual and idle conversations, where a transcript does not tell it all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flows import effects as fx
from flows import events as ev
from flows.model import Policy, Visit
from flows.reminder import stars
from flows.replies import encode
from flows.replies_unasked import ConfirmComing, Rate
from tests.support.chat import Chat
from tests.support.lumi import LUMI
from tests.support.salon import Salon

TUESDAY = datetime(2026, 11, 24, 19, tzinfo=UTC)  # 14:00 in New York
DAY = timedelta(days=1)


def booked(chat: Chat, text: str = "women's cut with becky on tuesday at 14:00") -> Visit:
    chat.type(text)
    chat.tap("Book it")
    return next(visit for owner, visit in chat.salon.visits.values() if owner == chat.number)


def regular(chat: Chat) -> None:
    for days in (60, 30):
        visit = chat.salon.book(chat.number, 1, 1, TUESDAY - timedelta(days=days))
        chat.salon.visits[visit.id] = (chat.number, replace(visit, status="completed"))


def test_booking_plans_reminders_and_cancelling_takes_them_back() -> None:
    chat = Chat(Salon())
    visit = booked(chat)
    keys = {f"reminder:{visit.id}:{kind}" for kind in ("24h", "2h", "review")}
    assert set(chat.timers) == keys
    chat.tap("Cancel visit")
    chat.tap("Yes, cancel it")
    assert chat.timers == {}
    assert chat.reminders == {}


def test_booking_the_usual_plans_reminders_too() -> None:
    chat = Chat(Salon())
    regular(chat)
    chat.type("hi")
    title = chat.titles()[0]
    chat.tap(title)
    assert [type(ask).__name__ for ask in chat.asked] == ["HoldSlot", "BookSlot"]
    assert {ask.source for ask in chat.asked if isinstance(ask, fx.BookSlot)} == {"usual"}
    assert {key.rsplit(":")[-1] for key in chat.timers} == {"2h", "review"}  # it is tomorrow


def test_a_reminder_has_its_template_and_is_not_sent_after_the_visit_began() -> None:
    chat = Chat(Salon())
    visit = booked(chat)
    (say,) = chat.pass_time(timedelta(days=3, hours=5))
    assert say.template is not None
    assert say.template.name == "usual_visit_reminder"
    assert [button.id for button in say.buttons] == list(say.template.payloads)
    assert say.template.params[0] == "Salon Lumi"
    assert say.template.instead is not None
    assert say.until == visit.start
    assert not say.marketing
    assert chat.reminders[visit.id, "24h"] == "sent"


def test_an_answer_is_noted_with_the_reminder_it_was_given_to() -> None:
    chat = Chat(Salon())
    visit = booked(chat)
    chat.pass_time(timedelta(days=3, hours=5))
    chat.tap("Confirm")
    assert chat.reminders[visit.id, "24h"] == "confirmed"
    assert chat.salon.visits[visit.id][1].confirmed


def test_a_visit_of_somebody_else_cannot_be_confirmed_or_rated() -> None:
    chat = Chat(Salon())
    other = chat.salon.book(99, 1, 1, TUESDAY)
    for reply in (ConfirmComing(other.id, 0), Rate(other.id, 1)):
        chat.hear(ev.ReplyTapped(encode(reply)))
    assert chat.salon.visits[other.id] == (99, other)


def test_a_confirmation_is_heard_while_a_person_has_the_conversation() -> None:
    chat = Chat(Salon())
    visit = booked(chat)
    chat.pass_time(timedelta(days=3, hours=5))
    chat.type("I want to talk to a person")
    chat.hear(ev.ReplyTapped(encode(ConfirmComing(visit.id, 0))))
    assert chat.salon.visits[visit.id][1].confirmed


def test_whoever_was_just_asked_may_still_cancel_though_the_notice_has_begun() -> None:
    chat = Chat(Salon())
    booked(chat)
    chat.pass_time(timedelta(days=3, hours=5))
    assert TUESDAY - chat.salon.now < DAY
    chat.tap("Cancel visit")
    assert "Shall I cancel" in chat.text
    chat.pass_time(timedelta(hours=2))
    chat.tap("Cancel visit")
    assert "up to 24 hours before" in chat.text


def test_a_longer_notice_is_kept_all_the_same() -> None:
    salon = Salon()
    policy = salon.company.policy.model_copy(update={"cancel_notice_minutes": 3 * 24 * 60})
    salon.change(company=replace(LUMI, policy=policy))
    chat = Chat(salon)
    booked(chat)
    chat.pass_time(timedelta(days=3, hours=5))
    chat.tap("Cancel visit")
    assert "up to 3 days before" in chat.text


@pytest.mark.parametrize(
    ("text", "given"),
    [("5", 5), (" 4/5 ", 4), ("1.", 1), ("⭐⭐⭐", 3), ("★★★★★★", 5), ("⭐️⭐️", 2)],
)
def test_stars_are_read_as_they_are_written(text: str, given: int) -> None:
    assert stars(text) == given


@pytest.mark.parametrize("text", ["0", "6", "55", "", "five", "-1", "½", "٣"])
def test_other_texts_are_no_stars(text: str) -> None:
    assert stars(text) is None


@pytest.mark.parametrize(("title", "rating"), [("Great", 5), ("So-so", 3), ("Not good", 1)])
def test_a_tap_rates(title: str, rating: int) -> None:
    chat = Chat(Salon())
    visit = booked(chat)
    chat.pass_time(timedelta(days=6))
    chat.tap(title)
    assert chat.salon.visits[visit.id][1].rating == rating
    assert chat.reminders[visit.id, "review"] == str(rating)


def test_the_next_visit_is_planned_when_the_last_one_was_reviewed() -> None:
    chat = Chat(Salon())
    regular(chat)
    chat.type("hi")
    chat.tap("Something else")
    visit = booked_again(chat)
    chat.pass_time(timedelta(days=7))
    assert [key for key in chat.timers if key.endswith(":rebook")] == [
        f"reminder:{visit.id}:rebook"
    ]


def booked_again(chat: Chat) -> Visit:
    chat.type("women's cut with becky on tuesday at 14:00")
    chat.tap("Book it")
    return next(v for _, v in chat.salon.visits.values() if v.status == "confirmed")


@pytest.mark.parametrize("off", ["marketing_off", "opted_out"])
def test_nobody_is_suggested_anything_who_wants_nothing(off: str) -> None:
    chat = Chat(Salon())
    regular(chat)
    booked_again(chat)
    chat.pass_time(timedelta(days=7))
    setattr(chat, off, True)
    assert chat.pass_time(timedelta(days=60)) == []
    assert chat.step != "usual.suggesting"


def test_a_suggestion_is_marketing_and_says_so() -> None:
    chat = Chat(Salon())
    regular(chat)
    booked_again(chat)
    chat.pass_time(timedelta(days=7))
    (say,) = chat.pass_time(timedelta(days=60))
    assert say.marketing
    assert say.template is not None
    assert say.template.name == "usual_rebook"
    assert [button.id for button in say.buttons] == list(say.template.payloads)


def test_what_the_company_switches_off_does_not_happen() -> None:
    salon = Salon()
    policy = Policy(
        grid_minutes=30,
        first_reminder_minutes=0,
        second_reminder_minutes=0,
        ask_rating=False,
        suggest_usual=False,
        idle_minutes=0,
    )
    salon.change(company=replace(LUMI, policy=policy))
    chat = Chat(salon)
    booked(chat)
    chat.type("manicure")
    assert chat.timers == {}


def test_a_booking_costs_one_idle_timer_however_long_it_takes() -> None:
    chat = Chat(Salon())
    armed = []
    for text in ("manicure", "monday", "tuesday", "wednesday", "thursday"):
        chat.type(text)
        armed += [one for one in chat.effects if isinstance(one, fx.ArmTimer)]
        chat.pass_time(timedelta(minutes=1))
    assert [one.key for one in armed] == [f"idle:{chat.number}"]
    chat.type("never mind")
    assert fx.CancelTimer(f"idle:{chat.number}") in chat.effects


def test_somebody_who_writes_is_not_asked_whether_they_are_there() -> None:
    chat = Chat(Salon())
    chat.type("manicure")
    for _ in range(10):
        assert chat.pass_time(timedelta(minutes=10)) == []
        chat.type("and what about thursday?")
    assert chat.pass_time(timedelta(minutes=16)) != []
    assert chat.pass_time(timedelta(days=6)) == []


def test_nobody_is_asked_while_a_person_has_the_conversation_or_after_a_stop() -> None:
    for text in ("I want to talk to a person", "stop"):
        chat = Chat(Salon())
        chat.type("manicure")
        chat.type(text)
        assert chat.pass_time(timedelta(days=1)) == []
    chat = Chat(Salon())
    chat.type("manicure")
    chat.hear(ev.PersonReplied())
    assert chat.pass_time(timedelta(hours=3)) == []
