"""What we say when nobody has just written to us: reminders, offers, and after the visit.

Like everything in `flows.wording`, from which the kinds of texts come.
"""

from __future__ import annotations

from typing import Final

from flows.wording import button, counted, counted_note, footer, sentence

# Reminders
VISIT_REMINDER = sentence(
    "A reminder from {company} of your visit: {what} on {when}. Will you come?"
)
VISIT_SOON = sentence("See you soon at {company} for {what} on {when}. Is that still all right?")
CONFIRM = button("Confirm")
SEE_YOU = sentence("Thank you! See you on {when}.")
SEE_YOU_SOON = sentence("See you soon: {what}, {when}.")
READ_IT = button("Read it")
PERSON_TEMPLATE = sentence(
    "There is a message from {company} for you, about your visit. Tap below to read it here."
)

# Being late
LATE = sentence(
    "Thank you for telling us! It's noted on your visit that you'll be late: {what}, {when}."
)
LATE_BY = counted(
    "Thank you for telling us! It's noted on your visit that you'll be {n} minute late: {what},"
    " {when}.",
    "Thank you for telling us! It's noted on your visit that you'll be {n} minutes late: {what},"
    " {when}.",
)
LATE_SEEN = sentence(
    "The team finds it there. I can't tell whether there is time for all of the visit then."
)
LATE_FOR_NOTHING = sentence(
    "Thank you for telling us! But I find no visit of yours that begins soon, so it is noted"
    " nowhere."
)

# The waitlist's offers
WAITLIST_OFFER = sentence(
    "A place came free at {company} for {what} on {when}. It's yours until {until}, then it goes to"
    " the next in line."
)
OFFER_EXPIRED = sentence(
    "The place at {company} that I kept for you is no longer kept: {what} on {when}. You stay on"
    " the list."
)
WAIT_OVER_TEMPLATE = sentence(
    "Your days on the waitlist of {company} have gone by: {what} for {when}. I'm sorry, nothing"
    " came free. Shall I look for another time?"
)
TAKE_IT = button("Take it")
PASS = button("Pass")
LEAVE_LIST = button("Leave the list")

# After the visit
VISIT_RATING = sentence(
    "How was your visit to {company}? It was {what} on {when}, we'd love to hear."
)
RATED_GOOD = button("Great")
RATED_FAIR = button("So-so")
RATED_BAD = button("Not good")
THANKS_GOOD = sentence("Thank you, that's good to hear! See you next time.")
THANKS_FAIR = sentence(
    "Thank you for telling us. Shall someone from the team write to you about it?"
)
THANKS_BAD = sentence("I'm sorry to hear that. Shall someone from the team write to you?")
NO_THANKS = button("No, thank you")

# The usual
FIRST_NAME: Final = 40
USUAL = sentence("Hi {name}. Your usual? {what}.")
USUAL_NAMELESS = sentence("Hi! Your usual? {what}.")
SOMETHING_ELSE = button("Something else")
SUGGESTION = sentence("It's been {ago} since your last visit. Your usual? {what}.")
WEEKS = counted_note("{n} week", "{n} weeks")
DAYS = counted_note("{n} day", "{n} days")
NOT_NOW = button("Not now")
NOT_NOW_THEN = sentence("All right. I'll ask again when the next one is due.")
STOP_SUGGESTING = button("Stop suggestions")
SUGGESTIONS_OFF = sentence("Done: no more suggestions. Reminders of your visits still come.")
SUGGESTIONS_ON = sentence("All right, I'll suggest a time again when one is due.")
SUGGEST_AGAIN = button("Suggest again")
REBOOK_TEMPLATE = sentence(
    "Your last visit to {company} was {ago} ago. Your usual? That's {what}, and these are free:"
    " first {first}, second {second}. Shall I book one?"
)
THE_FIRST = button("The first")
THE_SECOND = button("The second")
STOP_FOOTER = footer("Write STOP to hear no more from us")
EXAMPLE_COMPANY = sentence("Salon Lumi")
EXAMPLE_VISIT = sentence("Women's cut with Becky")
EXAMPLE_AGO = sentence("5 weeks")

# A conversation that was left in the middle
STILL_THERE = sentence("Still there?")
LEFT_OFF = sentence("You can go on where you left off.")
NEVER_MIND = button("Never mind")
