"""Section 1: does the discovered symmetry keep the oracle?"""

from __future__ import annotations

from bench.leaderboard.columns import Column, mean_column
from bench.leaderboard.tables import Row

__all__ = ["COLUMNS"]

DELTAS = ("0.1", "0.3", "1.0")
LOCAL = 0.05


def by_delta(row: Row) -> str:
    """The means at each displacement."""
    found = [row.estimate(f"oracle_preservation.{delta}") for delta in DELTAS]
    if not any(found):
        return ""
    return " / ".join("n/a" if interval is None else f"{interval.mean:z.2f}" for interval in found)


def worst(row: Row) -> str:
    """The mean in the worst principal direction, flagged where few samples move."""
    interval = row.estimate("oracle_preservation.worst_direction")
    participation = row.estimate("oracle_preservation.participation")
    local = " `local`" if participation is not None and participation.mean < LOCAL else ""
    return local.strip() if interval is None else f"{interval.mean:z.2f}{local}"


COLUMNS = [
    mean_column(
        "oracle_preservation",
        "oracle preservation",
        "1: the oracle stays, 0: it changes as under a random field that moves each sample as far. "
        "Not ranked: a field in the oracle's kernel reaches 1",
        20,
    ),
    Column(
        "oracle_preservation.deltas",
        "at δ = 0.1 / 0.3 / 1",
        "the same at each displacement, in standard deviations of the data",
        by_delta,
        21,
    ),
    Column(
        "oracle_preservation.worst_direction",
        "worst direction",
        "the same along the worst principal direction; `local`: under 5 % of the samples do the moving",
        worst,
        22,
    ),
]
