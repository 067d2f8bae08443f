"""What is offered to somebody whose wish cannot be had."""

from __future__ import annotations

from datetime import time

from flows.model import EVENING, Wish
from flows.nearest import Closeness, Option, anytime, nearest

BECKY, KELLY = 1, 2
FRIDAY = 739_000
THREE = Wish(at=time(15))


def option(day: int, wall: str, staff_id: int = BECKY) -> Option:
    at = time.fromisoformat(wall)
    second = at.hour * 3600 + at.minute * 60
    return Option((FRIDAY + day) * 86_400 + second, FRIDAY + day, second, staff_id)


def offered(
    options: list[Option],
    wish: Wish = THREE,
    *,
    staff_id: int | None = BECKY,
    popular: tuple[int, ...] = (),
    limit: int = 9,
) -> list[str]:
    found = nearest(options, wish, day=FRIDAY, staff_id=staff_id, popular=popular, limit=limit)
    return [shown(one) for one in found]


def shown(one: Option) -> str:
    who = {BECKY: "Becky", KELLY: "Kelly"}[one.staff_id]
    return f"{one.day - FRIDAY:+} {one.second // 3600:02}:{one.second // 60 % 60:02} {who}"


def test_the_order_is_day_and_staff_then_next_day_then_anybody_then_three_days_then_next_week() -> (
    None
):
    options = [
        option(5, "15:00"),
        option(7, "11:00", KELLY),
        option(3, "15:00", KELLY),
        option(0, "15:15", KELLY),
        option(1, "15:00"),
        option(0, "16:30"),
        option(0, "15:00"),
    ]
    assert offered(options) == [
        "+0 15:00 Becky",
        "+0 16:30 Becky",
        "+1 15:00 Becky",
        "+0 15:15 Kelly",
        "+3 15:00 Kelly",
        "+7 11:00 Kelly",
        "+5 15:00 Becky",
    ]


def test_within_a_kind_the_closer_time_comes_first() -> None:
    options = [option(0, wall) for wall in ("13:15", "14:30", "16:00", "15:15")]
    assert offered(options) == [
        "+0 15:15 Becky",
        "+0 14:30 Becky",
        "+0 16:00 Becky",
        "+0 13:15 Becky",
    ]


def test_one_kind_does_not_crowd_out_the_others() -> None:
    quarters = [option(0, f"{hour}:{minute}") for hour in (13, 14, 16) for minute in (15, 30, 45)]
    others = [option(1, "15:00"), option(0, "15:00", KELLY), option(7, "15:00")]
    found = offered([*quarters, *others], limit=6)
    assert found == [
        "+0 14:45 Becky",
        "+0 14:30 Becky",
        "+0 14:15 Becky",
        "+1 15:00 Becky",
        "+0 15:00 Kelly",
        "+7 15:00 Becky",
    ]


def test_places_left_over_go_to_the_next_best() -> None:
    quarters = [option(0, f"14:{minute}") for minute in (15, 30, 45)] + [option(0, "13:45")]
    far = [option(20, f"0{hour}:00") for hour in range(9)]
    assert offered([*quarters, *far], limit=6)[:4] == [
        "+0 14:45 Becky",
        "+0 14:30 Becky",
        "+0 14:15 Becky",
        "+0 13:45 Becky",
    ]


def test_whoever_wants_nobody_in_particular_gets_anybody() -> None:
    assert offered([option(0, "16:00"), option(0, "15:00", KELLY)], staff_id=None) == [
        "+0 15:00 Kelly",
        "+0 16:00 Becky",
    ]


def test_a_part_of_the_day_is_as_good_as_its_every_time() -> None:
    evening = Wish(part=EVENING)
    options = [option(0, "16:45"), option(0, "17:00"), option(0, "20:00"), option(1, "18:00")]
    assert offered(options, evening) == [
        "+0 17:00 Becky",
        "+0 20:00 Becky",
        "+0 16:45 Becky",
        "+1 18:00 Becky",
    ]
    twenty = 20 * 3600
    assert offered(options, evening, popular=(twenty,))[0] == "+0 20:00 Becky"


def test_days_before_count_like_days_after() -> None:
    assert offered([option(3, "15:00"), option(-2, "15:00")]) == [
        "-2 15:00 Becky",
        "+3 15:00 Becky",
    ]


def test_anytime_means_popular_times_and_sensible_ones_without_history() -> None:
    day = [option(0, f"{hour:02}:00") for hour in range(9, 20)]
    next_day = [option(1, "09:00"), option(1, "12:00")]
    assert [shown(one) for one in anytime(day + next_day, limit=9)] == [
        "+0 10:00 Becky",
        "+0 14:00 Becky",
        "+0 18:00 Becky",
        "+1 09:00 Becky",
        "+1 12:00 Becky",
    ]
    liked = [11 * 3600, 12 * 3600]
    assert [shown(one) for one in anytime(day + next_day, popular=liked, limit=3)] == [
        "+0 11:00 Becky",
        "+0 12:00 Becky",
        "+1 12:00 Becky",
    ]


def test_closeness_is_ordered_as_it_is_read() -> None:
    assert list(Closeness) == sorted(Closeness)
    assert nearest([], THREE, day=FRIDAY, staff_id=None, limit=9) == []
    assert anytime([], limit=9) == []


def test_of_equally_close_times_those_that_leave_no_gap_come_first() -> None:
    gap = option(0, "15:30")._replace(snug=False)
    assert offered([gap, option(0, "16:30"), option(1, "15:00")]) == [
        "+0 16:30 Becky",
        "+0 15:30 Becky",
        "+1 15:00 Becky",
    ]
    assert offered([option(0, "15:00")._replace(snug=False), option(0, "16:00")])[0][3:8] == "15:00"


def test_who_does_not_mind_when_gets_times_that_leave_no_gap_where_a_day_has_any() -> None:
    gaps = [option(day, "10:00")._replace(snug=False) for day in (0, 1)]
    found = anytime([*gaps, option(0, "11:30")], limit=9)
    assert [shown(one) for one in found] == ["+0 11:30 Becky", "+1 10:00 Becky"]
