"""The customers of the bench find something to tap, also when somebody was faster than they."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.bench.stage import SCRIPT
from tests.support.chat import Chat, choices
from tests.support.happenings import happen
from tests.support.salon import Salon

STEPS: list[dict[str, Any]] = json.loads(SCRIPT.read_text())["steps"]
TIME = 5  # the step at which a time is chosen, and to which a customer comes back who lost one


def left(chat: Chat, step: int) -> list[str]:
    """What the script may choose of that which was said last."""
    avoided = STEPS[step]["send"].get("avoid", "$^")
    offered = [(id_, " ".join(title.split())) for id_, title in choices(chat.last)]
    return [title for id_, title in offered if not re.search(avoided, f"{id_} {title}")]


def before_a_day_is_chosen() -> Chat:
    chat = Chat(Salon())
    for act in ("hi", "book", "women's cut", "anyone"):
        chat.type(act)
    assert chat.step == "booking.choosing_day"
    return chat


def test_times_can_be_chosen_and_the_ways_out_are_not() -> None:
    chat = before_a_day_is_chosen()
    chat.tap("Tomorrow")
    assert "11:00 AM" in (found := left(chat, TIME))
    assert not {"More times", "Different day", "Call us", "Join the waitlist"} & set(found)


def test_a_day_that_filled_up_meanwhile_sends_them_to_another_day() -> None:
    chat = before_a_day_is_chosen()
    happen(chat.salon, "Everybody is booked up on Sat 21 Nov", chat)
    chat.tap("Tomorrow")
    assert chat.text.startswith("Tomorrow: nothing free.")
    assert "Mon, Nov 23" in left(chat, TIME)


def test_a_time_that_somebody_took_sends_them_to_another_time() -> None:
    chat = before_a_day_is_chosen()
    chat.tap("Tomorrow")
    happen(chat.salon, "Everybody is booked up on Sat 21 Nov", chat)
    chat.tap("11:00 AM")
    assert chat.text.startswith("Tomorrow 11:00 AM is no longer free.")
    assert len(left(chat, TIME)) > 1
