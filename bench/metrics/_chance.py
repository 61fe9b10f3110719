"""Chance: the span of a symmetry, random elements of it, and random elements of the whole action."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.contracts import HeldOut, Symmetry
from bench.lie import orthonormaliser, softened
from bench.metrics._space import tangent_of

__all__ = ["DRAWS", "Spans", "effective_samples"]

DRAWS = 64


class Spans:
    """Orthonormal bases of what was discovered and of the whole action, under <v, u> = E w v' S^-1 u.

    w = 1 / (q + 0.1 median q) with q = sum_j |u_j|^2 for true velocities u; w = 1 without a truth.

    Arguments:
        test: what is scored on.
        truth: the true symmetry, where one is known.
    """

    def __init__(self, test: HeldOut, truth: Symmetry | None) -> None:
        self.tangent = tangent_of(test)
        n = len(self.tangent.z)
        self.weights = torch.ones(n, dtype=torch.float64, device=self.tangent.z.device)
        self.truth: Tensor | None = None
        self.share = 1.0
        if truth is not None and truth.K:
            self.truth, self.share = self.tangent.of_truth(truth)
            speed = self.truth.square().sum((0, 2))
            self.weights = 1 / softened(speed)
        self.candidates = test.action.candidates(self.tangent.space.reference)
        self.action = self.tangent.of(self.candidates)

    def rows(self, velocities: Tensor) -> Tensor:
        """Velocities (K, n, d) as vectors whose inner product is <,>, (K, n d)."""
        root = (self.weights / len(self.weights)).sqrt()
        return (velocities * root[:, None]).flatten(1)

    def draws(self, seed: int) -> Tensor:
        """64 elements of the action, uniform on the sphere of its orthonormal basis: coefficients (64, N)."""
        basis = orthonormaliser(self.rows(self.action))
        c = torch.randn(DRAWS, len(basis), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        drawn: Tensor = (c / c.norm(dim=1, keepdim=True)).to(basis) @ basis
        return drawn

    def directions(self, symmetry: Symmetry, seed: int, count: int) -> Tensor:
        """Random orthonormal frames of the span of a symmetry, at least `count` directions: coefficients (G, K).

        A frame averages a quadratic form exactly. It is the orthogonal factor of random elements of the action seen
        from the span, and does not depend on the basis in which the symmetry is given.
        """
        velocities = self.rows(self.tangent.of(symmetry))
        basis = orthonormaliser(velocities)
        if len(basis) < 2:
            return basis
        seen = (basis @ velocities) @ self.rows(self.action).T
        turn = torch.linalg.svd(seen, full_matrices=False)
        draw = torch.Generator().manual_seed(seed)
        frames = []
        for _ in range(-(-count // len(basis))):
            c = torch.randn(seen.shape[1], len(basis), generator=draw, dtype=torch.float64).to(basis)
            u, _, v = torch.linalg.svd(turn.U @ turn.Vh @ c)
            frames.append((u @ v).T @ basis)
        return torch.cat(frames)

    def speeds(self, symmetry: Symmetry, directions: Tensor) -> Tensor:
        """sqrt(E |sum_k c_k v_k|^2) in data space for directions c (G, K): (G,)."""
        velocities = torch.einsum("gk,knd->gnd", directions, self.tangent.of(symmetry))
        return velocities.square().sum(2).mean(1).sqrt()


def effective_samples(contributions: Tensor) -> float:
    """(sum q)^2 / sum q^2 of what each sample contributes, (n,)."""
    return (contributions.sum().square() / contributions.square().sum().clamp(min=1e-300)).item()
