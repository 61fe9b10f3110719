"""Fields that are affine in the right coordinates."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from bench.contracts import Action, Symmetry

from .chart import Chart

__all__ = ["Blockwise", "FirstOrder", "HiddenGenerators", "affine_fields"]


class HiddenGenerators(Symmetry):
    """v_k(x) = Df(x)^-1 (L_k f(x) + b_k), with the exact flow x' = f^-1(g f(x)), g = exp(sum_k t_k A_k).

    A_k = [[L_k, b_k], [0, 0]] acts on (z, 1): a translation, a rotation or any affine motion of z = f(x).

    Arguments:
        K: number of fields.
        layers, width: of the chart f.
    """

    def __init__(self, action: Action, K: int, layers: int, width: int) -> None:
        super().__init__(action, K)
        D = math.prod(action.shape)
        self.layers, self.width = layers, width
        self.chart = Chart(D, layers, width)
        self.affine = nn.Parameter(torch.zeros(K, D, D + 1))

    def config(self) -> dict[str, Any]:
        return {"K": self.K, "layers": self.layers, "width": self.width}

    @classmethod
    def whitened(cls, action: Action, x: Tensor) -> HiddenGenerators:
        """No field yet, and a chart that whitens samples x (B, *s) and no more."""
        self = cls(action, 0, 0, 1).to(x)
        self.chart.fit_whitening(x.flatten(1))
        return self

    def with_fields(self, affine: Tensor, layers: int = 0, width: int = 1) -> HiddenGenerators:
        """Fields (K, D, D + 1) in this chart's whitened coordinates, with new couplings."""
        other = HiddenGenerators(self.action, len(affine), layers, width).to(self.affine)
        other.chart.load_state_dict(self.chart.state_dict(), strict=False)
        other.affine.data = affine.to(self.affine)
        return other

    def coordinates(self, x: Tensor) -> Tensor:
        """z = f(x): (B, *s) -> (B, D)."""
        z: Tensor = self.chart(x.flatten(1))
        return z

    def plain(self, z: Tensor) -> Tensor:
        """The fields in z, (B, D) -> (K, B, D)."""
        return torch.einsum("kij,bj->kbi", self.affine[..., :-1], z) + self.affine[:, None, :, -1]

    def velocity(self, x: Tensor) -> Tensor:
        z = self.coordinates(x)
        moves = [torch.func.jvp(self.chart.inverse, (z,), (move,))[1] for move in self.plain(z)]
        return torch.stack(moves).reshape(self.K, *x.shape) if moves else x.new_zeros(0, *x.shape)

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        A = torch.einsum("bk,kij->bij", t, self.affine)
        g = torch.linalg.matrix_exp(nn.functional.pad(A, (0, 0, 0, 1)))
        z = self.coordinates(x)
        moved = torch.einsum("bij,bj->bi", g[:, :-1, :-1], z) + g[:, :-1, -1]
        back: Tensor = self.chart.inverse(moved)
        return back.reshape(x.shape)

    def orthonormal(self, x: Tensor) -> Tensor:
        """Combinations of the fields, (K, D, D + 1), with E v_j.v_k = D delta_jk over whitened samples x (B, *s)."""
        moves = self.velocity(x).flatten(2) @ self.chart.whitening
        gram = torch.einsum("jbd,kbd->jk", moves, moves) / moves[0].numel()
        soft = gram + 1e-9 * gram.trace() * torch.eye(self.K).to(gram)
        mixed: Tensor = torch.linalg.solve_triangular(torch.linalg.cholesky(soft), self.affine.flatten(1), upper=False)
        return mixed.reshape(self.affine.shape)

    def step(self, x: Tensor, t: Tensor) -> Tensor:
        """x' = f^-1(z + sum_k t_k (L_k z + b_k)): the flow to first order in t, x (B, *s), t (B, K)."""
        z = self.coordinates(x)
        back: Tensor = self.chart.inverse(z + torch.einsum("bk,kbd->bd", t, self.plain(z)))
        return back.reshape(x.shape)


class FirstOrder(Symmetry):
    """The fields of another symmetry, with steps for a flow: enough for derivatives at t = 0."""

    def __init__(self, of: HiddenGenerators) -> None:
        super().__init__(of.action, of.K)
        self.of = of

    def velocity(self, x: Tensor) -> Tensor:
        return self.of.velocity(x)

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        return self.of.step(x, t)


class Blockwise(Symmetry):
    """K equal blocks of samples, each moved for the same time along a field of its own.

    Arguments:
        affine: of the fields, (K, D, D + 1), in the chart of `of`.
        time: s, for which block k follows v_k.
    """

    def __init__(self, of: HiddenGenerators, affine: Tensor, time: float) -> None:
        super().__init__(of.action, of.K)
        self.of = of
        self.g = torch.linalg.matrix_exp(time * nn.functional.pad(affine, (0, 0, 0, 1)))

    def velocity(self, x: Tensor) -> Tensor:
        return self.of.velocity(x)

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        z = self.of.coordinates(x).reshape(self.K, -1, self.of.affine.shape[1])
        moved = torch.einsum("kij,kbj->kbi", self.g[:, :-1, :-1], z) + self.g[:, None, :-1, -1]
        back: Tensor = self.of.chart.inverse(moved.flatten(0, 1))
        return back.reshape(x.shape)


def affine_fields(form: str, D: int) -> Tensor:
    """A basis of the affine fields of a form, (N, D, D + 1)."""
    every = torch.eye(D * (D + 1)).reshape(D, D + 1, D, D + 1)
    if form == "translation":
        return every[:, D]
    if form == "rotation":
        return torch.stack([every[i, j] - every[j, i] for i in range(D) for j in range(i)])
    return every.flatten(0, 1)
