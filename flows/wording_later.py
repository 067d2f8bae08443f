"""What we say when nobody has just written to us: reminders, offers, and after the visit.

Like everything in `flows.wording`, from which the kinds of texts come.
"""

from __future__ import annotations

from flows.wording import button, footer, sentence

# Reminders
VISIT_REMINDER = sentence(
    "A reminder from {company} of your visit: {what} on {when}. Will you come?"
)
VISIT_SOON = sentence("See you soon at {company} for {what} on {when}. Is that still all right?")
CONFIRM = button("Confirm")
READ_IT = button("Read it")
PERSON_TEMPLATE = sentence(
    "There is a message from {company} for you, about your visit. Tap below to read it here."
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
REBOOK_TEMPLATE = sentence(
    "Your last visit to {company} was {ago} ago. Your usual? That's {what}, and these are free:"
    " first {first}, second {second}. Shall I book one?"
)
THE_FIRST = button("The first")
THE_SECOND = button("The second")
NO_SUGGESTIONS = button("Not now")
STOP_FOOTER = footer("Write STOP to hear no more from us")
EXAMPLE_COMPANY = sentence("Salon Lumi")
EXAMPLE_VISIT = sentence("Women's cut with Becky")
EXAMPLE_AGO = sentence("5 weeks")
