"""How many runs there are, and how many failed."""

from __future__ import annotations

from bench.leaderboard.columns import Column
from bench.leaderboard.statistics import clopper_pearson
from bench.leaderboard.tables import Row

__all__ = ["COLUMNS"]

ENOUGH_SEEDS = 5


def seeds(row: Row) -> str:
    """How many seeds the means are over, flagged where they are too few."""
    return str(row.ok) if row.ok >= ENOUGH_SEEDS else f"{row.ok} ⚠"


def failed(row: Row) -> str:
    """Failures of the completed runs, with the interval of their rate and their kinds."""
    if not row.completed:
        return "no run completed"
    low, high = clopper_pearson(row.failures.total(), row.completed)
    kinds = ", ".join(f"{count} {status}" for status, count in sorted(row.failures.items()))
    rate = f"{row.failures.total()}/{row.completed} [{100 * low:.0f}, {100 * high:.0f}] %"
    return f"{rate}: {kinds}" if kinds else rate


COLUMNS = [
    Column("seeds", "seeds", "how many seeds the means are over; ⚠ fewer than 5", seeds, 70),
    Column(
        "failed",
        "failed",
        "runs that failed, timed out, ran out of memory or crashed, with the Clopper-Pearson interval of the rate; "
        "never averaged into a score",
        failed,
        71,
    ),
]
