"""The leaderboard as a picture: every seed's point of the ranked scores, with mean and interval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.leaderboard.columns import of_table
from bench.leaderboard.ranking import headline
from bench.leaderboard.tables import BLOCKS, Row, Table, tables
from bench.plots.canvas import canvas, check_matplotlib

__all__ = ["draw"]

COLOURS = {"ranked": "#1f5fa8", "helped": "#b8651b", "control": "#8a8a8a"}
ROW_HEIGHT = 0.34
PANELS = 2


def draw(results: Path, target: Path) -> None:
    """Draw the records under `results` to a file whose ending names the format.

    Raises BenchError without matplotlib, without a score to draw, or for a format that it does not know.
    """
    check_matplotlib()
    panels = [(table, scores(table)) for table in tables(results) if not table.learning and scores(table)]
    if not panels:
        raise BenchError(f"no scores under {results} to draw", "run something first: bench run")
    columns = max(len(names) for _, names in panels)
    heights = [len(table.rows) + 2.6 for table, _ in panels]
    with canvas(2.2 + 3.8 * columns, ROW_HEIGHT * sum(heights), target) as figure:
        axes = figure.subplots(len(panels), columns, squeeze=False, height_ratios=heights)
        for line, (table, names) in zip(axes, panels, strict=True):
            track(line, table, names)


def track(axes: Sequence[Any], table: Table, names: Sequence[str]) -> None:
    """One track: a panel a score, a row a method; ranked methods, best first, above the controls."""
    rows = list(reversed(in_order(table, names[0])))
    for axis, score in zip(axes, names, strict=False):
        for y, row in enumerate(rows):
            points(axis, y, row, score)
        axis.set_yticks(range(len(rows)), [label(row) for row in rows] if axis is axes[0] else [])
        axis.set_ylim(-0.7, len(rows) - 0.3)
        for x in (0, 1):
            axis.axvline(x, color="#cccccc", lw=0.8, zorder=0)
        axis.set_xlabel(score.replace("_", " "))
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(axis="y", length=0)
    axes[0].set_title(f"{table.dataset}: {table.name}", loc="left", fontsize=10)
    for unused in axes[len(names) :]:
        unused.set_visible(False)


def points(axis: Any, y: int, row: Row, score: str) -> None:
    """Every seed's value above the mean and its interval; in words where there is none."""
    interval = row.estimate(score)
    if interval is None:
        axis.text(0.02, y, "n/a" if row.ok else "no result", color=COLOURS[row.block], va="center", fontsize=8)
        return
    colour = COLOURS[row.block]
    axis.errorbar(interval.mean, y - 0.12, xerr=interval.half, fmt="|", ms=9, mew=2, capsize=3, color=colour)
    values = [value for value, _ in row.points(score).values()]
    axis.plot(values, [y + 0.18] * len(values), "o", ms=4, mew=0, alpha=0.5, color=colour)


def label(row: Row) -> str:
    return f"{row.name} (control)" if row.block == "control" else row.name


def scores(table: Table) -> list[str]:
    """At most two ranked scores of a table, the headline first."""
    ranked = [column.key for column in of_table(table) if column.ranked]
    main = headline(table, ranked)
    return [main, *(key for key in ranked if key != main)][:PANELS] if main else []


def in_order(table: Table, score: str) -> list[Row]:
    """The rows by block, best first, those without the score last."""

    def order(row: Row) -> tuple[int, bool, float, str]:
        interval = row.estimate(score)
        return BLOCKS.index(row.block), interval is None, -interval.mean if interval else 0.0, row.name

    return sorted(table.rows, key=order)
