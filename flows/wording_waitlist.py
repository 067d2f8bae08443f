"""What we say of the waitlist and its offers.

Like everything in `flows.wording`, from which the kinds of texts come.
"""

from __future__ import annotations

from flows.model import AFTERNOON, EVENING, MORNING
from flows.wording import button, counted, note, row, sentence

# Joining
JOIN_WAITLIST = button("Join the waitlist")
WAIT_FOR_WHAT = sentence("What would you like to wait for?")
WHICH_DAYS = sentence("Waitlist for {what}. Which days suit you?")
THIS_WEEK = button("This week")
NEXT_WEEK = button("Next week")
ANY_DAY = button("Any day")
PICK_A_DAY = button("Pick a day")
WHAT_TIME_OF_DAY = sentence("Waitlist for {what}, {days}. What time of day?")
ANY_TIME = button("Any")
IN_THE_MORNING = button("Morning")
IN_THE_EVENING = button("Evening")
JOINED = sentence(
    "You're {place} in line for {what}, {when}. I'll write the moment something comes free."
)
WISH_ADDED = sentence(
    "Added: {when}. You're {place} in line for {what}. I'll write the moment something comes free."
)
ALREADY_JOINED = sentence("You're on that list already: {place} in line for {what}, {when}.")
STILL_FREE = sentence("Good news: {what} is still free then, so nobody has to wait. Some times:")
NONE_SUITS = row("None of these suit")

# For what
DAYS_THIS_WEEK = note("this week")
DAYS_NEXT_WEEK = note("next week")
DAYS_SPAN = sentence("{first} – {last}")
DAYS_AND_PART = sentence("{days}, {part}")
PARTS_OF_A_DAY = {
    MORNING: note("in the morning"),
    AFTERNOON: note("in the afternoon"),
    EVENING: note("in the evening"),
}
PARTS_OF_DAYS = {
    MORNING: note("mornings"),
    AFTERNOON: note("afternoons"),
    EVENING: note("evenings"),
}
AND_WITH = sentence("{when}, with {staff}")
AND_NOT_WITH = sentence("{when}, not with {staff}")
PLACE_IN_LINE = sentence("{place} in line, {when}")

# The list
WAITLIST = button("Waitlist")
YOUR_PLACES = sentence("You're on the waitlist for:")
YOUR_PLACE = sentence("You're {place} in line for {what}, {when}.")
NOT_WAITING = sentence("You're not on the waitlist.")
LEFT = sentence("All right, you're off the waitlist for {what}.")
WHICH_TO_LEAVE = sentence("Which one shall I take you off?")
STILL_WAITING = sentence("You're still on the waitlist for {what}.")
WAIT_IS_OVER = sentence(
    "I'm sorry, nothing came free for {what}, {when}, and those days are over. Shall I look for"
    " another time?"
)

# An offer
OFFERED = counted(
    "A place came free: {visit}. It's yours until {until} ({n} minute).",
    "A place came free: {visit}. It's yours until {until} ({n} minutes).",
)
OFFERED_TO_MANY = counted(
    "A place came free: {visit}. Whoever takes it first has it; answer by {until} ({n} minute).",
    "A place came free: {visit}. Whoever takes it first has it; answer by {until} ({n} minutes).",
)
PASSED_ON = sentence(
    "All right, the next in line gets it. You stay on the list, {place} for {what}."
)
NOT_ANSWERED = sentence(
    "I didn't hear from you, so {when} goes to the next in line. You stay on the list, {place} for"
    " {what}."
)
TOO_LATE = sentence("I'm sorry, {when} isn't yours to take any more.")
PASSED_ALREADY = sentence("That one isn't on offer any more. You keep your place on the list.")
SOMEBODY_ELSE = sentence("I'm sorry, {when} has just gone to somebody else.")
WITHDRAWN = sentence("I'm sorry, {when} can't be booked after all.")
YOU_KEEP_YOUR_PLACE = sentence("You keep your place on the list.")
LATER_VISIT = sentence("You also have {what} on {when}. Shall I cancel that one?")
KEEP_BOTH = button("Keep both")
