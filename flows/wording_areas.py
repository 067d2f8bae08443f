"""What businesses that come to their customers say of where they come.

Like everything in `flows.wording`, from which the kinds of texts come.
"""

from __future__ import annotations

from flows.wording import note, sentence

WHERE_TO = sentence("Where shall we come? Please write the postal code, such as {code}.")
WE_COME = sentence("We come to {place}.")
FOR_PLACE = sentence("For {place}. Is it somewhere else? Write its postal code.")
NOT_YET = sentence(
    "I'm sorry, we don't come to {code} yet. If there is another place, write its postal code."
)
COMES_TO_YOU = sentence("{company} comes to you: {place}")
OUR_HOURS = sentence("Our hours ({place} time):")
PLACE = note("{city} ({code})")
