"""Section 7: what the discovery cost."""

from __future__ import annotations

from bench.leaderboard.columns import Column, number
from bench.leaderboard.tables import Row

__all__ = ["COLUMNS"]


def discovery(row: Row) -> str:
    """CPU seconds of the discover job alone."""
    interval = row.cost("cpu_s")
    return "" if interval is None else number(interval, "{:.1f}")


def around(row: Row) -> str:
    """CPU seconds of the jobs before and after."""
    found = [row.cost(name) for name in ("prepare_cpu_s", "score_cpu_s")]
    return " / ".join("n/a" if i is None else f"{i.mean:.1f}" for i in found) if any(found) else ""


COLUMNS = [
    Column("cpu_s", "discover, CPU s", "CPU seconds of the discovery alone", discovery, 60),
    Column(
        "prepare_cpu_s",
        "prepare / score, CPU s",
        "CPU seconds of training representation and oracle, done once and shared by all methods, and of scoring",
        around,
        61,
    ),
]
