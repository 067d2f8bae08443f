"""Whether two answers say the same, but for the day."""

from __future__ import annotations

import pytest

from bot.simulator.likeness import alike, likeness, same_choice

SAME = [
    ("Tomorrow, Women's cut. What time?", "Mon, Nov 23, Women's cut. What time?"),
    (
        "from Thu, Nov 26, 11:00 AM to Mon, Nov 23, 9:00 PM",
        "from Tomorrow 3:00 PM to today 11:30 AM",
    ),
    ("Booked ✔ LUMI2\nWomen's cut", "Booked ✔ EGPPY\nWomen's cut"),
    ("Women's cut\n  LUMX2\n  Change", "Women's cut\n  QX7ZA\n  Change"),
    (
        "Days: (Today | 3 times) (Tomorrow | 9 times)",
        "Days: (Wed, Nov 25 | 17 times, busy evening)",
    ),
    (
        "What time? Morning: (9:00 AM) (10:00 AM) Evening: (6:00 PM | Kelly) Other: (More times)",
        "What time? Afternoon: (★ 2:15 PM | Becky) Other: (More times)",
    ),
    ("(9:00 AM) Other: (More times)", "Evening: (5:00 PM)"),
    ("(9:00 AM) (Later dates)\n– Or write a day", "(Today)\n– Or write a day"),
    ("Запись на завтра, 14:00", "Запись на пт, 20 нояб., 9:30"),
    ("Сб, 28 нояб., стрижка", "суббота, стрижка"),
]
DIFFERENT = [
    ("Women's cut, 60 min, $82", "Women's cut, 60 min, $98"),
    ("with Kelly, Mon, Nov 23", "with Becky, Mon, Nov 23"),
    ("(Women's cut | 60 min, $82)", "(Women's cut | 75 min, $82)"),
    ("Tomorrow is full.", "Tomorrow is not."),
    ("What time? (9:00 AM) (More times)", "What time? (Call us)"),
    ("(9:00 AM) – Or write a day", "(9:00 AM)"),
    ("[Book it] [Cancel]", "[Book it]"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_days_times_and_codes_make_no_difference(one: str, other: str) -> None:
    assert alike(one, other), (likeness(one), likeness(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_everything_else_does(one: str, other: str) -> None:
    assert not alike(one, other), likeness(one)


def test_choices_are_the_same_but_for_their_day_or_time() -> None:
    assert same_choice("★ 9:00 AM", "12:15 PM")
    assert same_choice("Today", "Mon, Nov 30")
    assert not same_choice("9:00 AM", "More times")
    assert not same_choice("Today", "Later dates")
