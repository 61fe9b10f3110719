"""Section 2: which algebra is it?"""

from __future__ import annotations

from collections import Counter

from bench.leaderboard.columns import Column
from bench.leaderboard.tables import Row

__all__ = ["COLUMNS"]

FACT = "generator_similarity.algebra"


def algebra(row: Row) -> str:
    """The names over the seeds, the most frequent first; how often each, where they differ."""
    names = Counter(run.record.facts[FACT] for run in row.runs if run.counts and FACT in run.record.facts)
    if len(names) < 2:
        return "".join(names)
    return ", ".join(f"{name} × {count}" for name, count in names.most_common())


COLUMNS = [Column("algebra", "algebra", "the Lie algebra that the generators span, by Killing form and derived series",
                  algebra, 42)]  # fmt: skip
