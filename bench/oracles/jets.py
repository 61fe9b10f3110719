"""Oracles on jets: (B, N, 4) = (E, px, py, pz) of N constituents in GeV, zero where there is none."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.oracles.invariances import LORENTZ, REFLECTIONS, PhysicsOracle, Transformation
from bench.oracles.kinematics import Cylinder, dot, fractions, power, root, transverse

__all__ = ["Girth", "Mass", "Multiplicity", "PairProducts", "PtDispersion", "TransverseMomentum"]

INVARIANT = LORENTZ | REFLECTIONS | frozenset[Transformation]({"permutation", "axis_rotation"})
CYLINDER = REFLECTIONS | frozenset[Transformation]({"permutation", "rotation_z", "boost_z", "scale_along"})


class Mass(PhysicsOracle):
    """m = sqrt(P . P) of the jet P = sum_i p_i in GeV, -sqrt(-P . P) if that is negative: (B, 1)."""

    invariances = INVARIANT

    def forward(self, x: Tensor) -> Tensor:
        jet = x.sum(1)
        square = dot(jet, jet)
        return (torch.sign(square) * root(square.abs()))[:, None]


class PairProducts(PhysicsOracle):
    """(sum_ij (p_i . p_j)^2)^(1/4) in GeV: the power makes it a mass and keeps its level sets: (B, 1)."""

    invariances = INVARIANT

    def forward(self, x: Tensor) -> Tensor:
        products = dot(x[:, :, None], x[:, None])
        return power(products.square().sum((1, 2)), 0.25)[:, None]


class TransverseMomentum(PhysicsOracle):
    """pT of the jet sum_i p_i, in GeV: (B, 1)."""

    invariances = CYLINDER | {"axis_rotation", "any_energy", "any_pz"}

    def forward(self, x: Tensor) -> Tensor:
        return transverse(x.sum(1))[:, None]


class Multiplicity(PhysicsOracle):
    """sum_i pT_i^2 / (pT_i^2 + q^2), a count with a soft threshold: a hard one has no derivative: (B, 1).

    Arguments:
        threshold: q, the pT in GeV of a constituent that counts half.
    """

    invariances = CYLINDER | {"in_plane_rotation", "any_energy", "any_pz"}

    def __init__(self, threshold: float = 1.0) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        square = x[..., 1].square() + x[..., 2].square()
        return (square / (square + self.threshold**2)).sum(1, keepdim=True)


class PtDispersion(PhysicsOracle):
    """pTD = sqrt(sum_i pT_i^2) / sum_i pT_i (CMS, JME-13-002): (B, 1)."""

    invariances = CYLINDER | {"in_plane_rotation", "scale", "any_energy", "any_pz"}

    def forward(self, x: Tensor) -> Tensor:
        return root(fractions(transverse(x)).square().sum(1, keepdim=True))


class Girth(PhysicsOracle):
    """g = sum_i z_i dR_i (Gallicchio and Schwartz, arXiv:1106.3076), z_i = pT_i / sum_j pT_j: (B, 1).

    dR_i is the distance from the mean of (rapidity, phi) with weights z_i: about the jet's four-momentum, rotations in
    the plane would keep g only to second order in the jet's radius.
    """

    invariances = CYLINDER | {"in_plane_rotation", "scale"}

    def forward(self, x: Tensor) -> Tensor:
        at = Cylinder.of(x)
        z = fractions(at.pt)
        dy = at.rapidity - (z * at.rapidity).sum(1, keepdim=True)
        dphi = at.azimuth - (z * at.azimuth).sum(1, keepdim=True)
        return (z * root(dy.square() + dphi.square())).sum(1, keepdim=True)
