"""orbit_similarity: do the discovered fields have the true orbits?"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.contracts import Induced, Metric
from bench.metrics._chance import Spans

__all__ = ["OrbitSimilarity"]

SOFT = 0.01
STILL = 1e-3
TRANSITIVE = 0.97
TANGENT = 0.8


class OrbitSimilarity(Metric):
    """The overlap of the pointwise spans of discovered and true fields: 1 for the same orbits, 0 for chance.

    The harmonic mean of precision and recall, each adjusted for random fields of the action. For fields, and for tracks
    in a view; f(x) v(x) counts like v(x). None if the truth is unknown or empty, moves every sample in all directions
    of the action, or keeps under 0.8 of its length when projected on the decoder's tangent.
    """

    version: ClassVar[int] = 1
    asks: ClassVar[frozenset[str]] = frozenset({"symmetry", "truth", "test"})

    @torch.no_grad()
    def score(self, **asked: Any) -> dict[str, float | None]:
        symmetry, truth, test = asked["symmetry"], asked["truth"], asked["test"]
        name = "orbit_similarity"
        if truth is None or not truth.K or not (isinstance(truth, Induced) or test.action.kind == "field"):
            return {name: None}
        spans = Spans(test, truth)
        assert spans.truth is not None
        V, U = _half_projector(spans.tangent.of(symmetry)), _half_projector(spans.truth)
        random = torch.einsum("ra,and->rnd", spans.draws(test.seed), spans.action)
        chance = [_half_projector(one[None]) for one in random]
        p0 = sum(_overlap(one, U) for one in chance) / sum(_size(one) for one in chance)
        scores: dict[str, float | None] = {
            name: None,
            f"{name}.precision": None,
            f"{name}.recall": None,
            f"{name}.tangent_fraction": spans.share,
        }
        if spans.share < TANGENT or _size(U) > TRANSITIVE * _size(_half_projector(spans.action)):
            return scores
        both, v, u = _overlap(V, U), _size(V), _size(U)
        precision = (both / v - p0) / (1 - p0) if v else 0.0
        r0 = p0 * v / u
        recall = (both / u - r0) / (1 - r0) if r0 <= TRANSITIVE else 0.0
        p, r = max(precision, 0.0), max(recall, 0.0)
        scores[f"{name}.precision"], scores[f"{name}.recall"] = precision, recall
        scores[name] = 2 * p * r / (p + r) if p + r else 0.0
        return scores


def _size(V: Tensor) -> float:
    """E tr Pi of half projectors (n, K, d): the number of directions in which a sample moves."""
    return V.square().sum((1, 2)).mean().item()


def _overlap(V: Tensor, U: Tensor) -> float:
    """E tr(Pi_V Pi_U) of half projectors (n, K, d) and (n, J, d)."""
    return torch.einsum("nkd,njd->nkj", V, U).square().sum((1, 2)).mean().item()


def _half_projector(velocities: Tensor) -> Tensor:
    """W (n, K, d) with W'W the soft projector on the span of (K, n, d) at each sample: eigenvalue e -> e / (e + soft).

    soft = 0.01 of the sample's largest eigenvalue and 0.001 of the mean largest one: a sample that hardly moves has no
    orbit.
    """
    V = velocities.transpose(0, 1)
    if not V.shape[1]:
        return V
    gram = V @ V.mT
    largest = torch.linalg.eigvalsh(gram)[:, -1]
    soft = SOFT * largest + STILL * largest.mean() + 1e-300
    one = torch.eye(gram.shape[1]).to(gram)
    root = torch.linalg.cholesky(gram + soft[:, None, None] * one + 1e-12 * largest.max() * one)
    half: Tensor = torch.linalg.solve_triangular(root, V, upper=False)
    return half
