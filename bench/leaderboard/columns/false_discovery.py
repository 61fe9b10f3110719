"""Section 6: how much of what was found can be claimed, and how much of it is wrong?"""

from __future__ import annotations

from bench.leaderboard.columns import Column
from bench.leaderboard.tables import Row

__all__ = ["COLUMNS"]


def claims(row: Row) -> str:
    """Directions claimed by the harness's rule, found by the method, and of each how many are no part of the truth."""
    means = [row.estimate(f"false_discovery{part}") for part in (".claimed", "", ".own", ".own_false")]
    if means[0] is None or means[2] is None:
        return ""
    claimed, false, own, own_false = ("?" if one is None else f"{one.mean:.3g}" for one in means)
    return f"{claimed} ({false} false) of {own} ({own_false} false)"


COLUMNS = [
    Column(
        "false_discovery",
        "claims",
        "directions that the harness would claim, of those found; *false*: no part of the truth",
        claims,
        43,
    )
]
