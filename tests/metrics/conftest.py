"""Closed-form tracks: Gaussian vectors whose truth is a rotation of the first two coordinates."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from bench.contracts import Action, HeldOut, MatrixSymmetry, Metric, Oracle, Samples, Symmetry
from bench.metrics.distribution_preservation import DistributionPreservation
from bench.metrics.generator_similarity import GeneratorSimilarity
from bench.metrics.joint import Joint
from bench.metrics.oracle_preservation import OraclePreservation
from bench.metrics.orbit_similarity import OrbitSimilarity
from bench.representations.identity import IdentityView

torch.set_num_threads(1)


class Formula(Oracle):
    """phi given by a function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class FieldOf(Symmetry):
    """Fields given by a function (B, D) -> (K, B, D)."""

    def __init__(self, action: Action, function: Callable[[Tensor], Tensor], K: int = 1) -> None:
        super().__init__(action, K)
        self.function = function

    def velocity(self, x: Tensor) -> Tensor:
        return self.function(x)


class FlowOf(FieldOf):
    """A field whose flow is said to be something else."""

    def __init__(self, action: Action, field: Callable[[Tensor], Tensor], flow: Callable[[Tensor, Tensor], Tensor]):
        super().__init__(action, field)
        self.flow = flow

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        return self.flow(x, t)


def rotations(n: int, *planes: tuple[int, int]) -> Tensor:
    """Generators of the rotations in given planes; in all of them by default."""
    L = []
    for i, j in planes or combinations(range(n), 2):
        A = torch.zeros(n, n)
        A[i, j], A[j, i] = -1.0, 1.0
        L.append(A)
    return torch.stack(L)


def gaussian(n: int, D: int, seed: int) -> Tensor:
    return torch.randn(n, D, generator=torch.Generator().manual_seed(seed))


def held_out(action: Action, x: Tensor, reference: Tensor, seed: int = 0) -> HeldOut:
    return HeldOut(Samples(x), Samples(reference), action, IdentityView(x.shape[1:]), seed)


def turned(x: Tensor) -> Tensor:
    """The velocity of the rotation of the first two coordinates, (B, D)."""
    return torch.cat([-x[:, 1:2], x[:, :1], 0 * x[:, 2:]], 1)


def invariants(x: Tensor) -> Tensor:
    """All that the rotation keeps."""
    return torch.cat([x[:, :2].square().sum(1, keepdim=True), x[:, 2:]], 1)


def scores(
    symmetry: Symmetry, truth: Symmetry | None, oracle: Oracle, test: HeldOut, distribution: bool = True
) -> dict[str, float | None]:
    """All scores, or all that need no classifier."""
    found: dict[str, float | None] = {}
    metrics: list[Metric] = [OraclePreservation(), GeneratorSimilarity(), OrbitSimilarity()]
    for metric in [*metrics, DistributionPreservation()] if distribution else metrics:
        found |= metric.score(symmetry=symmetry, truth=truth, oracle=oracle, test=test)
    return found | Joint().score(scores=found)


@pytest.fixture(scope="session")
def case() -> SimpleNamespace:
    return SimpleNamespace(
        Formula=Formula, FieldOf=FieldOf, FlowOf=FlowOf, Rotation=MatrixSymmetry.of, rotations=rotations,
        gaussian=gaussian, held_out=held_out, turned=turned, invariants=invariants, scores=scores,
    )  # fmt: skip
