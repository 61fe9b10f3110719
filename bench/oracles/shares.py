"""How a jet's squared mass is shared among pairs of constituents: what a change of scale leaves."""

from __future__ import annotations

from torch import Tensor

from bench.oracles.invariances import PhysicsOracle, Transformation
from bench.oracles.jets import INVARIANT
from bench.oracles.kinematics import dot, ratio, root

__all__ = ["ProductShares"]


class ProductShares(PhysicsOracle):
    """m^2 / sqrt(sum_ij (p_i . p_j)^2), m^2 = sum_ij p_i . p_j, of jets (B, N, 4): (B, 1); 0 where all products are.

    It lies in [-N, N], and is the larger the more evenly the pairs share m^2. Its inverse would have a pole where a
    matrix takes the mass of a jet to zero. The matrices that keep it are the Lorentz group and scaling, of dimension 7.
    """

    invariances = INVARIANT | frozenset[Transformation]({"scale"})

    def forward(self, x: Tensor) -> Tensor:
        products = dot(x[:, :, None], x[:, None])
        return ratio(products.sum((1, 2)), root(products.square().sum((1, 2))))[:, None]
