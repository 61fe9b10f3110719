"""Learners: a model with the source of its symmetry, as a curve over the number of training samples."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.jobs.specs import BUILT_IN
from bench.leaderboard.downstream.efficiency import Multiplier, area, sample_multiplier
from bench.leaderboard.naming import learner_key, parameters
from bench.leaderboard.runs import Point
from bench.leaderboard.statistics import Interval, paired_interval
from bench.leaderboard.tables import Row, Table, summary

__all__ = [
    "SCORE", "TRUE", "WITHOUT", "WRONG", "Learner", "against", "baseline", "common", "height", "learners", "multiplier",
    "partner",
]  # fmt: skip

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
    def block(self) -> str:
        """`ranked`, `helped` by labels, pairs or the truth, or `control`."""
        return self.rows[0].block

    @cached_property
    def points(self) -> dict[float, dict[int, Point]]:
        """n -> seed -> score with its standard error, of the runs that went well."""
        found = {size(row): row.points(SCORE) for row in self.rows}
        return {n: of_seed for n, of_seed in found.items() if n is not None and of_seed}

    @property
    def scores(self) -> dict[float, dict[int, float]]:
        """n -> seed -> score."""
        return {n: {seed: value for seed, (value, _) in of_seed.items()} for n, of_seed in self.points.items()}

    def areas(self, sizes: Collection[float]) -> dict[int, Point]:
        """Seed -> area under the score over the log of these n, of the seeds that have all of them.

        The test samples are the same for every n: standard errors add up as the scores do.
        """
        if not sizes or not self.points.keys() >= set(sizes):
            return {}
        seeds = set.intersection(*(set(self.points[n]) for n in sizes))
        return {seed: self._area(seed, sizes) for seed in sorted(seeds)}

    def _area(self, seed: int, sizes: Collection[float]) -> Point:
        values, errors = ({n: self.points[n][seed][part] for n in sizes} for part in (0, 1))
        known = {n: error for n, error in errors.items() if error is not None}
        error = area(known) if len(known) == len(errors) else None
        return area({n: value or 0.0 for n, value in values.items()}), error

    @property
    def last(self) -> Row:
        """The row of the largest number of training samples that has a result."""
        return next((row for row in reversed(self.rows) if row.ok), self.rows[-1])

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
        groups.setdefault(learner_key(row.runs[0]), []).append(row)
    return sorted((Learner(name(rows[0]), tuple(rows)) for rows in groups.values()), key=lambda one: one.name)


def name(row: Row) -> str:
    """The row's name without the number of samples."""
    return row.name.replace(f" · n={asked(row) or 'all'}", "", 1)


def common(found: Sequence[Learner]) -> set[float]:
    """The numbers of samples of all learners together: what an area is over."""
    return {n for learner in found for n in learner.points}


def partner(learner: Learner, others: Sequence[Learner], source: str) -> Learner | None:
    """The same model, with the same parameters, and another source."""
    mine = parameters(learner.rows[0].runs[0], "model")
    return next(
        (
            other
            for other in others
            if (other.model, other.source) == (learner.model, source)
            and parameters(other.rows[0].runs[0], "model") == mine
        ),
        None,
    )


def baseline(learner: Learner, others: Sequence[Learner]) -> Learner | None:
    """The same model without a symmetry; of a model whose symmetry is built in, the best that has none."""
    if learner.source != BUILT_IN:
        return partner(learner, others, WITHOUT)
    without = {other.name: other for other in others if other.source == WITHOUT}
    areas = {name: summary(other.areas(common(others))) for name, other in without.items()}
    return max(without.values(), key=lambda other: height(areas[other.name]), default=None)


def height(interval: Interval | None) -> float:
    """What learners are ordered by."""
    return -math.inf if interval is None else interval.mean


def against(learner: Learner, other: Learner, *, largest: bool = False) -> Interval | None:
    """The mean difference of area over the n and the seeds that both have; of the score where that is one n alone.

    Arguments:
        largest: at the largest n that both have.
    """
    sizes = learner.points.keys() & other.points.keys()
    if largest and sizes:
        sizes = {max(sizes)}
    mine, theirs = learner.areas(sizes), other.areas(sizes)
    seeds = sorted(mine.keys() & theirs.keys())
    if not seeds:
        return None
    a, b = ([points[seed] for seed in seeds] for points in (mine, theirs))
    return paired_interval(
        [value for value, _ in a], [value for value, _ in b], [error for _, error in a], [error for _, error in b]
    )


def multiplier(learner: Learner, others: Sequence[Learner]) -> Multiplier | None:
    """The samples that its baseline needs for the same score, as a multiple of its own."""
    base = baseline(learner, others)
    return None if base is None or base is learner else sample_multiplier(base.scores, learner.scores)
