"""What is the same everywhere: consent, a person, what needs no answer, what we cannot use."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from flows import effects as fx
from flows import events as ev
from tests.support.chat import Chat
from tests.support.lumi import LUMI
from tests.support.salon import Salon

PLACES = {
    "idle": [],
    "a list of services": ["book"],
    "a list of people": ["colour"],
    "a list of days": ["colour with kelly"],
    "a list of times": ["colour with kelly tomorrow"],
    "a confirmation": ["colour with kelly on wednesday at 11"],
    "my visits": ["my visits"],
}
ANYWHERE = pytest.mark.parametrize("typed", PLACES.values(), ids=PLACES.keys())


def at(typed: list[str]) -> Chat:
    chat = Chat(Salon())
    for text in typed:
        chat.type(text)
    return chat


@ANYWHERE
@pytest.mark.parametrize("word", ["STOP", "stop please", "Unsubscribe", "СТОП", "не пишите мне"])
def test_stop_is_obeyed_anywhere(typed: list[str], word: str) -> None:
    chat = at(typed)
    said = chat.type(word)
    assert fx.OptOut() in chat.effects
    assert chat.opted_out
    assert chat.salon.holds == {}
    assert chat.step == "menu.idle"
    assert len(said) == 1


@pytest.mark.parametrize("start", ["start", "START", "старт", "[Messages on]"])
def test_start_takes_a_stop_back(start: str) -> None:
    chat = at(["stop"])
    if start.startswith("["):
        chat.tap(start[1:-1])
    else:
        chat.type(start)
    assert not chat.opted_out


def test_start_without_a_stop_is_a_greeting() -> None:
    chat = at(["start"])
    assert chat.text.startswith("Welcome to Salon Lumi.")


def test_after_stop_one_sensible_answer_and_then_silence_but_for_what_they_ask() -> None:
    chat = at(["stop"])
    assert [len(chat.type(text)) for text in ("hm", "hmm", "hmmm")] == [1, 0, 0]
    chat.type("manicure on monday at 11")
    chat.type("yes")
    assert chat.text.startswith("Booked ✔")
    assert chat.opted_out, "asking for a visit is no wish for messages"


def test_stop_is_obeyed_while_a_person_has_the_conversation() -> None:
    chat = at(["person", "stop"])
    assert chat.opted_out


@ANYWHERE
@pytest.mark.parametrize("wish", ["person", "can I talk to someone?", "оператор"])
def test_a_person_is_called_from_anywhere(typed: list[str], wish: str) -> None:
    chat = at(typed)
    chat.type(wish)
    assert chat.person_until == chat.salon.now + timedelta(minutes=LUMI.policy.person_minutes)
    assert chat.type("hello?") == []


def test_a_person_keeps_it_until_the_time_is_over() -> None:
    chat = at(["person"])
    chat.salon.now += timedelta(minutes=LUMI.policy.person_minutes - 1)
    assert chat.type("hi") == []
    chat.salon.now += timedelta(minutes=1)
    assert len(chat.type("hi")) == 1


def test_a_person_gives_it_back() -> None:
    chat = at(["person"])
    assert chat.hear(ev.PersonReturned()) == []
    assert chat.effects == [fx.DismissPerson()]
    assert len(chat.type("hi")) == 1


def test_the_owner_who_answers_by_hand_pauses_the_bot_where_it_is() -> None:
    chat = at(["colour with kelly tomorrow"])
    assert chat.hear(ev.PersonReplied()) == []
    assert chat.type("1") == []
    assert chat.hear(ev.ReplyTapped("menu:book")) == []
    chat.hear(ev.PersonReturned())
    chat.type("1")
    assert chat.step == "booking.confirming"


def test_a_tap_that_books_is_heard_while_a_person_has_the_conversation() -> None:
    chat = at(["colour with kelly on wednesday at 11"])
    chat.hear(ev.PersonReplied())
    chat.tap("Book it")
    assert chat.text.startswith("Booked ✔")
    assert chat.type("thanks") == []


def test_a_tap_that_cannot_book_any_more_says_so_and_leaves_the_rest_to_the_person() -> None:
    chat = at(["colour with kelly on wednesday at 11"])
    chat.hear(ev.PersonReplied())
    chat.salon.now += timedelta(minutes=6)
    start = chat.salon.holds[1].slot.start
    chat.salon.taken.append((2, start, start + timedelta(hours=1)))
    chat.tap("Book it")
    assert chat.text.endswith("Someone from the team is in this chat and will help.")


def test_back_to_booking_dismisses_the_person() -> None:
    chat = at(["person"])
    chat.tap("Back to the menu")
    assert chat.person_until is None
    assert chat.titles() == ["Book a visit", "My visits", "Talk to us"]


def test_what_broke_on_our_side_leads_to_an_apology_and_a_person() -> None:
    chat = at(["colour with kelly tomorrow"])
    chat.hear(ev.TurnFailed())
    assert chat.text.startswith("Something went wrong on our side.")
    assert chat.person_until is not None
    assert fx.CallPerson(chat.person_until, "failed") in chat.effects


@ANYWHERE
@pytest.mark.parametrize(
    "event",
    [
        ev.ReactionReceived("👍"),
        ev.ReactionReceived(""),
        ev.MessageDeleted(),
        ev.NumberChanged(),
        ev.SendFailed(131047),
        ev.MessageEdited("hello"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_needs_no_answer_gets_none(typed: list[str], event: ev.Event) -> None:
    chat = at(typed)
    before = chat.stored
    assert chat.hear(event) == []
    assert chat.effects == []
    assert chat.stored == before


@ANYWHERE
@pytest.mark.parametrize(
    "event",
    [
        ev.MediaReceived("voice"),
        ev.MediaReceived("image"),
        ev.MediaReceived("video"),
        ev.MediaReceived("document"),
        ev.MediaReceived("sticker"),
        ev.MediaReceived("something new"),
        ev.LocationReceived(1.0, 2.0),
        ev.ContactsReceived(2),
        ev.ContactsReceived(1, "12125550100"),
        ev.FormAnswered("flow", "{"),
        ev.UnknownReceived("poll"),
        ev.TextReceived(""),
        ev.TextReceived("blorp"),
        ev.ReplyTapped("an:old:template", ""),
    ],
    ids=lambda event: f"{type(event).__name__} {getattr(event, 'kind', '')}",
)
def test_what_we_cannot_use_gets_one_answer_and_the_question_again(
    typed: list[str], event: ev.Event
) -> None:
    chat = at(typed)
    before = chat.step
    assert len(chat.hear(event)) == 1
    assert chat.step == before
    assert chat.titles()


def test_a_caption_is_read_like_a_text() -> None:
    chat = at([])
    chat.hear(ev.MediaReceived("image", "manicure like this on monday at 11"))
    assert chat.step == "booking.confirming"


def test_a_correction_of_what_was_not_understood_is_read() -> None:
    chat = at(["book", "manikjur"])
    chat.hear(ev.MessageEdited("manicure"))
    assert chat.text == "Manicure with Maria. Which day?"


def test_a_tap_on_a_foreign_button_is_read_by_its_title() -> None:
    chat = at([])
    chat.hear(ev.ReplyTapped("from:another:system", "My visits"))
    assert chat.text == "You have no visits ahead."


def test_a_welcome_that_whatsapp_asks_for_is_a_greeting() -> None:
    chat = at([])
    chat.hear(ev.UnknownReceived("request_welcome"))
    assert chat.text.startswith("Welcome to Salon Lumi.")


def test_misses_are_forgotten_when_something_is_understood() -> None:
    chat = at(["book", "blorp", "blorp", "colour", "blorp", "blorp"])
    assert chat.step == "booking.choosing_staff"
    assert "Please pick one" in chat.text


def test_after_three_misses_a_person_is_offered_and_after_four_called() -> None:
    chat = at(["book", "blorp", "blorp", "blorp"])
    assert chat.titles() == ["Talk to us", "Call us", "Carry on"]
    chat.type("blorp")
    assert chat.person_until is not None


@ANYWHERE
def test_the_phone_number_leaves_the_open_question_open(typed: list[str]) -> None:
    chat = at(typed)
    before = chat.step
    chat.type("phone number")
    assert "+1 212 555 0123" in chat.text
    assert chat.step == before


def test_without_a_phone_or_an_address_nothing_is_made_up() -> None:
    chat = Chat(Salon(company=replace(LUMI, phone=None, address=None)))
    chat.type("phone number")
    assert chat.text.startswith("We have no phone line")
    chat.type("where are you?")
    assert "None" not in chat.text
    chat.type("manicure on monday at 11")
    chat.type("yes")
    assert "None" not in chat.text
    assert chat.last.attachment is not None
    assert "LOCATION" not in chat.last.attachment.content


def test_a_greeting_starts_over_wherever_a_conversation_stands() -> None:
    chat = at(["colour with kelly tomorrow", "Hello!"])
    assert chat.step == "menu.idle"
    assert chat.titles() == ["Book a visit", "My visits", "Talk to us"]


def test_a_greeting_before_a_wish_is_no_reason_to_start_over() -> None:
    chat = at(["Good morning, a manicure on monday at 11 please"])
    assert chat.step == "booking.confirming"


@pytest.mark.parametrize("word", ["stopover", "I can't stop laughing", "bus stop?"])
def test_a_word_like_stop_within_a_sentence_is_no_stop(word: str) -> None:
    chat = at([word])
    assert not chat.opted_out
