"""What impatient customers write: each gets a sensible next step, and never a dead end."""

from __future__ import annotations

import pytest

from tests.support.chat import Chat
from tests.support.happenings import happen
from tests.support.salon import Salon

CUT = "the customer booked earlier: Women's cut with Becky on Tue 24 Nov 11:00"
NAILS = "the customer booked earlier: Manicure with Maria on Thu 26 Nov 16:00"
REGULAR = (
    "the customer was there: Women's cut with Becky on Tue 3 Nov 11:00",
    "the customer was there: Women's cut with Becky on Tue 13 Oct 11:00",
)
WHAT = "What would you like?"
WHICH = "Which of these would you like?"
WHAT_RU = "На что вас записать?"

NEWCOMERS = {
    "hi i need a haricut tomorow mornin": f"Tomorrow, morning. {WHICH}",
    "can u fit me in today??": f"Today. {WHAT}",
    "anything free this afternoon": f"Today, afternoon. {WHAT}",
    "u got any slots 2day for mens cut": "Today, Men's cut. What time?",
    "need a trim asap": WHICH,
    "haircut after work": f"Evening. {WHICH}",
    "do you have anything monday or tuesday": f"Mon, Nov 23. {WHAT}",
    "tues or weds for a manicure": "Tue, Nov 24, Manicure with Maria.",
    "mani pedi on thursday": "Thu, Nov 26, Manicure and Pedicure with Maria.",
    "i need 2 haircuts": WHICH,
    "do my roots on tuesday": "Tue, Nov 24, Colour.",
    "women's cut with becky tuesday 11": "Women's cut with Becky, Tue, Nov 24, 11:00 AM",
    "women's cut with becky tuesday 24": "Tue, Nov 24, Women's cut with Becky. What time?",
    "women's cut with Zoe tuesday at 11": "There is nobody called Zoe here.",
    "3ish monday manicure": "Manicure with Maria, Mon, Nov 23, 3:00 PM",
    "manicure monday not before 2": "Manicure with Maria, Mon, Nov 23, 2:00 PM",
    "manicure mon wed or fri mornings": "Mon, Nov 23, Manicure with Maria.",
    "manicure in december": "Manicure with Maria. Which day?",
    "next month": f"Tue, Dec 1. {WHAT}",
    "manicure tomorrow 2 people": "I book one person at a time",
    "could it be late afternoon on monday": f"Mon, Nov 23, afternoon. {WHAT}",
    "book for 2 people tomorrow": "I book one person at a time",
    "for my daughter and me saturday 10am": "I book one person at a time",
    "CUT!!! TOMORROW!!! 10AM!!!": f"Tomorrow 10:00 AM. {WHICH}",
    "can I have an appointment pls xx": WHAT,
    "what services do you do": WHAT,
    "too expensive": WHAT,
    "who works there": "Our team: Becky, Kelly, Maria.",
    "how long does a colour take": "Colour: 90 min, $120",
    "whats ur number": "Our number is",
    "where r u": "You find us here",
    "whats the address": "You find us here",
    "are you a bot": "I'm the booking assistant of Salon Lumi",
    "is this a real person": "I've called someone",
    "my last cut was terrible": "I'm sorry to hear that.",
    "can i get a refund": "I'm sorry to hear that.",
    "thank u so much xx": "You're welcome!",
    "nevermind": "No problem!",
    "stop texting me": "Done: you won't hear",
    "yo": "Welcome to Salon Lumi.",
    "hello anyone there": "Welcome to Salon Lumi.",
    "💅": "I can book a visit for you",
    "???": "I can book a visit for you",
    "запиши на стрижку завтра после работы": "Завтра, вечер. Что из этого вам нужно?",
    "на завтра на 15 к келли на женскую стрижку": "Женская стрижка, Kelly, сб, 21 нояб., 15:00",
    "завтра 15 женская стрижка": "Женская стрижка, Becky, сб, 21 нояб., 15:00",
    "на 3 на маникюр в понедельник": "Маникюр, Maria, пн, 23 нояб., 15:00",
    "есть окошко сегодня?": f"Сегодня. {WHAT_RU}",
    "хочу подстричься": "Что из этого вам нужно?",
    "ногти сделать на вторник": "Вт, 24 нояб., Маникюр, Maria.",
    "запись на двоих завтра": "Записываю по одному человеку",
    "маникюр в декабре": "Маникюр, Maria. В какой день?",
    "кто у вас работает": "У нас работают: Becky, Kelly, Maria.",
    "вы где находитесь": "Наш адрес",
    "позовите администратора": "Передаю нашему сотруднику",
    "вы бот?": "Я бот для записи",
    "ой не туда": "Хорошо! Пишите",
    "а подешевле есть": WHAT_RU,
}
WITH_VISITS = {
    "am i booked?": "Your visits:",
    "when's my next appointment": "Your visits:",
    "wheres my confirmation": "Your visits:",
    "i confirm": "Your visits:",
    "see you tomorrow": "See you then!",
    "cancel both": "Which visit would you like to cancel?",
    "cancel my manicure please": "Shall I cancel Manicure with Maria",
    "i cant make it on thursday": "Shall I cancel Manicure with Maria",
    "move my manicure to monday at 3": "Manicure with Maria: from Thu, Nov 26, 4:00 PM to Mon",
    "can we do an hour later": "Which visit would you like to change?",
    "same time but wednesday": "Which visit would you like to change?",
    "я записана?": "Ваши записи:",
    "отмените обе записи": "Какую запись отменить?",
    "не смогу в четверг": "Отменить запись: Маникюр, Maria",
}


