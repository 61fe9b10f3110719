"""generator_similarity: do the discovered generators span the true algebra?"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.contracts import Induced, Metric, Symmetry
from bench.lie import ROUNDING, closure_residual, grassmann, jacobi_residual, orthonormaliser, principal_angles
from bench.lie.identify import name
from bench.metrics._chance import Spans, effective_samples
from bench.metrics._cosets import outside
from bench.metrics._elements import element_scores
from bench.metrics._space import space_of

__all__ = ["GeneratorSimilarity"]

NAME = "generator_similarity"
ENOUGH = 100


class GeneratorSimilarity(Metric):
    """(S - KJ/N) / ((K + J)/2 - KJ/N): 1 for the same span, 0 for chance; actions by matrices on the data themselves.

    S = sum cos^2 of the principal angles between the spans of K discovered and J true velocities under <,>, in an
    action of N dimensions. 0 if K = 0 or K = N; None if J = 0, J = N, or fewer than 100 samples count effectively.
    If the truth is a finite group, `.elements` compares the finite elements; beside true generators,
    `.elements.outside` is how far they are from the true group.
    """

    version: ClassVar[int] = 1
    asks: ClassVar[frozenset[str]] = frozenset({"symmetry", "truth", "test"})

    @torch.no_grad()
    def score(self, **asked: Any) -> dict[str, float | None]:
        symmetry, truth, test = asked["symmetry"], asked["truth"], asked["test"]
        if truth is None or isinstance(truth, Induced) or test.action.kind == "field":
            return {NAME: None}
        if not truth.K:
            return {NAME: None} | element_scores(symmetry, truth, space_of(test))
        spans = Spans(test, truth)
        found, true = spans.rows(spans.tangent.of(symmetry)), spans.rows(spans.tangent.of(truth))
        V, U = orthonormaliser(found) @ found, orthonormaliser(true) @ true
        K, J, N = len(V), len(U), len(orthonormaliser(spans.rows(spans.action), ROUNDING))
        counted = min(effective_samples(one.square().sum(0).reshape(len(spans.weights), -1).sum(1)) for one in (U, V))
        angles = principal_angles(V, U)
        S = angles.cos().square().sum().item()
        scores: dict[str, float | None] = {
            f"{NAME}.K": float(K),
            f"{NAME}.J": float(J),
            f"{NAME}.precision": S / K if K else None,
            f"{NAME}.recall": S / J,
            f"{NAME}.cosine": angles.cos().mean().item() if K else None,
            f"{NAME}.grassmann": grassmann(angles, K, J),
            f"{NAME}.effective_samples": counted if K else None,
        }
        scores[NAME] = _adjusted(S, K, J, N)
        if K and counted < ENOUGH:
            scores[NAME] = None
        if symmetry.M:
            scores[f"{NAME}.elements.outside"] = outside(symmetry, truth, space_of(test))
        return scores | _algebra(symmetry)

    @torch.no_grad()
    def facts(self, **asked: Any) -> dict[str, str]:
        """The algebra that the matrices found span, by its name."""
        matrices: Tensor | None = asked["symmetry"].matrices()
        if matrices is None or not len(matrices) or isinstance(asked["truth"], Induced):
            return {}
        return {f"{NAME}.algebra": name(matrices)}


def _adjusted(S: float, K: int, J: int, N: int) -> float | None:
    if J == N:
        return None
    if K in (0, N):
        return 0.0
    return (S - K * J / N) / ((K + J) / 2 - K * J / N)


def _algebra(symmetry: Symmetry) -> dict[str, float | None]:
    """How far the matrices found are from an algebra."""
    matrices: Tensor | None = symmetry.matrices()
    if matrices is None or not len(matrices):
        return {f"{NAME}.closure": None, f"{NAME}.jacobi": None}
    return {
        f"{NAME}.closure": closure_residual(matrices),
        f"{NAME}.jacobi": jacobi_residual(matrices),
    }
