"""Section 3: does the discovered symmetry keep the data? And the headline of sections 1 and 3."""

from __future__ import annotations

from bench.leaderboard.columns import mean_column

__all__ = ["COLUMNS"]

COLUMNS = [
    mean_column("joint", "joint", "min(oracle preservation, distribution preservation), the headline", 10, ranked=True),
    mean_column(
        "distribution_preservation",
        "distribution preservation",
        "1: moved data cannot be told from data, 0: as easily as after a random move of the same size",
        30,
    ),
]