def begun(*happenings: str) -> Chat:
    chat = Chat(Salon())
    for one in happenings:
        happen(chat.salon, one, chat)
    return chat


@pytest.mark.parametrize(("text", "answer"), NEWCOMERS.items())
def test_a_newcomer_gets_a_next_step(text: str, answer: str) -> None:
    chat = begun()
    chat.type(text)
    assert chat.text.startswith(answer)
    assert chat.titles()


@pytest.mark.parametrize(("text", "answer"), WITH_VISITS.items())
def test_whoever_has_visits_is_heard_about_them(text: str, answer: str) -> None:
    chat = begun(CUT, NAILS)
    chat.type(text)
    assert chat.text.startswith(answer)
    assert chat.titles()


@pytest.mark.parametrize(
    ("text", "to"),
    [
        ("move it an hour later", "Tue, Nov 24, 12:00 PM"),
        ("can i come 30 min earlier", "Tue, Nov 24, 10:30 AM"),
        ("push it back by 2 hours? 2 hours later", "Tue, Nov 24, 1:00 PM"),
        ("a day later please", "Wed, Nov 25, 11:00 AM"),
        ("same time but wednesday", "Wed, Nov 25, 11:00 AM"),
        ("move it to 4pm", "Tue, Nov 24, 4:00 PM"),
        ("change my appointment to next friday 2pm", "Fri, Nov 27, 2:00 PM"),
    ],
)
def test_a_visit_is_moved_by_as_much_as_they_say(text: str, to: str) -> None:
    chat = begun(CUT)
    chat.type(text)
    assert chat.text.startswith(f"Women's cut with Becky: from Tue, Nov 24, 11:00 AM to {to}")


def test_a_visit_of_several_keeps_what_was_wished_for_it() -> None:
    chat = begun(CUT, NAILS)
    chat.type("перенесите на час позже")
    chat.type("вторую запись")
    assert "переносим с чт, 26 нояб., 16:00 на чт, 26 нояб., 17:00" in chat.text


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("the usual on tuesday", "Tue, Nov 24, Women's cut with Becky. What time?"),
        ("same again but on thursday", "Thu, Nov 26, Women's cut with Becky. What time?"),
        ("same as last time but a week later", "Fri, Nov 27, Women's cut with Becky."),
        ("the usual", "Hi! Your usual? Women's cut with Becky."),
    ],
)
def test_a_regular_s_usual_may_have_another_day(text: str, answer: str) -> None:
    chat = begun(*REGULAR)
    chat.type(text)
    assert chat.text.startswith(answer)


def test_whoever_is_in_a_hurry_gets_the_very_next_times() -> None:
    chat = begun()
    chat.type("need a trim asap")
    chat.type("mens")
    assert chat.text == "Men's cut. Some free times:"
    assert list(chat.rows())[:2] == ["★ Today 11:00 AM", "★ Today 12:00 PM"]


def test_corrections_go_on_from_what_is_in_front_of_them() -> None:
    chat = begun()
    for text, answer in (
        ("manicure", "Manicure with Maria. Which day?"),
        ("monday", "Mon, Nov 23, Manicure with Maria. What time?"),
        ("later", "Mon, Nov 23, Manicure with Maria. What time?"),
        ("a different day", "Manicure with Maria. Which day?"),
        ("25", "Wed, Nov 25, Manicure with Maria. What time?"),
        ("no, tuesday", "Tue, Nov 24, Manicure with Maria. What time?"),
        ("the second one", "Manicure with Maria, Tue, Nov 24, 10:30 AM"),
        ("11", "Manicure with Maria, Tue, Nov 24, 11:00 AM"),
        ("an hour later", "Manicure with Maria, Tue, Nov 24, 12:00 PM"),
        ("same time but wednesday", "Manicure with Maria, Wed, Nov 25, 12:00 PM"),
        ("earlier", "Nearest free times for Manicure with Maria:"),
        ("actually wednesday at 3", "Manicure with Maria, Wed, Nov 25, 3:00 PM"),
        ("another day", "Manicure with Maria. Which day?"),
        ("book it", "Manicure with Maria. Which day?"),
        ("someone else", "Manicure. With whom?"),
        ("nevermind", "All right, nothing is booked."),
    ):
        chat.type(text)
        assert chat.text.startswith(answer), text


def test_whoever_says_book_it_twice_is_shown_what_is_booked() -> None:
    chat = begun()
    chat.type("manicure with maria tuesday at 11")
    chat.type("book it")
    assert chat.text.startswith("Booked ✔ LUMI2")
    chat.type("book it")
    assert chat.text.startswith("Manicure with Maria")
    assert chat.titles()[:2] == ["Change", "Cancel visit"]
    chat.type("book a pedicure")
    assert chat.text.startswith("Pedicure with Maria")
