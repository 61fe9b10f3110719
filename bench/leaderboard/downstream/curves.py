"""Learners: a model with the source of its symmetry, as a curve over the number of training samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bench.leaderboard.downstream.efficiency import Multiplier, area, sample_multiplier
from bench.leaderboard.statistics import Interval, mean_interval
from bench.leaderboard.tables import Row, Table

__all__ = ["SCORE", "TRUE", "WITHOUT", "WRONG", "Learner", "against", "baseline", "learners"]

SCORE = "prediction"
WITHOUT, WRONG, TRUE = "none", "random", "truth"
"""The sources that others are compared with."""


@dataclass(frozen=True)
class Learner:
    """A row for each number of training samples, ascending.

    Arguments:
        name: model + source, with what was set.
    """

    name: str
    rows: tuple[Row, ...]

    @property
    def model(self) -> str:
        return str(self.rows[0].model)

    @property
    def source(self) -> str:
        return self.rows[0].method

    @property
    def control(self) -> bool:
        return self.rows[0].block == "control"

    @cached_property
    def scores(self) -> dict[float, dict[int, float]]:
        """n -> seed -> score, of the runs that went well."""
        found = {size(row): {seed: value for seed, (value, _) in row.points(SCORE).items()} for row in self.rows}
        return {n: of_seed for n, of_seed in found.items() if n is not None and of_seed}

    @cached_property
    def areas(self) -> dict[int, float]:
        """Seed -> area under the score over log n, of the seeds that have every n."""
        seeds = set.intersection(*(set(points) for points in self.scores.values())) if self.scores else set()
        found = {seed: area({n: points[seed] for n, points in self.scores.items()}) for seed in sorted(seeds)}
        return {seed: value for seed, value in found.items() if value is not None}

    @property
    def area(self) -> Interval | None:
        return mean_interval(list(self.areas.values())) if self.areas else None

    def at(self, n: int | None) -> Row | None:
        """The row of a number of training samples as it was asked for."""
        return next((row for row in self.rows if asked(row) == n), None)


def asked(row: Row) -> int | None:
    n = row.runs[0].record.spec.get("n")
    return None if n is None else int(n)


def size(row: Row) -> float | None:
    """How many training samples there were."""
    cost = row.cost("samples")
    return None if cost is None else cost.mean


def learners(table: Table) -> list[Learner]:
    """The learners of a table, by name."""
    groups: dict[str, list[Row]] = {}
    for row in sorted(table.rows, key=lambda row: (asked(row) is None, asked(row) or 0)):
        name = " · ".join(part for part in row.name.split(" · ") if not part.startswith("n="))
        groups.setdefault(name, []).append(row)
    return [Learner(name, tuple(rows)) for name, rows in sorted(groups.items())]


def baseline(learner: Learner, others: list[Learner]) -> Learner | None:
    """The same model without a symmetry; of a model that is never without, the best that is."""
    without = [other for other in others if other.source == WITHOUT]
    own = [other for other in without if other.model == learner.model]
    best = sorted((other for other in without if other.area), key=lambda other: -mean(other.areas))
    return next(iter(own + best), None)


def mean(values: Mapping[int, float]) -> float:
    return sum(values.values()) / len(values)


def against(learner: Learner, other: Learner) -> Interval | None:
    """The mean difference of area over the seeds that both have; of the score, where there is one n alone."""
    mine, theirs = (one.areas or next(iter(one.scores.values()), {}) for one in (learner, other))
    if bool(learner.areas) != bool(other.areas) or not mine.keys() & theirs.keys():
        return None
    return mean_interval([mine[seed] - theirs[seed] for seed in sorted(mine.keys() & theirs.keys())])


def multiplier(learner: Learner, others: list[Learner]) -> Multiplier | None:
    """The samples that its baseline needs for the same score, as a multiple of its own."""
    base = baseline(learner, others)
    return None if base is None or base is learner else sample_multiplier(base.scores, learner.scores)
