"""The figures as a table for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

COLUMNS = (
    ("turns/s", "turns_s", ".0f"),
    ("ack p50", "ack_p50_ms", ".1f"),
    ("ack p99", "ack_p99_ms", ".1f"),
    ("reply p50", "reply_p50_ms", ".1f"),
    ("reply p99", "reply_p99_ms", ".1f"),
    ("CPU ms/turn", "cpu_ms_a_turn", ".2f"),
    ("RSS MB", "rss_mb", ".0f"),
    ("errors", "errors", "d"),
    ("extra", "extra_replies", "d"),
)


def table(result: dict[str, Any]) -> str:
    """All parts that were measured; times in milliseconds."""
    lines = ["", *_load(result.get("load", ())), *_workers(result.get("workers"))]
    lines += _turns(result.get("turns"))
    lines += _timers(result.get("timers"))
    lines += _side_by_side(result.get("slots"), "history", "free times", "growth", "+.0%")
    lines += _side_by_side(result.get("queries"), "size", "queries", "ratio", ".2f")
    lines += [f"CONTRADICTION: {said}" for said in contradictions(result)]
    return "\n".join(lines) + "\n"


def contradictions(result: dict[str, Any]) -> list[str]:
    """Where a database and the customers do not agree."""
    summaries = [
        (f"{name}, {level['customers']} customers", level[name])
        for level in result.get("load", ())
        for name in ("floor", "usual")
        if name in level
    ]
    processes = (result.get("workers") or {}).get("processes", {})
    summaries += [(f"{count} worker processes", found) for count, found in processes.items()]
    said = [f"{where}: {said}" for where, found in summaries for said in found["contradictions"]]
    return said + _lost_or_doubled(result.get("timers") or {})


def _lost_or_doubled(found: dict[str, Any]) -> list[str]:
    runs = [found.get(part) for part in ("fire", "turns", "flushed", "killed")]
    runs += found.get("lateness", ())
    return [
        f"timers: {run.get('lost', 0)} lost, {run.get('doubled', 0)} doubled"
        for run in runs
        if run and (run.get("lost") or run.get("doubled"))
    ]


def _load(levels: list[dict[str, Any]]) -> Iterator[str]:
    if not levels:
        return
    yield _row("customers", "bot", [title for title, *_ in COLUMNS])
    for level in levels:
        for name in ("floor", "usual"):
            if name in level:
                yield _row(str(level["customers"]), name, _cells(level[name]))
        if "ratio" in level:
            yield _row("", "ratio", [f"{level['ratio']:.0%}"])
    yield ""


def _workers(found: dict[str, Any] | None) -> Iterator[str]:
    if not found:
        return
    for count, summary in found["processes"].items():
        yield _row(str(found["customers"]), f"{count} work", _cells(summary))
    yield _row("", "2 : 1", [f"{found['two_to_one']:.2f}"])
    yield ""


def _turns(found: list[dict[str, Any]] | None) -> Iterator[str]:
    if not found:
        return
    yield f"{'kind of turn':<22}{'round trips':>12}{'ms p50':>9}{'ms p95':>9}{'n':>6}"
    for kind in found:
        yield (
            f"{kind['kind']:<22}{kind['round_trips']:>12}{kind['p50_ms']:>9.2f}"
            f"{kind['p95_ms']:>9.2f}{kind['count']:>6}"
        )
    yield ""


def _timers(found: dict[str, Any] | None) -> Iterator[str]:
    if not found:
        return
    for part in ("floor", "schedule"):
        for name, rate in found[part].items():
            yield f"{part:<11}{name.removesuffix('_s').replace('_', ' '):<34}{rate:>10} /s"
    fire, turns = found["fire"], found["turns"]
    yield f"{'fire':<11}{fire['count']} due at once, to the inbox{fire['fire_s']:>16} /s"
    yield f"{'':<11}{turns['count']} due at once, a turn each{turns['turns_s']:>17} /s"
    for run in found["lateness"]:
        for what in ("fired", "heard"):
            late = run[f"{what}_ms"]
            yield (
                f"{what:<11}{run['count']} timers, {run['pending']} more pending: p50 "
                f"{late['p50']:.1f}, p99 {late['p99']:.1f}, max {late['max']:.1f} ms late"
            )
        yield f"{'':<11}{run['redis_bytes'] / 1024:.0f} kB in Redis"
    for title, part in (("FLUSHALL", "flushed"), ("kill -9", "killed")):
        run = found[part]
        yield f"{title:<11}worst {run['worst_ms']:.0f} ms late, {run['lost']} lost"
    yield ""


def _side_by_side(
    found: list[dict[str, Any]] | None, beside: str, title: str, more: str, form: str
) -> Iterator[str]:
    """Medians in milliseconds, a column for each size of the data; beside them one more figure."""
    if not found:
        return
    sizes = list(dict.fromkeys(str(row[beside]) for row in found))
    yield f"{title + ', ms p50':<36}" + "".join(f"{size:>14}{more:>9}" for size in sizes)
    for what in dict.fromkeys(row["what"] for row in found):
        rows = [row for row in found if row["what"] == what]
        yield f"{what:<36}" + "".join(
            f"{row['p50_ms']:>14.2f}{format(row[more], form) if more in row else '':>9}"
            for row in rows
        )
    yield ""


def _cells(summary: dict[str, Any]) -> list[str]:
    return ["-" if summary[key] is None else format(summary[key], form) for _, key, form in COLUMNS]


def _row(first: str, second: str, cells: list[str]) -> str:
    return f"{first:<11}{second:<9}" + "".join(f"{cell:>12}" for cell in cells)
