"""false_discovery: how many of the directions that were found can be claimed, and how many of the claims are wrong?"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.contracts import Metric, Symmetry
from bench.lie import orthonormaliser
from bench.metrics._claims import SAMPLES, Moving, threshold
from bench.metrics._space import Phi, space_of

__all__ = ["FalseDiscovery"]


class FalseDiscovery(Metric):
    """How many claimed directions are no part of the truth: 0 is right. Actions by matrices on vectors.

    A direction u of what was found is claimed if the upper 95 % limit of rho(u) = E|L_u phi|^2 / E|L_r phi|^2, r random
    at the same speed, on held-out samples, is under tau: what the best direction of a random law without a symmetry
    stays above in 95 % of tasks. None if the truth is unknown.
    """

    version: ClassVar[int] = 1
    actions: ClassVar[tuple[str, ...]] = ("linear", "four_vector")
    asks: ClassVar[frozenset[str]] = frozenset({"symmetry", "truth", "oracle", "test"})

    @torch.no_grad()
    def score(self, **asked: Any) -> dict[str, float | None]:
        symmetry, truth, test = asked["symmetry"], asked["truth"], asked["test"]
        name = "false_discovery"
        space = space_of(test)
        phi = Phi(space, asked["oracle"])
        if phi.hidden or not phi.kept.any():
            return {name: None}
        basis = test.action.candidates(space.reference)
        fit, held = (Moving(space, z, basis) for z in (space.reference[:SAMPLES], space.samples(SAMPLES)))
        tau = threshold(fit, held, int(phi.kept.sum()), test.seed)
        found = _Directions(fit, held, phi, symmetry, test.seed)
        claimed = found.c[found.upper < tau]
        return {
            name: _outside(held, symmetry, claimed, truth),
            f"{name}.claimed": float(len(claimed)),
            f"{name}.own": float(len(found.c)),
            f"{name}.own_false": _outside(held, symmetry, found.c, truth),
            f"{name}.tau": tau,
            f"{name}.rho": found.rho.min().item() if len(found.c) else None,
            f"{name}.rho_upper": found.upper.min().item() if len(found.c) else None,
        }


class _Directions:
    """The principal directions c (R, K) of a symmetry, found on training samples; rho and its upper limit elsewhere."""

    def __init__(self, fit: Moving, held: Moving, phi: Phi, symmetry: Symmetry, seed: int) -> None:
        self.c = self.rho = self.upper = torch.zeros(0, dtype=torch.float64)
        moves = fit.moves(symmetry) if symmetry.K else torch.zeros(0, 1, 1)
        unit = orthonormaliser(moves.flatten(1)) if symmetry.K else self.c
        if len(unit):
            flat = unit @ fit.changes(phi, symmetry).flatten(1)
            self.c = torch.linalg.eigh(flat @ flat.T).eigenvectors.T @ unit
            rates = held.along(held.changes(phi, symmetry), held.moves(symmetry), self.c)
            chance = held.chance(phi, seed)
            self.rho, self.upper = rates.ratios() / chance, rates.upper() / chance


def _outside(held: Moving, symmetry: Symmetry, c: Tensor, truth: Symmetry | None) -> float | None:
    """How many of the directions c (G, K) are nearer to being no part of the truth than to being one."""
    if truth is None:
        return None
    if not len(c) or not truth.K:
        return float(len(c))
    found = torch.einsum("gk,knd->gnd", c, held.moves(symmetry)).flatten(1)
    true = held.moves(truth).flatten(1)
    V, U = orthonormaliser(found) @ found, orthonormaliser(true) @ true
    cosines = torch.linalg.svdvals(V @ U.T)
    return float(len(V) - int((cosines.square() >= 0.5).sum()))
