"""The leaderboard as JSON or CSV: one line for each row and score or cost, at full precision."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.leaderboard.columns import of_table
from bench.leaderboard.commands import reproduce
from bench.leaderboard.ranking import Standing, standings
from bench.leaderboard.runs import Point
from bench.leaderboard.statistics import Interval, clopper_pearson
from bench.leaderboard.tables import BLOCKS, COSTS, Row, Table

__all__ = ["FIELDS", "as_csv", "as_json", "lines"]

FIELDS = (
    "dataset", "track", "method", "row", "block", "uses", "key", "mean", "low", "high", "n", "place", "best", "tied",
    "seeds", "values", "ok", "completed", "failures", "failure_low", "failure_high", "command",
)  # fmt: skip


def lines(tables: Sequence[Table]) -> Iterator[dict[str, Any]]:
    """A flat line for each row and each of its scores and costs; one with key None for a row that has neither."""
    for table in tables:
        ranked = [column.key for column in of_table(table) if column.ranked]
        for block in BLOCKS:
            rows = table.block(block)
            marks = {key: standings(rows, key) for key in ranked if block != "control"}
            for row in rows:
                yield from row_lines(table, row, marks)


def row_lines(table: Table, row: Row, marks: Mapping[str, Mapping[str, Standing]]) -> Iterator[dict[str, Any]]:
    low, high = clopper_pearson(row.failures.total(), row.completed) if row.completed else (None, None)
    about = {
        "dataset": table.dataset,
        "track": table.name,
        "method": row.method,
        "row": row.name,
        "block": row.block,
        "uses": " ".join(row.uses),
        "ok": row.ok,
        "completed": row.completed,
        "failures": row.failures.total(),
        "failure_low": low,
        "failure_high": high,
        "command": reproduce(row),
    }
    keys = [(score, row.estimate(score), row.points(score)) for score in table.scores]
    keys += [(f"cost.{name}", row.cost(name), row.cost_points(name)) for name in COSTS]
    found = [(key, interval, points) for key, interval, points in keys if interval is not None]
    for key, interval, points in found:
        yield figures(about, key, interval, points, marks.get(key, {}).get(row.name))
    if not found:
        yield {name: about.get(name) for name in FIELDS}


def figures(
    about: Mapping[str, Any], key: str, interval: Interval, points: Mapping[int, Point], standing: Standing | None
) -> dict[str, Any]:
    line = {
        **about,
        "key": key,
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
        "place": standing.place if standing else None,
        "best": standing.best if standing else None,
        "tied": standing.tied if standing else None,
        "seeds": list(points),
        "values": [value for value, _ in points.values()],
    }
    return {name: line[name] for name in FIELDS}


def as_json(tables: Sequence[Table]) -> str:
    return json.dumps(list(lines(tables)), indent=1, allow_nan=False) + "\n"


def as_csv(tables: Sequence[Table]) -> str:
    """The same lines; lists become words."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    for line in lines(tables):
        writer.writerow({k: " ".join(map(repr, v)) if isinstance(v, list) else v for k, v in line.items()})
    return text.getvalue()
