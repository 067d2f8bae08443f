"""My visits: whose they are, what can be done about them, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from flows import effects as fx
from flows import events as ev
from flows.model import Visit
from flows.replies import AskToCancel, CancelForSure, ChangeVisit, Reply, ShowVisit, encode
from tests.support.chat import Chat
from tests.support.happenings import happen
from tests.support.lumi import LUMI
from tests.support.salon import Salon

TUESDAY = datetime(2026, 11, 24, 16, tzinfo=UTC)  # 11:00 in New York


def with_visit(start: datetime = TUESDAY) -> tuple[Chat, Visit]:
    chat = Chat(Salon())
    return chat, chat.salon.book(chat.number, 1, 1, start)


def tap(chat: Chat, reply: Reply) -> None:
    chat.hear(ev.ReplyTapped(encode(reply)))


def test_one_visit_is_shown_at_once_and_several_as_a_list() -> None:
    chat, _ = with_visit()
    chat.type("my visits")
    assert chat.step == "manage.viewing_visit"
    chat.salon.book(chat.number, 4, 3, TUESDAY)
    chat.type("my visits")
    assert chat.step == "manage.choosing_visit"


def test_more_visits_than_a_list_holds_come_in_pages() -> None:
    chat = Chat(Salon())
    for n in range(11):
        chat.salon.book(chat.number, 1, 1, TUESDAY + timedelta(days=n))
    chat.type("my visits")
    assert len(chat.titles()) == 10
    assert chat.titles()[-2:] == ["More visits", "Past visits"]
    chat.tap("More visits")
    assert len(chat.titles()) == 4


@pytest.mark.parametrize("kind", [ShowVisit, ChangeVisit, AskToCancel, CancelForSure])
def test_the_visit_of_somebody_else_is_not_found(kind: type[ShowVisit]) -> None:
    chat = Chat(Salon())
    other = chat.salon.book(99, 1, 1, TUESDAY)
    tap(chat, kind(other.id))
    assert chat.text == "That visit can't be changed any more."
    assert chat.salon.visits[other.id] == (99, other)


def test_cancelling_asks_first() -> None:
    chat, visit = with_visit()
    chat.type("cancel my appointment")
    assert chat.titles() == ["Yes, cancel it", "Keep it", "Change"]
    assert chat.salon.visits[visit.id][1].status == "confirmed"
    chat.type("no")
    assert chat.text == "All right, everything stays as it is."
    assert chat.salon.visits[visit.id][1].status == "confirmed"


@pytest.mark.parametrize("yes", ["yes", "Yes, cancel it", "1"])
def test_a_yes_cancels(yes: str) -> None:
    chat, visit = with_visit()
    chat.type("cancel my appointment")
    chat.type(yes)
    assert chat.salon.visits[visit.id][1].status == "cancelled"
    assert chat.text == "Cancelled: Women's cut with Becky, Tue, Nov 24, 11:00 AM."
    assert fx.Record("visit_cancelled", {"booking_id": str(visit.id)}) in chat.effects


def test_cancelling_twice_says_that_it_is_cancelled() -> None:
    chat, _ = with_visit()
    chat.type("cancel my appointment")
    chat.tap("Yes, cancel it")
    chat.tap("Yes, cancel it")
    assert chat.text.startswith("That visit is cancelled.")


def test_time_that_runs_out_while_they_think_is_noticed() -> None:
    chat, visit = with_visit()
    chat.type("cancel my appointment")
    chat.salon.now = TUESDAY - timedelta(hours=3)
    chat.tap("Yes, cancel it")
    assert "up to 24 hours before" in chat.text
    assert chat.salon.visits[visit.id][1].status == "confirmed"


@pytest.mark.parametrize(
    ("minutes", "rule"),
    [
        (24 * 60, "up to 24 hours before"),
        (60, "up to 1 hour before"),
        (72 * 60, "up to 3 days before"),
        (90, "up to 90 minutes before"),
    ],
)
def test_the_rule_is_said_in_the_unit_that_people_use(minutes: int, rule: str) -> None:
    chat, visit = with_visit()
    policy = LUMI.policy.model_copy(update={"cancel_notice_minutes": minutes})
    chat.salon.change(company=replace(LUMI, policy=policy))
    chat.salon.now = visit.start - timedelta(minutes=minutes - 1)
    chat.type("can I come later?")
    assert rule in chat.text
    assert chat.titles() == ["Talk to us", "Call us", "Menu"]


def test_without_a_rule_a_visit_can_be_cancelled_until_it_starts() -> None:
    chat, visit = with_visit()
    policy = LUMI.policy.model_copy(update={"cancel_notice_minutes": 0})
    chat.salon.change(company=replace(LUMI, policy=policy))
    chat.salon.now = visit.start - timedelta(minutes=1)
    chat.type("cancel my appointment")
    assert chat.step == "manage.cancelling_visit"
    chat.salon.now = visit.start
    chat.tap("Yes, cancel it")
    assert chat.text.startswith("That visit has passed.")


def test_moving_keeps_the_code_and_frees_the_old_time_only_for_the_new_one() -> None:
    chat, visit = with_visit()
    chat.type("reschedule")
    chat.tap("Tue, Nov 24")
    assert "11:00 AM" not in chat.titles(), "that is where it is now"
    chat.type("11:30")
    assert chat.step == "booking.confirming", "their own visit does not block them"
    assert chat.salon.visits[visit.id][1] == visit, "nothing is moved before they say so"
    chat.tap("Move it")
    moved = chat.salon.visits[visit.id][1]
    assert (moved.code, moved.start) == (visit.code, TUESDAY + timedelta(minutes=30))
    assert len(chat.salon.visits) == 1


def test_a_list_of_one_visit_does_not_move_another() -> None:
    chat, first = with_visit()
    second = chat.salon.book(chat.number, 1, 1, TUESDAY + timedelta(days=2))
    tap(chat, ChangeVisit(first.id))
    tap(chat, ChangeVisit(second.id))
    chat.tap("Wed, Nov 25", older=1)
    chat.tap("2:00 PM")
    assert "from Tue, Nov 24, 11:00 AM to Wed, Nov 25, 2:00 PM" in chat.text
    chat.tap("Move it")
    assert chat.salon.visits[second.id][1] == second
    assert chat.salon.visits[first.id][1].moves == 1


def test_a_typed_wish_moves_the_visit_too() -> None:
    chat, visit = with_visit()
    chat.type("move my appointment")
    chat.type("thursday at 3 with kelly")
    chat.type("yes")
    moved = chat.salon.visits[visit.id][1]
    assert (moved.staff_id, moved.start) == (2, datetime(2026, 11, 26, 20, tzinfo=UTC))


def test_another_service_is_not_slipped_into_a_visit_that_is_moved() -> None:
    chat, visit = with_visit()
    chat.type("move my appointment")
    chat.type("manicure on thursday at 3")
    chat.type("yes")
    assert chat.salon.visits[visit.id][1].service_id == visit.service_id


def test_the_new_time_may_be_lost_to_somebody_else() -> None:
    chat, visit = with_visit()
    chat.type("move my appointment")
    chat.type("thursday at 3")
    chat.salon.now += timedelta(minutes=6)
    happen(chat.salon, "somebody else books Becky on Thu 26 Nov 15:00", chat)
    chat.tap("Move it")
    assert chat.text.startswith("Thu, Nov 26, 3:00 PM is no longer free.")
    assert chat.salon.visits[visit.id][1] == visit
    chat.hear(ev.TextReceived("1"))
    chat.tap("Move it")
    assert chat.salon.visits[visit.id][1].start != visit.start


def test_a_visit_that_was_cancelled_meanwhile_is_not_moved() -> None:
    chat, visit = with_visit()
    chat.type("move my appointment")
    chat.type("thursday at 3")
    chat.salon.visits[visit.id] = (chat.number, replace(visit, status="cancelled"))
    chat.tap("Move it")
    assert chat.text.startswith("That visit is cancelled.")


def test_keep_it_leaves_everything_as_it_is() -> None:
    chat, visit = with_visit()
    chat.type("move my appointment")
    chat.type("thursday at 3")
    chat.tap("Keep it")
    assert chat.salon.holds == {}
    assert chat.salon.visits[visit.id][1] == visit


def test_a_visit_whose_service_is_gone_leads_to_a_person() -> None:
    chat, _ = with_visit()
    happen(chat.salon, "Women's cut is no longer offered", chat)
    chat.type("move my appointment")
    assert chat.titles() == ["Talk to us", "Call us", "Menu"]


def test_a_visit_is_described_as_it_was_booked() -> None:
    chat, _ = with_visit()
    happen(chat.salon, "Becky leaves", chat)
    happen(chat.salon, "Women's cut is no longer offered", chat)
    chat.type("my visits")
    assert chat.text.startswith("Women's cut with Becky\nTue, Nov 24, 11:00 AM\n")


def test_a_visit_is_shown_by_the_clock_that_was_told() -> None:
    chat, visit = with_visit()
    chat.salon.visits[visit.id] = (chat.number, replace(visit, timezone="Europe/Berlin"))
    chat.type("my visits")
    assert "Tue, Nov 24, 5:00 PM" in chat.text
    chat.salon.visits[visit.id] = (chat.number, replace(visit, timezone="Mars/Olympus"))
    chat.type("my visits")
    assert "Tue, Nov 24, 11:00 AM" in chat.text


def test_a_visit_of_long_ago_has_its_year_and_its_time_in_the_note() -> None:
    chat = Chat(Salon())
    chat.salon.book(chat.number, 1, 1, datetime(2025, 3, 4, 16, tzinfo=UTC))
    chat.type("my visits")
    chat.tap("Past visits")
    [(title, note)] = chat.rows().items()
    assert title == "Tue, Mar 4, 2025"
    assert " ".join(note.split()) == "11:00 AM, Women's cut with Becky"


def test_a_visit_nobody_knows_is_gone() -> None:
    chat = Chat(Salon())
    tap(chat, ShowVisit(UUID(int=4711)))
    assert chat.text == "That visit can't be changed any more."
    assert chat.step == "menu.idle"


def test_it_is_the_visit_that_they_have_or_the_booking_that_is_going_on() -> None:
    chat, _ = with_visit()
    chat.type("could you move it to friday?")
    assert chat.step == "booking.choosing_time", "the day is known"
    assert "What time?" in chat.text
    whenever, _ = with_visit()
    whenever.type("can you move it?")
    assert "Which day instead?" in whenever.text
    other = Chat(Salon())
    other.type("manicure tomorrow")
    other.type("move it to monday")
    assert other.step == "booking.choosing_time"


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("manicure, the earliest you have", "booking.choosing_time"),
        ("book me the same as last time", "booking.choosing_service"),
        ("the usual please", "booking.choosing_service"),
        ("как обычно", "booking.choosing_service"),
    ],
)
def test_what_is_asked_for_in_passing_leads_into_a_booking(text: str, step: str) -> None:
    chat = Chat(Salon())
    chat.type(text)
    assert chat.step == step


def test_a_visit_of_a_later_week_is_known_by_its_weekday_and_moved_within_its_week() -> None:
    chat, visit = with_visit(TUESDAY + timedelta(days=14))
    chat.type("move tuesday to thursday at 3")
    assert chat.text.startswith("Women's cut with Becky: from Tue, Dec 8, 11:00 AM to Thu, Dec 10")
    chat.tap("Move it")
    assert chat.salon.visits[visit.id][1].start == TUESDAY + timedelta(days=16, hours=4)


def test_a_day_on_which_there_is_no_visit_is_said_and_the_wish_kept() -> None:
    chat, _ = with_visit()
    chat.type("move thursday to wednesday at 2")
    assert chat.text.startswith("Thu, Nov 26: you have no visit then.")
    chat.tap(chat.titles()[0])
    assert "to Wed, Nov 25, 2:00 PM" in chat.text
