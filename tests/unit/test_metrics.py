"""What is measured can be read by Prometheus, says nothing about anybody, and stays small."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from bot import metrics
from storage.vitals import Backlog

LABELS_THAT_COME_FROM_THE_CODE = {
    "ask", "error", "flow", "generation", "kind", "le", "outcome", "python", "reason", "state",
    "status", "step", "timer", "version",
}  # fmt: skip


async def read(scrape: metrics.Scrape) -> dict[str, float]:
    """The samples of a scrape by name and labels, as Prometheus would store them."""
    text = (await scrape.render()).decode()
    return {
        sample.name + "".join(f" {k}={v}" for k, v in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def answers() -> bool:
    return True


def backlog_of(found: Backlog | None) -> Callable[[], Awaitable[Backlog | None]]:
    async def backlog() -> Backlog | None:
        return found

    return backlog


def scrape_of(found: Backlog | None, *, fresh_seconds: float = 0.0) -> metrics.Scrape:
    return metrics.Scrape(
        backlog=backlog_of(found),
        redis_answers=answers,
        connections=lambda: {"idle": 3, "busy": 1},
        fresh_seconds=fresh_seconds,
    )


SOME = Backlog(
    pending=4,
    lag_seconds=1.5,
    dead=2,
    companies_held=1,
    with_person=3,
    outbox={"doubt": 2},
    timers_overdue=5,
    timers_lag_seconds=2.5,
    timers_dead=6,
)


async def test_a_turn_counts_by_its_step_and_takes_time_by_its_flow() -> None:
    before = await read(scrape_of(SOME))
    metrics.turn_taken("testing.resting", 0.003)
    metrics.turn_taken("testing.resting", 0.2)
    after = await read(scrape_of(SOME))
    turns = "usual_turns_total step=testing.resting"
    assert after[turns] - before.get(turns, 0) == 2
    count = "usual_turn_seconds_count flow=testing"
    assert after[count] - before.get(count, 0) == 2
    assert after["usual_turn_seconds_bucket flow=testing le=0.005"] == 1


async def test_a_send_counts_by_outcome_and_class_of_error() -> None:
    metrics.send_answered("sent", seconds=0.12)
    metrics.send_answered("retry", error="Throttled")
    after = await read(scrape_of(SOME))
    assert after["usual_sends_total error= outcome=sent"] >= 1
    assert after["usual_sends_total error=Throttled outcome=retry"] == 1
    assert after["usual_send_seconds_count"] >= 1


async def test_what_waits_is_read_when_it_is_asked_for() -> None:
    found = await read(scrape_of(SOME))
    assert found["usual_database_up"] == 1
    assert found["usual_redis_up"] == 1
    assert found["usual_inbox_pending"] == 4
    assert found["usual_inbox_lag_seconds"] == 1.5
    assert found["usual_inbox_dead"] == 2
    assert found["usual_timers_overdue"] == 5
    assert found["usual_timers_lag_seconds"] == 2.5
    assert found["usual_timers_dead"] == 6
    assert found["usual_companies_held"] == 1
    assert found["usual_conversations_with_person"] == 3
    assert found["usual_outbox_messages status=doubt"] == 2
    assert found["usual_outbox_messages status=held"] == 0
    assert found["usual_database_connections state=idle"] == 3


async def test_a_database_that_does_not_answer_leaves_no_old_figures() -> None:
    await read(scrape_of(SOME))
    found = await read(scrape_of(None))
    assert found["usual_database_up"] == 0
    assert math.isnan(found["usual_inbox_pending"])
    assert math.isnan(found["usual_outbox_messages status=doubt"])


async def test_many_scrapers_cost_the_database_no_more_than_one() -> None:
    asked = 0

    async def backlog() -> Backlog:
        nonlocal asked
        asked += 1
        return SOME

    scrape = metrics.Scrape(backlog=backlog, redis_answers=answers, fresh_seconds=60.0)
    for _ in range(3):
        await scrape.render()
    assert asked == 1


def test_values_from_outside_end_in_other_when_they_become_too_many() -> None:
    registry = CollectorRegistry()
    capped = metrics.Capped(Counter("kinds", "…", ("kind",), registry=registry), most=2)
    for kind in ("text", "image", "447911123456", "Ana", "text"):
        capped.inc(kind)
    samples = {
        sample.labels["kind"]: sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "kinds_total"
    }
    assert samples == {"text": 2, "image": 1, "other": 2}


@pytest.mark.parametrize(
    "name",
    [
        "usual_webhooks_total outcome=bad_signature",
        "usual_webhooks_total outcome=accepted",
        "usual_events_duplicate_total",
        "usual_events_stray_total",
        "usual_events_parked_total",
        "usual_turns_failed_total",
        "usual_turns_retried_total",
        "usual_slots_lost_total",
        "usual_sends_in_doubt_total",
        "usual_statuses_total status=failed",
        "usual_conversations_handed_over_total reason=failed",
    ],
)
async def test_what_one_sets_alarms_on_is_there_before_it_happens(name: str) -> None:
    assert name in await read(scrape_of(SOME))


async def test_the_build_and_the_process_are_there() -> None:
    found = await read(scrape_of(SOME))
    assert any(name.startswith("usual_build_info") for name in found)
    assert found["process_resident_memory_bytes"] > 0


def test_nothing_is_labelled_by_anybody() -> None:
    labels = {
        label
        for metric in metrics.REGISTRY.collect()
        for sample in metric.samples
        for label in sample.labels
    }
    assert labels - {"implementation", "major", "minor", "patchlevel"} <= (
        LABELS_THAT_COME_FROM_THE_CODE
    )
