"""Every sentence, button and row that customers read; nothing is worded elsewhere.

The English texts here are the keys of the catalogues in `locales/`. Each has the limit that
WhatsApp sets to its place, counted after translation; a test holds all to it in every language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from flows import formats
from flows.catalogues import CATALOGUES, SOURCE
from flows.model import AFTERNOON, EVENING, MORNING, Company
from flows.values import valueclass

NAME: Final = 120
"""How much of a catalogue name a sentence shows, in UTF-16 units."""
ADDRESS: Final = 200
BUTTON: Final = 20
"""How long the title of a button may be."""
_MARK: Final = "\u200f"  # makes a line run from right to left whatever it begins with
_TWO_STOPS: Final = re.compile(r"(?<!\.)\.\.(?!\.)")
_FAR: Final = timedelta(days=180)


@valueclass(frozen=True, slots=True)
class Message:
    """A text by its English source; `plural` where it depends on a number `n`."""

    source: str
    limit: int
    plural: str = ""


def sentence(source: str) -> Message:
    """Declare something we say."""
    return Message(source, 700)


def counted(source: str, plural: str) -> Message:
    """Declare something we say about a number of things."""
    return Message(source, 700, plural)


def button(source: str) -> Message:
    """Declare the title of a reply button, or of the button that opens a list."""
    return Message(source, 20)


def row(source: str) -> Message:
    """Declare the title of a list row, or of a section of rows."""
    return Message(source, 24)


def note(source: str) -> Message:
    """Declare the second line of a list row."""
    return Message(source, 72)


def counted_note(source: str, plural: str) -> Message:
    """Declare the second line of a list row about a number of things."""
    return Message(source, 72, plural)


def footer(source: str) -> Message:
    """Declare the small print under a message."""
    return Message(source, 60)


def keywords(source: str) -> Message:
    """Declare what customers may type for one thing, separated by bars; see flows.keywords."""
    return Message(source, 700)


# The menu
GREETING = sentence("Welcome to {company}. I can book you in right here.")
GREETING_OFF = sentence(
    "Hello from {company}. Your messages from us are switched off, so I only answer when you write."
)
MENU_HINT = sentence(
    "I can book a visit for you, show the visits you have, put you on the waitlist, or fetch a"
    " person."
)
BOOK_A_VISIT = button("Book a visit")
MY_VISITS = button("My visits")
TALK_TO_US = button("Talk to us")
CALL_US = button("Call us")
MENU = button("Menu")
CARRY_ON = button("Carry on")
PHONE_NUMBER = sentence("Our number is {phone}. You can also go on right here.")
NO_PHONE = sentence("We have no phone line, but someone from the team can write to you here.")
OUR_ADDRESS = sentence("You find us here: {address}")
OUR_TEAM = sentence("Our team: {team}.")
WORKS_ON = sentence("{staff}: {day}, {hours}.")
NOT_IN_ON = sentence("{staff} doesn't work {day}.")
A_BOT = sentence(
    "I'm the booking assistant of {company}, a program. A person from the team is one tap away."
)
SEE_YOU_THEN = sentence("See you then!")
NO_HURRY = sentence("Take your time, I'm here.")
WILL_REMIND = sentence("I'll remind you of every visit in good time, right here.")
FOR_THE_TEAM = sentence("That's one for the team: I can't answer it myself. Shall I call someone?")
NO_MATTER = sentence("No problem! Just write when you need something.")
ONE_PERSON = sentence("I book one person at a time, so let's begin with the first.")
ONE_AFTER_OTHER = sentence("One after the other: this first, then {next}.")
GO_ON_WITH = sentence("Shall we go on? Next: {next}.")
STILL_TO_BOOK = sentence("Still to book: {next}.")
NEXT_ONE = button("Next: {short}")
THE_NEXT_ONE = note("the next one")
BOOK_THE_NEXT = button("Book the next one")
OUR_HOURS = sentence("Our hours:")
OPEN_ON = sentence("We're open {day}, {hours}.")
CLOSED_ON = sentence("We're closed {day}.")
DAY_HOURS = sentence("{day}: {hours}")
CLOSED = note("closed")
DAY_OFF = note("off")
PRICE_OF = sentence("{service}: {details}")
WELCOME = sentence("You're welcome! Write any time.")

# Booking, what and who
WHAT = sentence("What would you like?")
WHICH_OF_THESE = sentence("Which of these would you like?")
ONE_AT_A_TIME = sentence("I book one thing at a time, so let's begin with one.")
WRITE_IT = footer("Or just write it: “haircut on Friday at 3”")
SERVICES = button("Services")
MORE_SERVICES = row("More services")
OTHERS = row("Other")
MINUTES = counted_note("{n} min", "{n} min")
FROM_PRICE = note("from {price}")
LIST_JOIN = note("{first}, {second}")
WITH_WHOM = sentence("{service}. With whom?")
TEAM = button("Team")
ANYONE = row("Anyone")
MORE_STAFF = row("More people")
EARLIEST = note("earliest: {when}")
FULLY_BOOKED = note("nothing free in the coming weeks")

# Booking, when
WHICH_DAY = sentence("{what}. Which day?")
WHICH_DAY_INSTEAD = sentence("{what}, now on {when}. Which day instead?")
WITH = sentence("{service} with {staff}")
AND = sentence("{first} and {second}")
THEN = sentence("{first}, then {second}")
DAYS = button("Days")
TODAY = row("today")
TOMORROW = row("tomorrow")
WHEN_NEAR = row("{day} {time}")
WHEN_DATE = row("{day}, {time}")
# On the night the clocks go back, some times come twice.
FIRST_COMING = sentence("{time} (before the clocks change)")
SECOND_COMING = sentence("{time} (after the clocks change)")
TIMES_LEFT = counted_note("{n} time", "{n} times")
BUSY = {
    MORNING: note("{times}, busy morning"),
    AFTERNOON: note("{times}, busy afternoon"),
    EVENING: note("{times}, busy evening"),
}
LATER_DATES = row("Later dates")
WHAT_TIME = sentence("{day}, {what}. What time?")
TIMES = button("Times")
PARTS = {
    MORNING: row("Morning"),
    AFTERNOON: row("Afternoon"),
    EVENING: row("Evening"),
}
POPULAR = note("★ popular")
BEST = row("★ {when}")
MORE_TIMES = row("More times")
DIFFERENT_DAY = row("Different day")
NEAREST = sentence("Nearest free times for {what}:")
SOME_TIMES = sentence("{what}. Some free times:")
WRITE_WHEN = footer("Or write a day and time: “Friday at 3”")

# Booking, why something else is shown than was wanted
JUST_GONE = sentence("{when} is no longer free.")
NOT_FREE = sentence("{when} isn't free.")
IS_OVER = sentence("{when} has passed.")
DAY_IS_FULL = sentence("{day}: nothing free.")
PART_IS_FULL = {
    MORNING: sentence("{day}: the morning is full."),
    AFTERNOON: sentence("{day}: the afternoon is full."),
    EVENING: sentence("{day}: the evening is full."),
}
TOO_FAR = sentence("I can book up to {day}.")
NOBODY_CALLED = sentence("There is nobody called {name} here. Our team: {team}.")
DOES_NOT_DO_IT = sentence("{staff} doesn't do {service}.")
NOBODY_ELSE = sentence("Nobody but {staff} does {service} here.")
NOT_BY = sentence("Not with {staff}.")
SERVICE_GONE = sentence("That one is no longer offered.")
STAFF_GONE = sentence("That person can't be booked for it any more.")
NOTHING_FREE = sentence("I'm sorry: {what} has no free time in the coming weeks.")
NOTHING_TO_BOOK = sentence("Visits can't be booked here at the moment.")
CALL_OR_TALK = sentence("You can call us on {phone}, or someone from the team can write to you.")
TALK_INSTEAD = sentence("Someone from the team can write to you here.")
OTHER_PERSON = button("Other person")
OTHER_SERVICE = button("Other service")

# Booking, held, booked, moved
HELD = counted(
    "{visit}. I keep it for you for {n} minute.", "{visit}. I keep it for you for {n} minutes."
)
NOT_HELD = sentence("{visit}. Shall I book it?")
VISIT = sentence("{what}, {when}, {details}")
BY_CLOCKS_OF = sentence("{when} ({place} time)")
BOOK_IT = button("Book it")
OTHER_TIME = button("Other time")
CANCEL = button("Cancel")
BOOKED = sentence("Booked ✔ {code}")
HOW_TO_CHANGE = sentence("Something came up? Change or cancel it below, or write to us here.")
HOW_TO_CHANGE_UNTIL = sentence("You can change or cancel it here until {when}.")
NOT_BOOKED = sentence("All right, nothing is booked.")
MOVING_HELD = counted(
    "{what}: from {old} to {new}, {details}. I keep the new time for you for {n} minute.",
    "{what}: from {old} to {new}, {details}. I keep the new time for you for {n} minutes.",
)
MOVING_NOT_HELD = sentence("{what}: from {old} to {new}, {details}. Shall I move it?")
MOVE_IT = button("Move it")
KEEP_IT = button("Keep it")
MOVED = sentence("Moved ✔ {code}")
ADD_IT = button("Add it")
ADDED = sentence("Added ✔ {code}")
ADDING = sentence("All in one visit: {visit}")
AFTER_IT = sentence("{what}: I can't add it to that visit, but I can book it for right after.")
HAS_IT_ALREADY = sentence("That is part of your visit already: {what}, {when}.")
ADD_WHAT = sentence("What shall I add? {what}, {when}.")
KEPT = sentence("All right, everything stays as it is.")
FILE_SUMMARY = sentence("{service}, {company}")

# My visits
YOUR_VISITS = sentence("Your visits:")
WHICH_TO_CHANGE = sentence("Which visit would you like to change?")
WHICH_TO_ADD_TO = sentence("Which visit shall I add it to?")
WHICH_TO_CANCEL = sentence("Which visit would you like to cancel?")
OTHER_SERVICE_OTHER_VISIT = sentence(
    "I can't change what a visit is for, but I can book this one, and you can cancel the other."
)
NO_VISITS = sentence("You have no visits ahead.")
NO_VISIT_THEN = sentence("{when}: you have no visit then.")
NO_PAST_VISITS = sentence("You have no past visits.")
MORE_VISITS = row("More visits")
PAST_VISITS = button("Past visits")
YOUR_PAST_VISITS = sentence("Your past visits:")
VISITS = button("Visits")
CHANGE = button("Change")
CANCEL_VISIT = button("Cancel visit")
BOOK_AGAIN = button("Book again")
REALLY_CANCEL = sentence("Shall I cancel {what} on {when}?")
YES_CANCEL = button("Yes, cancel it")
CANCELLED = sentence("Cancelled: {what}, {when}.")
TOO_LATE_HOURS = counted(
    "Visits can be changed or cancelled here up to {n} hour before they start.",
    "Visits can be changed or cancelled here up to {n} hours before they start.",
)
TOO_LATE_MINUTES = counted(
    "Visits can be changed or cancelled here up to {n} minute before they start.",
    "Visits can be changed or cancelled here up to {n} minutes before they start.",
)
TOO_LATE_DAYS = counted(
    "Visits can be changed or cancelled here up to {n} day before they start.",
    "Visits can be changed or cancelled here up to {n} days before they start.",
)
VISIT_GONE = sentence("That visit can't be changed any more.")
VISIT_IS_OVER = sentence("That visit has passed.")
VISIT_IS_CANCELLED = sentence("That visit is cancelled.")

# Consent
STOPPED = sentence(
    "Done: you won't hear from {company} unless you write first, not even reminders of your visits."
    " START switches messages on again."
)
STARTED = sentence("Welcome back: {company} may write to you again, about your visits above all.")
MESSAGES_ON = button("Messages on")

# A person
PERSON_CALLED = sentence("I've called someone from the team; they'll answer right here.")
PERSON_CALLED_BY_US = sentence("I'd better leave this to a person; they'll answer right here.")
PERSON_CAN_HELP = sentence("Someone from the team is in this chat and will help.")
OR_CALL = sentence("If it's urgent, call {phone}.")
WENT_WRONG = sentence("Something went wrong on our side.")
BACK_TO_BOT = button("Back to the menu")

# When we did not understand
PICK_ONE = sentence("Please pick one, or tell me in other words.")
PICK_OR_PERSON = sentence("I'm not getting this. Shall someone from the team answer you?")
NO_VOICE = sentence("I can't listen to voice messages.")
NO_PICTURES = sentence("I can't look at pictures; the team can.")
NO_FILES = sentence("I can't open files; the team can.")
NO_PLACES = sentence("I can't use a location.")
NO_CONTACTS = sentence("I can't use contact cards.")
NO_SUCH_KIND = sentence("I can't open this kind of message.")
NUMBER_NOTED = sentence("Thank you, I have your number.")
WHICH_LANGUAGE = sentence("Which language shall I speak?")
SPEAKING = sentence("I speak English now.")
LANGUAGES = button("Languages")


@valueclass(frozen=True, slots=True)
class Words:
    """One language as one region writes it: the texts, dates, times and money."""

    tag: str  # for Babel: en_US
    language: str  # of the catalogue: en
    right_to_left: bool = False

    def __call__(self, message: Message, **values: object) -> str:
        """Say something, with values for its placeholders."""
        return self._direct(CATALOGUES[self.language].gettext(message.source), values)

    def count(self, message: Message, n: int, **values: object) -> str:
        """Say something about `n` things."""
        translations = CATALOGUES[self.language]
        text = translations.ngettext(message.source, message.plural, n)
        return self._direct(text, {**values, "n": n})

    def _direct(self, text: str, values: Mapping[str, object]) -> str:
        if values:
            # Placeholders stand in our own texts; what others wrote is a value, never a format.
            text = text.format_map(values)
            if ".." in text:
                text = _TWO_STOPS.sub(".", text)  # after "20 дек." a sentence has ended already
        if self.right_to_left:
            lines = text.replace(_MARK, "").split("\n")
            return "\n".join(_MARK + line if line else line for line in lines)
        return text

    def day(self, day: date, today: date) -> str:
        """Name a day within a sentence: `tomorrow`, `Sat, Nov 21`."""
        if day == today:
            return self(TODAY)
        if day - today == timedelta(days=1):
            return self(TOMORROW)
        return self.dated(day, today)

    def dated(self, day: date, today: date) -> str:
        """Name a day by its date, even if it is near: `Sat, Nov 21`."""
        far = day.year != today.year and abs(day - today) > _FAR
        return formats.day_text(self.tag, day, year=far)

    def time(self, at: time) -> str:
        """Write a time of day."""
        return formats.time_text(self.tag, at.replace(second=0, microsecond=0, fold=0))

    def when(self, moment: datetime, today: date) -> str:
        """Name a local moment within a sentence: `tomorrow 3:30 PM`."""
        day = moment.date()
        near = day - today in (timedelta(0), timedelta(days=1))
        message = WHEN_NEAR if near else WHEN_DATE
        return self(message, day=self.day(day, today), time=self.time(moment.time()))

    def moment(self, moment: datetime, today: date) -> str:
        """Name a local moment by its date: `Sat, Nov 21, 3:30 PM`."""
        day = self.dated(moment.date(), today)
        time = self.time(moment.time())
        if formats.comes_twice(moment):
            time = self(SECOND_COMING if moment.fold else FIRST_COMING, time=time)
        return self(WHEN_DATE, day=day, time=time)

    def moment_there(self, moment: datetime, today: date, zone: str) -> str:
        """Name a local moment, and by the clocks of which place it is."""
        place = formats.place_text(self.tag, zone)
        return self(BY_CLOCKS_OF, when=self.moment(moment, today), place=place)

    def short_moment(self, moment: datetime, today: date, limit: int) -> str:
        """Name a local moment in so many UTF-16 units, as fully as they allow."""
        time = self.time(moment.time())
        best = self.when(moment, today)
        shorter = (formats.date_text(self.tag, moment.date(), form) for form in formats.SHORTER)
        fuller = (best, best.replace(",", ""), *(f"{day} {time}" for day in shorter))
        return next((text for text in fuller if formats.units(text) <= limit), fuller[-1])

    def price(self, minor: int, currency: str) -> str:
        """Write an amount of money."""
        return formats.price_text(self.tag, minor, currency)


@lru_cache(maxsize=256)
def speak(tag: str) -> Words:
    """Return the words of a locale: English, as its country writes it, without a catalogue."""
    locale = formats.locale_of(tag)
    if locale.language in CATALOGUES:
        return Words(str(locale), locale.language, formats.is_right_to_left(tag))
    return Words(formats.locale_in(SOURCE, locale.territory or ""), SOURCE)


def locale_for(language: str, company: Company) -> str:
    """Return the locale in which a company's customer who speaks this language is answered."""
    if formats.locale_of(company.locale).language == language:
        return company.locale
    return formats.locale_in(language, company.country_code)
