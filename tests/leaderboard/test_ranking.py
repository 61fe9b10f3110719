"""Which scores a table is ranked by."""

from __future__ import annotations

from types import SimpleNamespace

from bench.leaderboard.ranking import ranked_by


def test_what_the_truth_has_not_ranks_nobody():
    def table(truth):
        row = SimpleNamespace(method="truth", estimate=lambda score: truth.get(score))
        scores = ["joint", "generator_similarity.elements"]
        return SimpleNamespace(scores=scores, block=lambda name: [row] if truth is not None else [])

    ranked = ["joint", "generator_similarity.elements"]
    assert ranked_by(table({"generator_similarity.elements": 1.0}), ranked) == ["generator_similarity.elements"]
    assert ranked_by(table({"joint": 0.9}), ranked) == ranked
    assert ranked_by(table(None), ranked) == ranked
