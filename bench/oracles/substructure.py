"""Oracles on jets that look at pairs and triples of constituents: (B, N, 4), zero where there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from bench.oracles.invariances import REFLECTIONS, PhysicsOracle, Transformation
from bench.oracles.jets import CYLINDER
from bench.oracles.kinematics import Cylinder, fractions, power, ratio, root, separations

__all__ = ["GRAPHS", "CorrelatorRatios", "EnergyFlow", "Subjettiness"]

Graph: TypeAlias = tuple[tuple[int, int], ...]

GRAPHS: tuple[Graph, ...] = (
    ((0, 1),),
    ((0, 1), (0, 1)),
    ((0, 1), (1, 2)),
    ((0, 1), (0, 1), (0, 1)),
    ((0, 1), (0, 1), (1, 2)),
    ((0, 1), (1, 2), (2, 3)),
    ((0, 1), (0, 2), (0, 3)),
    ((0, 1), (1, 2), (0, 2)),
)
"""The connected multigraphs of up to three edges."""

FLAT = CYLINDER | frozenset[Transformation]({"in_plane_rotation", "scale"})
SPHERE = REFLECTIONS | frozenset[Transformation](
    {"permutation", "scale", "rotation_x", "rotation_y", "rotation_z", "axis_rotation", "any_energy"}
)
FAR = 1e3


class EnergyFlow(PhysicsOracle):
    """Energy-flow polynomials sum_{i_1 ... i_V} z_{i_1} ... z_{i_V} prod_{edges (k, l)} theta_{i_k i_l}: (B, graphs).

    Komiske, Metodiev and Thaler, arXiv:1712.07124. "hadronic": z = pT / sum pT, theta = dR^beta;
    "e+e-": z = |p| / sum |p|, theta = (2 - 2 cos angle)^(beta / 2), which for massless constituents is
    (2 p_i . p_j / E_i E_j)^(beta / 2).

    Arguments:
        graphs: each as its edges; repeated edges count twice.
        measure: "hadronic" or "e+e-".
        beta: the exponent of the angle.
    """

    def __init__(
        self,
        graphs: Sequence[Graph] = GRAPHS,
        measure: Literal["hadronic", "e+e-"] = "hadronic",
        beta: float = 1.0,
    ) -> None:
        super().__init__()
        self.graphs = tuple(graphs)
        self.measure = measure
        self.beta = beta
        self.invariances = FLAT if measure == "hadronic" else SPHERE

    def forward(self, x: Tensor) -> Tensor:
        if self.measure == "hadronic":
            at = Cylinder.of(x)
            weights, squares = at.pt, at.distances()
        else:
            weights, squares = root(x[..., 1:].square().sum(-1)), separations(x)
        z, theta = fractions(weights), power(squares, self.beta / 2)
        return torch.stack([polynomial(graph, z, theta) for graph in self.graphs], 1)


class CorrelatorRatios(PhysicsOracle):
    """C2 = e3 / e2^2 and D2 = e3 / e2^3: (B, 2).

    e2 = sum_{i<j} z_i z_j dR_ij^beta, e3 = sum_{i<j<k} z_i z_j z_k (dR_ij dR_jk dR_ik)^beta, z = pT / sum pT
    (Larkoski, Salam and Thaler, arXiv:1305.0007; Larkoski, Moult and Neill, arXiv:1409.6298).

    Arguments:
        beta: the exponent of the distance.
    """

    invariances = FLAT

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        self.flow = EnergyFlow([((0, 1),), ((0, 1), (1, 2), (0, 2))], beta=beta)

    def forward(self, x: Tensor) -> Tensor:
        edge, triangle = self.flow(x).unbind(1)
        e2, e3 = edge / 2, triangle / 6
        return torch.stack([ratio(e3, e2**2), ratio(e3, e2**3)], 1)


class Subjettiness(PhysicsOracle):
    """tau_21 = tau_2 / tau_1, tau_n = min over n axes of sum_i z_i min_a dR_ia^beta: (B, 1).

    Thaler and Van Tilburg, arXiv:1011.2268, eq. 2.1. The axes are directions of constituents, the best ones
    among the hardest: an algorithm that clusters makes tau jump.

    Arguments:
        candidates: among how many of the hardest constituents axes are looked for.
        beta: the exponent of the distance.
    """

    invariances = FLAT

    def __init__(self, candidates: int = 16, beta: float = 1.0) -> None:
        super().__init__()
        self.candidates = candidates
        self.beta = beta

    def forward(self, x: Tensor) -> Tensor:
        at = Cylinder.of(x)
        hardest = at.pt.topk(min(self.candidates, x.shape[1]), dim=1).indices
        theta = power(at.distances(), self.beta / 2)
        axes = theta.gather(1, hardest[:, :, None].expand(-1, -1, x.shape[1]))
        axes = torch.where(at.pt.gather(1, hardest)[:, :, None] > 0, axes, FAR)
        z = fractions(at.pt)
        one = torch.einsum("ban,bn->ba", axes, z).amin(1)
        first, second = torch.triu_indices(axes.shape[1], axes.shape[1], device=x.device)
        nearest = torch.minimum(axes[:, first], axes[:, second])
        two = torch.einsum("bpn,bn->bp", nearest, z).amin(1)
        return ratio(two, one)[:, None]


def polynomial(graph: Graph, z: Tensor, theta: Tensor) -> Tensor:
    """One polynomial (B,) from z (B, N) and theta (B, N, N), vertex by vertex, those with fewest neighbours first."""
    edges = Counter((min(edge), max(edge)) for edge in graph)
    factors: list[tuple[tuple[int, ...], Tensor]] = [(edge, theta**count) for edge, count in edges.items()]
    vertices = {vertex for edge in edges for vertex in edge}
    total = torch.ones_like(z[:, 0])
    while vertices:
        vertex = min(vertices, key=lambda v: len({u for names, _ in factors if v in names for u in names}))
        vertices.remove(vertex)
        touched = [factor for factor in factors if vertex in factor[0]]
        factors = [factor for factor in factors if vertex not in factor[0]]
        names = tuple(sorted({u for names, _ in touched for u in names} - {vertex}))
        terms = ",".join(["z" + _letter(vertex), *("z" + "".join(map(_letter, n)) for n, _ in touched)])
        summed = torch.einsum(f"{terms}->z{''.join(map(_letter, names))}", z, *(factor for _, factor in touched))
        if names:
            factors.append((names, summed))
        else:
            total = total * summed
    return total


def _letter(vertex: int) -> str:
    return "abcdefghijklmnopqrstuvwxy"[vertex]
