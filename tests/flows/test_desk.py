"""The desk: whom it tells what, when it looks again, and when it alerts operators."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flows import effects as fx
from flows import events as ev
from flows import registry
from tests.support.chat import Chat
from tests.support.happenings import happen
from tests.support.salon import Salon
from tests.support.stage import Stage


def salon_with(waiting: int, **rules: object) -> Stage:
    """A salon that is booked up, and customers who wait for a cut tomorrow."""
    salon = Salon()
    policy = salon.company.policy.model_copy(update=rules)
    salon.change(company=replace(salon.company, policy=policy))
    stage = Stage(salon)
    happen(salon, "Everybody is booked up for weeks", Chat(salon))
    for number in range(waiting):
        stage.chat(f"No{number}").type("waitlist for a women's cut tomorrow morning")
    return stage


def look(stage: Stage) -> Chat:
    """Have the desk look around."""
    stage.desk.told.clear()
    stage.desk.hear(ev.TimeFreed())
    return stage.desk


def free(stage: Stage, sentence: str = "Kelly has a cancellation on Sat 21 Nov 10:00") -> None:
    """Let some time come free."""
    happen(stage.salon, sentence, stage.desk)


def test_it_rests_when_nothing_is_free() -> None:
    desk = look(salon_with(2))
    assert (desk.told, desk.timers, desk.said) == ([], {}, [])
    assert json.loads(desk.stored) == {"step": "desk.resting"}


def test_it_tells_the_first_in_line_and_looks_again_should_nobody_end_the_offer() -> None:
    stage = salon_with(2)
    free(stage)
    desk = look(stage)
    (told,) = desk.told
    assert isinstance(told.event, ev.PlaceOffered)
    assert (told.to, told.event.shared) == (1, False)
    assert told.event.until == stage.salon.now + timedelta(minutes=15)
    assert told.key == f"offer:{told.event.offer_id}:1"
    assert desk.timers["desk:look"].due > told.event.until + timedelta(minutes=5)
    assert look(stage).told == [], "a second look makes no second offer"


def test_an_offer_that_comes_too_late_to_be_answered_is_made_anew_without_a_word() -> None:
    stage = salon_with(1)
    free(stage)
    (told,) = look(stage).told
    stage.salon.now += timedelta(minutes=20)
    ana = stage.chat("No0")
    assert ana.hear(told.event) == []
    (again,) = look(stage).told
    assert isinstance(again.event, ev.PlaceOffered)
    assert again.event.until == stage.salon.now + timedelta(minutes=15)
    assert "A place came free" in ana.hear(again.event)[0].text


def test_a_message_that_cannot_be_delivered_passes_the_offer_on() -> None:
    stage = salon_with(2)
    free(stage)
    (told,) = look(stage).told
    ana = stage.chat("No0")
    ana.hear(told.event)
    assert ana.hear(ev.SendFailed(131026))[0].text.startswith("I didn't hear from you")
    assert [tell.to for tell in look(stage).told] == [2]


def test_operators_are_alerted_once_when_the_queue_gets_long_and_once_when_it_is_short() -> None:
    stage = salon_with(2, waitlist_queue_alert=2)
    assert look(stage).alerts == []
    stage.chat("One more").type("waitlist for a women's cut tomorrow evening")
    look(stage)
    assert look(stage).alerts == [fx.Alert("queue", 3, 2)]
    stage.chat("One more").type("leave the list")
    look(stage)
    assert look(stage).alerts[1:] == [fx.Alert("queue", 2, 2, over=False)]


def test_operators_are_alerted_once_when_offers_are_not_answered() -> None:
    stage = salon_with(0)
    for answered, silent in ((9, 0), (3, 6), (7, 3), (6, 4), (6, 4), (9, 3)):
        found = ev.WaitersFound((), {}, answered=answered, silent=silent)
        hear(stage.desk, found)
    assert stage.desk.alerts == [
        fx.Alert("silence", 40, 30),
        fx.Alert("silence", 25, 30, over=False),
    ]


def hear(desk: Chat, found: ev.WaitersFound) -> None:
    """Give the desk this answer to its look."""
    desk.salon.queue.found = found
    desk.hear(ev.TimeFreed())
    desk.salon.queue.found = None


def test_where_staff_pick_nobody_is_asked_until_they_do() -> None:
    stage = salon_with(2, waitlist_policy="staff_picks")
    free(stage)
    desk = look(stage)
    assert desk.told == []
    assert desk.alerts == [fx.Alert("choices", 2, 1)]
    assert desk.timers["desk:look"].due == stage.salon.now + timedelta(minutes=30)
    assert stage.salon.free(1, None) == [], "it is kept for their choice"
    look(stage)
    assert len(desk.alerts) == 1
    desk.hear(ev.OfferPicked(2))
    assert [tell.to for tell in desk.told] == [2]
    assert stage.salon.queue.kept == []


def test_what_staff_do_not_choose_about_in_time_goes_to_whoever_came_first() -> None:
    stage = salon_with(2, waitlist_policy="staff_picks", pick_minutes=20)
    free(stage)
    look(stage)
    stage.salon.now += timedelta(minutes=20)
    assert [tell.to for tell in look(stage).told] == [1]
    free(stage, "Becky has a cancellation on Sat 21 Nov 11:00")
    assert look(stage).told == [], "about another time they may choose again"


def test_staff_are_not_asked_to_choose_when_it_would_be_too_late_to_ask_anybody_after() -> None:
    stage = salon_with(1, waitlist_policy="staff_picks")
    stage.salon.now = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)  # 9:30 in New York
    free(stage, "Kelly has a cancellation on Sat 21 Nov 11:00")
    look(stage)
    stage.salon.now += timedelta(minutes=30)
    assert [tell.to for tell in look(stage).told] == [1]
    other = salon_with(1, waitlist_policy="staff_picks", offer_minutes=60, lead_minutes=0)
    other.salon.now = datetime(2026, 11, 21, 14, 50, tzinfo=UTC)
    free(other, "Kelly has a cancellation on Sat 21 Nov 11:00")
    assert [tell.to for tell in look(other).told] == [1]


def test_many_are_asked_in_several_goes() -> None:
    stage = salon_with(3)
    for hour in ("09", "10", "11"):
        free(stage, f"Becky has a cancellation on Sat 21 Nov {hour}:00")
    assert len(look(stage).told) == 3


def test_what_means_nothing_to_it_leaves_it_at_rest() -> None:
    desk = salon_with(0).desk
    for event in (ev.TurnFailed(), ev.SendFailed(1), ev.PersonReplied()):
        desk.hear(event)
        assert desk.step == registry.DESK.step
