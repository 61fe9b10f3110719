"""Tables: one for each track, with a row for each method and its parameters."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.leaderboard.naming import (
    METHOD,
    TRACK,
    canonical,
    distinct,
    method_key,
    method_settings,
    track,
    track_settings,
    with_parameters,
)
from bench.leaderboard.runs import FAILURES, Point, Run, load, without_repeats
from bench.leaderboard.statistics import Interval, mean_interval

__all__ = ["BLOCKS", "COSTS", "Row", "Table", "assemble", "tables"]

BLOCKS = ("ranked", "helped", "control")
"""Ranked methods; methods that saw labels, pairs or the truth; controls, which are not ranked."""
COSTS = (
    "cpu_s", "wall_s", "peak_rss_mb", "steps", "parameters", "prepare_cpu_s", "score_cpu_s", "discover_cpu_s",
    "samples",
)  # fmt: skip
BUDGETS = ("full", "standard", "smoke")


@dataclass(frozen=True)
class Row:
    """The runs of one method with one choice of parameters in one track, one a seed."""

    name: str
    runs: tuple[Run, ...]

    @property
    def method(self) -> str:
        return str(self.runs[0].record.spec["method"])

    @property
    def model(self) -> str | None:
        """The downstream model; None: what was scored is the symmetry itself."""
        name = self.runs[0].record.spec.get("model")
        return None if name is None else str(name)

    @cached_property
    def uses(self) -> tuple[str, ...]:
        """What the method was given beside the samples."""
        return tuple(sorted({name for run in self.runs for name in run.declared.get("uses", ())}))

    @cached_property
    def block(self) -> str:
        if any(run.declared.get("control") for run in self.runs):
            return "control"
        return "helped" if {"labels", "pairs", "truth"} & set(self.uses) else "ranked"

    @property
    def ok(self) -> int:
        return sum(run.counts for run in self.runs)

    @property
    def failures(self) -> Counter[str]:
        """How often each failure happened; skipped and interrupted runs say nothing about the method."""
        return Counter(run.record.status for run in self.runs if run.record.status in FAILURES)

    @property
    def completed(self) -> int:
        """Runs that ended by themselves: ok or a failure."""
        return sum(run.record.status == "ok" or run.record.status in FAILURES for run in self.runs)

    def points(self, score: str) -> dict[int, Point]:
        """Seed -> value and standard error, where the score applies."""
        return present(self.runs, lambda run: run.point(score))

    def estimate(self, score: str) -> Interval | None:
        """The mean of a score over the seeds, None where no run has it."""
        return summary(self.points(score))

    def cost(self, name: str) -> Interval | None:
        """The mean of a cost over the seeds, None where no run has it."""
        return summary(self.cost_points(name))

    def cost_points(self, name: str) -> dict[int, Point]:
        """Seed -> cost, where it was measured."""
        return present(self.runs, lambda run: run.cost(name))


@dataclass(frozen=True)
class Table:
    """A track's rows.

    Arguments:
        spec: the spec of its runs, without method and seed.
        name: what tells it from the other tracks of the dataset.
        rows: its rows, by name.
    """

    spec: Mapping[str, Any]
    name: str
    rows: tuple[Row, ...]

    @property
    def learning(self) -> bool:
        """Whether its rows are downstream models, a row for each number of training samples."""
        return bool(self.spec.get("model"))

    @property
    def dataset(self) -> str:
        return str(self.spec["dataset"])

    @property
    def scores(self) -> list[str]:
        """The names of all scores that some run has a number for."""
        names = {name for row in self.rows for run in row.runs for name in run.record.scores}
        return sorted(name for name in names if any(row.points(name) for row in self.rows))

    @property
    def hardware(self) -> list[str]:
        """The processors that the runs were timed on."""
        return sorted({processor(run) for row in self.rows for run in row.runs if run.counts})

    @property
    def samples(self) -> list[str]:
        """What the dataset says of the samples, in words; of a table there should be one such text."""
        found = {canonical(run.record.provenance.get("samples") or {}) for row in self.rows for run in row.runs}
        texts = [json.loads(text) for text in sorted(found)]
        return [", ".join(f"{name} {value}" for name, value in sorted(facts.items())) for facts in texts if facts]

    def block(self, name: str) -> list[Row]:
        return [row for row in self.rows if row.block == name]


def tables(root: Path) -> list[Table]:
    """The tables of all records under `root`. Raises BenchError as `load` does."""
    return assemble(load(root))


def assemble(runs: Iterable[Run]) -> list[Table]:
    """Runs, in any order, sorted into tables by dataset, budget and track."""
    tracks = grouped(with_parameters(runs), lambda run: (run.record.spec["dataset"], track(run)))
    named = []
    for _, group in groupby(tracks, key=lambda members: members[0].record.spec["dataset"]):
        members = list(group)
        names = distinct([run[0] for run in members], track_settings, TRACK)
        named += [table(name, with_stale_marked(runs)) for name, runs in zip(names, members, strict=True)]
    return sorted(named, key=lambda t: (t.dataset, budget_order(t.spec.get("budget")), t.name))


def table(name: str, runs: Sequence[Run]) -> Table:
    """The table of a track from its runs."""
    rows = [without_repeats(members) for members in grouped(runs, method_key)]
    names = distinct([row[0] for row in rows], method_settings, METHOD)
    found = [Row(name, tuple(row)) for name, row in zip(names, rows, strict=True)]
    return Table(runs[0].record.spec, name, tuple(sorted(found, key=lambda row: row.name)))


def with_stale_marked(runs: Sequence[Run]) -> list[Run]:
    """The runs, those marked that were scored by older versions of a metric than another run of the track."""
    newest: dict[str, int] = {}
    for run in runs:
        for metric, version in run.record.metric_versions.items():
            newest[metric] = max(version, newest.get(metric, version))

    def why(run: Run) -> str | None:
        versions = sorted(run.record.metric_versions.items())
        old = [f"{name} {version}, others by {newest[name]}" for name, version in versions if version < newest[name]]
        return f"stale: scored by {'; '.join(old)}" if old else None

    return [replace(run, stale=why(run)) for run in runs]


def processor(run: Run) -> str:
    known = [run.record.provenance.get(name) for name in ("cpu", "device")]
    return ", ".join(str(name) for name in known if name) or "unknown"


def present(runs: Iterable[Run], read: Callable[[Run], Point | None]) -> dict[int, Point]:
    found = ((run.seed, read(run)) for run in runs)
    return {seed: point for seed, point in found if point is not None}


def summary(points: Mapping[int, Point]) -> Interval | None:
    """The interval of the points' mean, None for no points."""
    if not points:
        return None
    return mean_interval([value for value, _ in points.values()], [error for _, error in points.values()])


def grouped(runs: Iterable[Run], key: Callable[[Run], Any]) -> list[list[Run]]:
    """Runs that agree in `key`, in the order of the keys and of their files."""
    ordered = sorted(runs, key=lambda run: (key(run), run.path))
    return [list(members) for _, members in groupby(ordered, key=key)]


def budget_order(budget: str | None) -> tuple[int, str]:
    return (BUDGETS.index(budget) if budget in BUDGETS else len(BUDGETS), budget or "")
