"""Reply ids are read for ever, whatever comes back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import replies as r
from flows import replies_unasked as unasked
from flows import replies_visits as visits
from flows import replies_waitlist as w

LARGE = 2**63 - 1
START = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)
MONDAY, SUNDAY = date(2026, 11, 23), date(2026, 11, 29)
HOLD = UUID("019ab3c4-0000-7000-8000-000000000001")
VISIT = UUID("019ab3c4-0000-7000-8000-000000000002")

SHIPPED: dict[str, r.Reply] = {
    "menu:home": r.OpenMenu(),
    "menu:on": r.CarryOn(),
    "menu:book": r.StartBooking(),
    "menu:visits": r.OpenVisits(),
    "menu:person": r.TalkToUs(),
    "menu:call": r.CallUs(),
    "menu:language:pt_BR": r.SpeakLanguage("pt_BR"),
    "person:back": r.BackToBot(),
    "consent:start": r.TurnOn(),
    "book:services:9": r.MoreServices(9),
    "book:service:12": r.PickService(12),
    "book:team:12:8": r.MoreStaff(12, 8),
    "book:who:12:0": r.PickStaff(12, None),
    "book:who:12:3": r.PickStaff(12, 3),
    "book:days:12:3:20261130": r.MoreDays(12, 3, date(2026, 11, 30)),
    "book:day:12:0:20261121": r.PickDay(12, None, date(2026, 11, 21)),
    "book:times:12:0:20261121:2": r.MoreTimes(12, None, date(2026, 11, 21), 2),
    "book:slot:12:0:29921310:3": r.PickSlot(12, None, START, 3),
    f"book:slot:12:3:29921310:3:{VISIT.hex}": r.PickSlot(12, 3, START, 3, VISIT),
    f"book:it:12:0:29921310:3:{HOLD.hex}": r.BookIt(12, None, START, 3, HOLD),
    f"book:it:12:0:29921310:3:{HOLD.hex}:{VISIT.hex}": r.BookIt(12, None, START, 3, HOLD, VISIT),
    "book:next:12:0:739947:601:2": r.BookNext(12, None, 739947, 601, 2),
    "book:quit": r.DropBooking(),
    f"book:quit:{VISIT.hex}": r.DropBooking(VISIT),
    "visit:list:1:8": r.ListVisits(1, 8),
    f"visit:show:{VISIT.hex}": r.ShowVisit(VISIT),
    f"visit:change:{VISIT.hex}": r.ChangeVisit(VISIT),
    f"visit:add:{VISIT.hex}:4": visits.AddToVisit(VISIT, 4),
    f"visit:cancel:{VISIT.hex}": r.AskToCancel(VISIT),
    f"visit:drop:{VISIT.hex}": r.CancelForSure(VISIT),
    f"visit:confirm:{VISIT.hex}:1": unasked.ConfirmComing(VISIT, 1),
    f"visit:rate:{VISIT.hex}:5": unasked.Rate(VISIT, 5),
    "usual:book:12:3:29921310": unasked.PickUsual(12, 3, START),
    f"usual:later:{VISIT.hex}": unasked.NotNow(VISIT),
    "usual:stop": unasked.StopSuggestions(),
    "usual:again": unasked.SuggestAgain(),
    "wait:start:0:0": w.StartWaiting(None, None),
    "wait:start:12:3": w.StartWaiting(12, 3),
    "wait:services:9": w.MoreWaitServices(9),
    "wait:pick:12:0:20261130": w.PickWaitDay(12, None, date(2026, 11, 30)),
    "wait:days:12:3:20261123:20261129": w.WaitOn(12, 3, MONDAY, SUNDAY),
    "wait:for:12:0:20261123:20261129:3": w.WaitFor(12, None, MONDAY, SUNDAY, 3),
    "wait:anyway:12:0:20261123:20261129:0": w.WaitAnyway(12, None, MONDAY, SUNDAY, 0),
    "wait:start:12:0:3": w.StartWaiting(12, None, 3),
    "wait:for:12:0:20261123:20261129:3:7": w.WaitFor(12, None, MONDAY, SUNDAY, 3, 7),
    "wait:list": w.ListPlaces(),
    "wait:show:7": w.ShowPlace(7),
    "wait:leave:7": w.LeaveList(7),
    f"wait:take:7:{HOLD.hex}:12:3:29921310": w.TakeIt(7, HOLD, 12, 3, START),
    f"wait:pass:7:{HOLD.hex}": w.PassOn(7, HOLD),
}
"""Ids that are on customers' phones: they may be added to, never changed."""


@pytest.mark.parametrize(("reply_id", "reply"), SHIPPED.items())
def test_an_id_that_left_the_house_is_still_read_and_written(reply_id: str, reply: r.Reply) -> None:
    assert r.decode(reply_id) == reply
    assert r.encode(reply) == reply_id


def test_every_kind_of_reply_is_among_the_shipped_ones() -> None:
    assert {type(reply) for reply in SHIPPED.values()} == set(get_args(r.Reply))


def test_parts_that_a_later_version_adds_are_left_alone() -> None:
    reply = r.decode(f"book:slot:12:0:29921310:3:{VISIT.hex}:something:new")
    assert reply == r.PickSlot(12, None, START, 3, VISIT)


def test_the_longest_ids_fit_into_a_list_row() -> None:
    longest = r.BookIt(LARGE, LARGE, datetime(9999, 12, 31, tzinfo=UTC), LARGE, HOLD, VISIT)
    assert len(r.encode(longest)) <= r.MAX_LENGTH
    assert r.decode(r.encode(longest)) == longest


@given(st.text())
def test_whatever_comes_back_is_read_without_an_error(text: str) -> None:
    r.decode(text)


FORMS = st.sampled_from(sorted({reply.form for reply in SHIPPED.values()}))


@given(FORMS, st.lists(st.one_of(st.text(), st.integers().map(str)), max_size=7))
def test_a_damaged_id_means_nothing_or_something_that_can_be_written(
    form: str, parts: list[str]
) -> None:
    reply = r.decode(":".join([form, *parts]))
    if reply is not None:
        assert r.decode(r.encode(reply)) == reply


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "book",
        "book:slot",
        "book:slot:12:0",
        "book:slot:x:0:1:2",
        "book:slot:-1:0:1:2",
        "book:slot:12:0:999999999999999999:3",
        "book:day:12:0:20261399",
        "book:day:12:0:²²²²²²²²",
        "visit:show:123",
        "menu:language:../../etc",
        "nothing:of:ours",
    ],
)
def test_a_damaged_id_is_none_of_ours(damaged: str) -> None:
    assert r.decode(damaged) is None
