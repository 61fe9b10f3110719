"""Ranking: the best, what is tied with it, and places over datasets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.leaderboard.statistics import Interval, paired_interval, resampled_interval
from bench.leaderboard.tables import Row, Table

__all__ = ["Standing", "headline", "over_datasets", "ranked_by", "samples_lack_it", "standings"]

MINIMUM_DATASETS = 3
PRESERVED = "distribution_preservation"
OF_THE_SAMPLES = ("joint",)
KEPT = 0.5


@dataclass(frozen=True)
class Standing:
    """A row's place in one score.

    Arguments:
        place: 1 + the number of rows that are significantly better.
        best: whether its mean is the highest.
        tied: whether it is not significantly different from the best, and not the best itself.
    """

    place: int
    best: bool
    tied: bool


def standings(rows: Sequence[Row], score: str) -> dict[str, Standing]:
    """Row name -> standing, of the rows that have the score; places by paired differences over common seeds."""
    means = {row.name: row.estimate(score) for row in rows}
    having = [row for row in rows if means[row.name] is not None]
    top = max((interval.mean for interval in means.values() if interval is not None), default=0.0)
    found = {}
    for row in having:
        interval = means[row.name]
        best = interval is not None and interval.mean == top
        place = 1 + sum(better(other, row, score) for other in having if other is not row)
        tied = not best and not any(better(other, row, score) for other in having if is_top(other, score, top))
        found[row.name] = Standing(place, best, tied)
    return found


def is_top(row: Row, score: str, top: float) -> bool:
    interval = row.estimate(score)
    return interval is not None and interval.mean == top


def better(a: Row, b: Row, score: str) -> bool:
    """Whether a's mean difference to b over their common seeds is above zero with 95 % confidence."""
    of_a, of_b = a.points(score), b.points(score)
    seeds = sorted(of_a.keys() & of_b.keys())
    if not seeds:
        return False
    difference = paired_interval(
        [of_a[s][0] for s in seeds],
        [of_b[s][0] for s in seeds],
        [of_a[s][1] for s in seeds],
        [of_b[s][1] for s in seeds],
    )
    return difference.low is not None and difference.low > 0


def headline(table: Table, ranked: Iterable[str]) -> str | None:
    """The score that a table is ordered by: the first that it is ranked by."""
    return next(iter(ranked_by(table, ranked)), None)


def ranked_by(table: Table, ranked: Iterable[str]) -> list[str]:
    """Of the `ranked` scores those that a table has.

    Without those in which the distribution counts where the samples lack the symmetry of the law: there a method that
    finds all of it would come after one that finds the part that the samples have. And without those that the truth
    itself has not, as a finite group has no displacement to choose.
    """
    truths = _truths(table)
    unknown = [score for score in OF_THE_SAMPLES if truths and not any(row.estimate(score) for row in truths)]
    out = OF_THE_SAMPLES if samples_lack_it(table) else unknown
    return [score for score in ranked if score in table.scores and score not in out]


def samples_lack_it(table: Table) -> bool:
    """Whether the true symmetry does not keep the distribution of the samples: its preservation is under a half."""
    found = [row.estimate(PRESERVED) for row in _truths(table)]
    return any(truth is not None and truth.mean < KEPT for truth in found)


def _truths(table: Table) -> list[Row]:
    return [row for row in table.block("control") if row.method == "truth"]


def over_datasets(tables: Sequence[Table], ranked: Sequence[str]) -> dict[str, Interval]:
    """Row name -> mean place over the datasets, interval by resampling them; {} for fewer than three datasets.

    Places in the tracks of a dataset are averaged first. A row that is missing in a track counts as last there.
    Smoke budgets do not enter.
    """
    ranked = list(ranked)
    entered = [t for t in tables if t.spec.get("budget") != "smoke" and headline(t, ranked) and t.block("ranked")]
    datasets = sorted({table.dataset for table in entered})
    if len(datasets) < MINIMUM_DATASETS:
        return {}
    names = sorted({row.name for table in entered for row in table.block("ranked")})
    places = {
        (table.dataset, table.name): standings(table.block("ranked"), headline(table, ranked) or "")
        for table in entered
    }

    def place(name: str, table: Table) -> float:
        standing = places[table.dataset, table.name].get(name)
        return float(standing.place if standing else len(names))

    return {
        name: resampled_interval([fmean(place(name, t) for t in entered if t.dataset == d) for d in datasets])
        for name in names
    }
