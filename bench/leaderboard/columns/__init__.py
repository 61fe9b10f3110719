"""The columns of the leaderboard: every file in this folder with a list `COLUMNS` adds a family."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from bench.leaderboard.statistics import Interval
from bench.leaderboard.tables import Row, Table

__all__ = ["Column", "columns", "mean_column", "mean_text", "number", "of_table"]

PLUGINS = 50
"""Where the scores of plugin metrics stand among the other columns."""


@dataclass(frozen=True)
class Column:
    """A column.

    Arguments:
        key: its name; of a score, the score's.
        title: its head in the table.
        about: what it means, one line.
        produce: row -> text; "" where there is nothing to show.
        order: its place among the columns, from left to right.
        ranked: whether the score `key` has its best marked and can order the table.
    """

    key: str
    title: str
    about: str
    produce: Callable[[Row], str]
    order: int
    ranked: bool = False


def columns() -> list[Column]:
    """All columns, from left to right."""
    families = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = [c for name in families for c in importlib.import_module(f"{__name__}.{name}").COLUMNS]
    return sorted(found, key=lambda column: column.order)


def of_table(table: Table) -> list[Column]:
    """The columns in which some row of the table has something to show, plugin metrics' scores among them."""
    known = columns()
    claimed = {column.key.split(".")[0] for column in known}
    others = [name for name in table.scores if name.split(".")[0] not in claimed and is_headline(name, table)]
    found = known + [mean_column(name, name, "score of a plugin metric", PLUGINS, ranked=True) for name in others]
    shown = [column for column in found if any(column.produce(row) for row in table.rows)]
    return sorted(shown, key=lambda column: column.order)


def is_headline(name: str, table: Table) -> bool:
    """Whether a score is no detail (`name.detail`) of another one."""
    parts = name.split(".")
    return not any(".".join(parts[:i]) in table.scores for i in range(1, len(parts)))


def mean_column(key: str, title: str, about: str, order: int, ranked: bool = False) -> Column:
    """The mean of the score `key` over the seeds with its interval."""
    return Column(key, title, about, lambda row: mean_text(row, key), order, ranked)


def mean_text(row: Row, score: str) -> str:
    """`0.967 ± 0.012`, with the number of values where some run lacks the score."""
    interval = row.estimate(score)
    if interval is None:
        return ""
    lacking = f" (n = {interval.n})" if interval.n < row.ok else ""
    return number(interval, "{:z.3f}") + lacking


def number(interval: Interval, layout: str) -> str:
    """`mean ± half`, or the mean alone where the interval is unknown."""
    mean = layout.format(interval.mean)
    return mean if interval.half is None else f"{mean} ± {layout.format(interval.half)}"
