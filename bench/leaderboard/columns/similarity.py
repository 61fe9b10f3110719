"""Section 2: is it the named symmetry?"""

from __future__ import annotations

from bench.leaderboard.columns import Column, mean_column, mean_text

__all__ = ["COLUMNS"]

COLUMNS = [
    mean_column(
        "generator_similarity",
        "generator similarity",
        "1: the spans of found and true generators agree, 0: chance",
        40,
        ranked=True,
    ),
    mean_column(
        "generator_similarity.elements",
        "elements",
        "1: found and true elements generate the same finite group, 0: no better than the identity alone",
        39,
        ranked=True,
    ),
    Column(
        "generator_similarity.elements.outside",
        "elements outside",
        "how far the elements found are from the true group; 0: they belong to it, 1: the identity is as near",
        lambda row: "" if row.block == "control" else mean_text(row, "generator_similarity.elements.outside"),
        38,
    ),
    mean_column(
        "orbit_similarity",
        "orbit similarity",
        "1: the orbits of found and true symmetry agree, 0: chance; the true one is the named symmetry, "
        "not the only right answer",
        41,
        ranked=True,
    ),
]
