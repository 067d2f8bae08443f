"""Free times: cases by number, and thousands of random ones against a slow second opinion."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from random import Random
from struct import Struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.cells import Packed, before, covered, starting, window_of
from flows.hours import Interval, Stretch, calendar_of
from flows.model import (
    Catalog,
    Company,
    Policy,
    Service,
    Staff,
    StaffOffer,
)
from flows.slots import (
    FREE,
    Busy,
    Need,
    assigned,
    busy_part,
    by_day,
    by_turns,
    cell_of,
    count,
    free_starts,
    listed,
    met,
    met_packed,
    need_of,
    offered_between,
    placed,
    plenty,
    shut_by,
    within,
)
from tests.support.oracle import free_minutes
from tests.support.random_rules import ZONES, business, changes, from_afar, question

HOUR = 3600
NINE = 9 * HOUR
RANGE = Struct(">qq")


def need(minutes: int = 60, *, before: int = 0, after: int = 0, grid: int = 15) -> Need:
    service = Service(
        1, "Cut", minutes, 0, buffer_before_minutes=before, buffer_after_minutes=after
    )
    return need_of(service, StaffOffer(minutes, 0), Policy(grid_minutes=grid))


def spans(*walls: tuple[str, str]) -> list[tuple[int, int]]:
    return [(_second(low), _second(high)) for low, high in walls]


def free(
    work: list[tuple[int, int]],
    wanted: Need,
    *,
    visits: list[tuple[int, int]] | None = None,
    buffers: list[tuple[int, int]] | None = None,
    away: list[tuple[int, int]] | None = None,
    between: tuple[str, str] = ("00:00", "23:59"),
) -> list[str]:
    """The starts of a day in a zone without surprises, as walls."""
    stretches = [Stretch(low, high, high, low) for low, high in work]
    low, high = _second(between[0]), _second(between[1])
    window = window_of(-HOUR, 25 * HOUR, cell_of([wanted]))
    shut = before(covered(window, away or []), 0, wanted.length // window.unit)
    taken = shut_by(window, wanted, covered(window, visits or []), covered(window, buffers or []))
    hours = placed(window, stretches, wanted, shut)
    asked = starting(window, low, high + 1)
    found = [at for times in listed(window, hours, taken, wanted, asked) for at in times]
    return [f"{at // HOUR:02}:{at // 60 % 60:02}" for at in found]


def _second(wall: str) -> int:
    at = time.fromisoformat(wall)
    return at.hour * HOUR + at.minute * 60


def test_an_empty_day_offers_every_point_of_the_grid_at_which_the_visit_fits() -> None:
    assert free(spans(("09:00", "11:00")), need()) == [
        "09:00",
        "09:15",
        "09:30",
        "09:45",
        "10:00",
    ]


def test_17_a_second_window_has_a_grid_of_its_own() -> None:
    work = spans(("08:00", "12:00"), ("12:30", "15:00"))
    hourly = need(grid=60)
    assert free(work, hourly) == ["08:00", "09:00", "10:00", "11:00", "12:30", "13:30"]


def test_17_a_window_that_begins_at_an_odd_minute_starts_at_the_next_full_five() -> None:
    assert free(spans(("09:07", "11:00")), need(grid=30)) == ["09:10", "09:40"]
    assert free(spans(("09:07", "10:20")), need(grid=4)) == ["09:07", "09:11", "09:15", "09:19"]


def test_20_a_long_visit_on_a_short_grid_fits_whole_or_not_at_all() -> None:
    assert free(spans(("09:00", "13:30")), need(60), visits=spans(("09:30", "12:30"))) == ["12:30"]


def test_20_no_visit_runs_over_closing() -> None:
    assert free(spans(("16:00", "18:00")), need(90, grid=30)) == ["16:00", "16:30"]


def test_22_of_two_buffers_that_meet_the_larger_counts() -> None:
    # A visit till 10:00, and twenty minutes after it.
    visits, buffers = spans(("09:00", "10:00")), spans(("10:00", "10:20"))
    work = spans(("10:00", "12:00"))
    assert free(work, need(5, grid=5), visits=visits, buffers=buffers)[0] == "10:20"
    assert free(work, need(5, before=15, grid=5), visits=visits, buffers=buffers)[0] == "10:20"
    assert free(work, need(5, before=30, grid=5), visits=visits, buffers=buffers)[0] == "10:30"


def test_23_a_buffer_need_not_fit_before_opening_or_after_closing() -> None:
    assert free(spans(("09:00", "10:00")), need(60, before=30, after=30)) == ["09:00"]


def test_23_a_buffer_counts_on_both_sides_and_for_every_service() -> None:
    around = free(
        spans(("08:00", "14:00")), need(60, before=15, after=15), visits=spans(("10:00", "11:00"))
    )
    assert ("08:45" in around, "09:00" in around) == (True, False)
    assert ("11:00" in around, "11:15" in around) == (False, True)


def test_25_a_buffer_on_a_grid_of_the_same_length_leaves_the_next_free_point() -> None:
    offered = free(
        spans(("09:00", "10:40")),
        need(20, after=5, grid=20),
        visits=spans(("09:00", "09:20")),
        buffers=spans(("09:20", "09:25")),
    )
    assert offered == ["09:40", "10:00", "10:20"]


def test_26_a_short_interruption_does_not_shift_the_grid() -> None:
    offered = free(spans(("09:00", "12:00")), need(30, grid=30), visits=spans(("09:00", "09:05")))
    assert offered == ["09:30", "10:00", "10:30", "11:00", "11:30"]


def test_27_two_half_free_people_are_nobody_for_the_whole_visit() -> None:
    wanted = need(60, grid=30)
    first = free(spans(("09:00", "10:00")), wanted)
    second = free(spans(("10:00", "11:00")), wanted)
    assert "09:30" not in first + second


def test_time_away_needs_no_buffer_but_no_visit_meets_it() -> None:
    work, away = spans(("09:00", "13:00")), spans(("10:00", "11:00"))
    offered = free(work, need(60, before=30, after=30, grid=60), away=away)
    assert offered == ["09:00", "11:00", "12:00"]


def test_somebody_is_free_while_colour_sets() -> None:
    # Half an hour of work, half an hour of waiting, half an hour of work.
    colour = Need(90 * 60, 30 * 60, work=((0, 1800), (3600, 5400)))
    work = spans(("09:00", "12:00"))
    assert free(work, colour, visits=spans(("09:30", "10:00"))) == ["09:00", "10:00", "10:30"]
    assert free(
        work, need(30, grid=30), visits=[(part[0], part[1]) for part in colour.parts(NINE)]
    ) == [
        "09:30",
        "10:30",
        "11:00",
        "11:30",
    ]


def test_lead_and_horizon_bound_the_starts() -> None:
    assert free(spans(("09:00", "18:00")), need(), between=("16:20", "16:59")) == ["16:30", "16:45"]


def test_06_the_lead_time_is_real_time_and_the_horizon_whole_days() -> None:
    company = Company(1, "S", "salon", "Europe/Berlin", "en", "EUR", "DE", "1")
    calendar = calendar_of(Catalog(company, (), ()))
    now = datetime(2026, 10, 24, 23, 30, 0, 5, UTC)  # 01:30 in the night of the change
    policy = Policy(lead_minutes=120, horizon_days=1)
    earliest, latest = offered_between(Service(1, "Cut", 60, 0), policy, calendar, now)
    local = datetime.fromtimestamp(earliest, company.zone)
    assert f"{local:%H:%M:%S}" == "02:30:01"
    assert f"{datetime.fromtimestamp(latest, company.zone):%m-%d %H:%M}" == "10-26 23:59"


def test_a_service_may_have_its_own_lead_horizon_and_grid() -> None:
    company = Company(1, "S", "salon", "UTC", "en", "EUR", "DE", "1")
    calendar = calendar_of(Catalog(company, (), ()))
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    own = Service(1, "Cut", 60, 0, lead_minutes=0, horizon_days=2, grid_minutes=20)
    earliest, latest = offered_between(own, Policy(), calendar, now)
    assert earliest == int(now.timestamp())
    assert latest + 1 == int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())
    assert need_of(own, StaffOffer(45, 0), Policy()).grid == 20 * 60


def test_starts_can_be_cut_to_a_period_and_put_under_days() -> None:
    times = [range(0, 100, 10), range(100, 160, 15)]
    assert [list(r) for r in within(times, 35, 116)] == [[40, 50, 60, 70, 80, 90], [100, 115]]
    assert within(times, 91, 99) == []
    company = Company(1, "S", "salon", "UTC", "en", "EUR", "DE", "1")
    calendar = calendar_of(Catalog(company, (), ()))
    days = {719163 + day: calendar.bounds(719163 + day) for day in range(3)}
    across = by_day([range(80_000, 90_000, 1_000), range(200_000, 200_001, 60)], days)
    assert {day - 719163: [list(r) for r in found] for day, found in across.items()} == {
        0: [[80_000, 81_000, 82_000, 83_000, 84_000, 85_000, 86_000]],
        1: [[87_000, 88_000, 89_000]],
        2: [[200_000]],
    }


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 20), st.integers(0, 3)),
        min_size=1,
        max_size=8,
    )
)
def test_starts_of_several_people_are_counted_once(made: list[tuple[int, int, int]]) -> None:
    ranges = [range(start * 4 + phase, start * 4 + phase + n * 4, 4) for start, n, phase in made]
    assert count(ranges) == len({at for times in ranges for at in times})


def test_29_the_least_booked_comes_first_then_whoever_waited_longest_then_the_order() -> None:
    assert by_turns([1, 2, 3], {1: 2, 2: 1, 3: 1}, {2: 50, 3: 40}) == [3, 2, 1]
    assert by_turns([1, 2, 3], {}, {1: 7, 2: 9}) == [3, 1, 2]
    assert by_turns([3, 1, 2], {}, {}) == [3, 1, 2]


def test_28_each_start_goes_to_the_first_who_can() -> None:
    chosen = assigned({1: [range(0, 30, 10)], 2: [range(10, 50, 10)]}, [2, 1])
    assert chosen == {0: 1, 10: 2, 20: 2, 30: 2, 40: 2}
    assert list(chosen) == sorted(chosen)


@pytest.mark.parametrize(
    ("left", "possible", "part"),
    [
        ((12, 20, 2), (12, 20, 8), "evening"),
        ((12, 20, 8), (12, 20, 8), None),
        ((1, 1, 1), (12, 20, 8), None),  # all of it is busy: nothing stands out
        ((0, 10, 0), (0, 20, 0), None),  # there is but one part
        ((2, 20, 0), (12, 20, 0), "morning"),  # they never open in the evening
        ((0, 0, 0), (12, 20, 8), None),
    ],
)
def test_a_part_of_the_day_that_is_nearly_booked_up_stands_out(
    left: tuple[int, int, int], possible: tuple[int, int, int], part: str | None
) -> None:
    assert busy_part(left, possible) == part


def test_where_plenty_is_left_no_part_of_the_day_stands_out() -> None:
    rng, plenties = Random(1), 0  # noqa: S311
    for _ in range(3000):
        possible = tuple(rng.choice((0, 3, 8, 20)) for _ in range(3))
        left = tuple(rng.randint(0, most) for most in possible)
        if plenty(sum(left), possible):
            plenties += 1
            assert busy_part(left, possible) is None, (left, possible)
    assert plenties > 300


def packed(taken: Iterable[Interval]) -> Packed:
    zero, ticks = 86_400, 1_000
    data = b"".join(RANGE.pack((a - zero) * ticks, (b - zero) * ticks) for a, b in taken)
    return Packed(data, RANGE, zero, ticks)


def test_a_calendar_that_nobody_changed_is_looked_at_once() -> None:
    wanted, window = need(before=5, after=10), window_of(0, 100_000, 300)
    taken = [(9 * HOUR, 10 * HOUR)], [(10 * HOUR, 11 * HOUR)]
    first = met(window, wanted, Busy(*map(packed, taken)))
    hits = met_packed.cache_info().hits
    assert met(window, wanted, Busy(*map(packed, taken))) == first
    assert met_packed.cache_info().hits == hits + 1
    moved = Busy(packed(taken[0]), packed([(11 * HOUR, 12 * HOUR)]))
    assert met(window, wanted, moved) == met(window, wanted, Busy(*map(list, moved))) != first


def check(rng: Random, zone: str, day: date, *, afar: bool = False) -> int:
    """Ask both about a day and the nights around it; how many free times there are."""
    catalog = from_afar(rng, zone, day) if afar else business(rng, zone, day)
    calendar = calendar_of(catalog)
    low = calendar.bounds(day.toordinal()).start // 60 - 180
    high = low + 1860
    asked = question(rng, low, high)
    wanted = need(asked.minutes, before=asked.before, after=asked.after, grid=asked.grid)
    busy = Busy(
        [(a * 60, b * 60) for a, b in asked.visits], [(a * 60, b * 60) for a, b in asked.buffers]
    )
    found = free_starts(calendar, 7, wanted, busy, low * 60, high * 60)
    for _ in range(2):  # from a database, for the first time and once more
        sent = Busy(*(packed(taken) for taken in busy))
        assert free_starts(calendar, 7, wanted, sent, low * 60, high * 60) == found
    ours = [at // 60 for times in found for at in times]
    assert ours == sorted(set(ours))
    assert ours == free_minutes(catalog, catalog.staff[0], asked, low, high), (zone, day, catalog)
    return len(ours)


@pytest.mark.parametrize("zone", ZONES)
def test_43_ten_days_of_clock_changes_agree_with_the_slow_second_opinion(zone: str) -> None:
    rng = Random(zone)  # noqa: S311
    days = changes(zone)
    assert len(days) == 10
    assert sum(check(rng, zone, day) for day in days) > 0


@pytest.mark.parametrize("zone", ZONES)
def test_43_clock_changes_of_an_area_agree_with_the_slow_second_opinion(zone: str) -> None:
    rng = Random(f"from {zone}")  # noqa: S311
    assert sum(check(rng, zone, day, afar=True) for day in changes(zone, 6)) > 0


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(ZONES),
    st.dates(date(2025, 1, 1), date(2027, 1, 1)),
    st.booleans(),
)
def test_43_any_day_agrees_with_the_slow_second_opinion(
    seed: int, zone: str, day: date, afar: bool
) -> None:
    check(Random(seed), zone, day, afar=afar)  # noqa: S311


def test_someone_without_hours_or_in_the_past_has_no_times() -> None:
    catalog = Catalog(
        Company(1, "S", "salon", "UTC", "en", "EUR", "DE", "1"), (), (Staff(7, "Becky"),)
    )
    assert free_starts(calendar_of(catalog), 7, need(), FREE, 0, 86_400) == []
    assert free_starts(calendar_of(catalog), 7, need(), FREE, 10, 5) == []
