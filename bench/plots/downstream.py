"""Data efficiency as a picture: the score of every downstream model over the number of training samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.leaderboard.downstream.curves import SCORE, TRUE, WITHOUT, WRONG, Learner, common, learners
from bench.leaderboard.statistics import mean_interval
from bench.leaderboard.tables import Table, tables
from bench.plots.canvas import canvas, check_matplotlib

__all__ = ["draw"]

COLOURS = {WITHOUT: "#8a8a8a", WRONG: "#b03a2e", TRUE: "#2e8b57", "built-in": "#b8651b"}
DISCOVERED = ("#1f5fa8", "#6a4fa3", "#1794a8", "#a34f7d")
STYLES = ("-", "--", ":", "-.")
MARKS = "osD^v<>P"
WIDTH, HEIGHT = 8.0, 3.2


def draw(results: Path, target: Path) -> None:
    """Draw the curves of all tracks under `results` to a file whose ending names the format.

    Raises BenchError without matplotlib, without a curve to draw, or for a format that it does not know.
    """
    check_matplotlib()
    panels = [(table, found) for table in tables(results) if (found := with_curves(table))]
    if not panels:
        raise BenchError(f"no curves of models under {results} to draw", "run models with several --n first")
    with canvas(WIDTH, HEIGHT * len(panels), target) as figure:
        axes = figure.subplots(len(panels), squeeze=False)[:, 0]
        for axis, (table, found) in zip(axes, panels, strict=True):
            track(axis, table, found)


def with_curves(table: Table) -> list[Learner]:
    """The learners of a table that were trained on several numbers of samples."""
    return [one for one in learners(table) if len(one.scores) > 1] if table.learning else []


def track(axis: Any, table: Table, found: list[Learner]) -> None:
    """One track: a curve a learner, colour by the source of the symmetry, line and mark by the model."""
    models = sorted({one.model for one in found})
    discovered = sorted({one.source for one in found} - COLOURS.keys())
    colours = COLOURS | {source: DISCOVERED[i % len(DISCOVERED)] for i, source in enumerate(discovered)}
    for learner in found:
        look = models.index(learner.model)
        points = {n: mean_interval(list(of_seed.values())) for n, of_seed in sorted(learner.scores.items())}
        axis.errorbar(
            list(points), [one.mean for one in points.values()],
            yerr=[one.half or 0 for one in points.values()], capsize=2, lw=1.2, elinewidth=0.7, ms=4,
            color=colours[learner.source], ls=STYLES[look % len(STYLES)], marker=MARKS[look % len(MARKS)],
            label=learner.name,
        )  # fmt: skip
    sizes = sorted(common(found))
    axis.set_xscale("log")
    axis.set_xticks(sizes, [f"{n:.0f}" for n in sizes])
    axis.minorticks_off()
    axis.set_xlabel("training samples")
    axis.set_ylabel(SCORE)
    axis.set_title(f"{table.dataset}: {table.name.removeprefix('models · ')}", loc="left", fontsize=9)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
