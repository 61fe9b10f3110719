"""What the method was given beside the samples."""

from __future__ import annotations

from bench.leaderboard.columns import Column
from bench.leaderboard.tables import Row

__all__ = ["COLUMNS"]


def uses(row: Row) -> str:
    """`nothing` for a method that needs no more than samples; empty where no run got far enough to say."""
    return ", ".join(row.uses) or ("nothing" if row.ok else "")


COLUMNS = [Column("uses", "uses", "what the method was given beside the samples", uses, 1)]
