"""The equations of a symmetry: how much a law changes along fields, and how much coordinates hide."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from bench.contracts import Oracle
from bench.lie import jacobian

from .fields import Blockwise, FirstOrder, HiddenGenerators, affine_fields

__all__ = ["Equations", "Units", "disguise", "hamiltonicity", "modularity", "symplectic_form"]

SOFT = 1e-3
CHUNK = 200


class Units(NamedTuple):
    """P (B, m, m), which measures changes of phi, and E |P L_r phi|^2 for a random field at speed 1, (B,)."""

    P: Tensor
    chance: Tensor

    def at(self, index: Tensor) -> Units:
        """Those of some of the samples."""
        return Units(self.P[index], self.chance[index])


class Equations:
    """The Lie derivative of a law along fields, and its integral over a time: zero for a symmetry.

    (L_v phi)(x) = d/dt [phi(s_t x) - s_t phi(x)] at t = 0, with s_t phi as the oracle has it: v.grad phi for an
    invariant, [v, F] for a vector field F, and so on for tensors.

    Changes of phi are measured at every sample in units of chance, P = (C + soft)^(-1/2) with C = E (L_r phi)(L_r phi)'
    over random affine fields r of whitened samples. So a difference of components that nearly agree, as energy and spin
    on a circular orbit, counts as much as a component; and so does a component of a tensor that has the same value
    everywhere, which a field changes nevertheless.

    Arguments:
        oracle: phi.
        whitened: a symmetry whose chart whitens and no more.
    """

    def __init__(self, oracle: Oracle, whitened: HiddenGenerators) -> None:
        self.oracle = oracle
        self.chart = whitened.chart
        self.random = whitened.with_fields(affine_fields("affine", whitened.affine.shape[1]))

    def units(self, x: Tensor) -> Units:
        """The units of chance at samples x (B, *s)."""
        parts = [self._chance(part) for part in torch.split(x, CHUNK)]
        values, vectors = torch.linalg.eigh(torch.cat(parts))
        soft = values.clamp(min=0) + SOFT * values[:, -1:] + 1e-30
        return Units((vectors / soft.sqrt()[:, None]) @ vectors.mT, (values / soft).sum(1))

    def _chance(self, x: Tensor) -> Tensor:
        """C (B, m, m) at speed 1 in whitened samples; J J'/D, J = d phi, for an invariant."""
        if type(self.oracle).violation is Oracle.violation:
            J = jacobian(self.oracle, x).detach() @ self.chart.unwhitening
            return J @ J.mT / J.shape[2]
        with torch.no_grad():
            rates = self._rates(self.random, x)
            moves = self.random.velocity(x).flatten(2) @ self.chart.whitening
        C: Tensor = torch.einsum("kbi,kbj->bij", rates, rates) / moves.square().sum((0, 2))[:, None, None]
        return C

    def _rates(self, symmetry: HiddenGenerators, x: Tensor) -> Tensor:
        points = repeated(x, symmetry.K)
        each = torch.eye(symmetry.K).to(x).repeat_interleave(len(x), 0)
        still, moving = torch.zeros_like(each), FirstOrder(symmetry)
        rate: Tensor = torch.func.jvp(lambda t: self.oracle.violation(moving, points, t), (still,), (each,))[1]
        return rate.reshape(symmetry.K, len(x), -1)

    def derivatives(self, symmetry: HiddenGenerators, x: Tensor, units: Units) -> Tensor:
        """P L_k phi for every field: x (B, *s) -> (K, B, m)."""
        parts = torch.cat([self._rates(symmetry, part) for part in torch.split(x, CHUNK)], 1)
        out: Tensor = torch.einsum("bij,kbj->kbi", units.P, parts)
        return out

    def violations(self, symmetry: HiddenGenerators, x: Tensor, units: Units, time: float) -> Tensor:
        """E [f / (f + c)] for every field, (K,): f = |P (phi(s x) - s phi(x))|^2, c that of a random move as long.

        The fields are made orthonormal first, so that none can hide behind another or stand still. 0 for a symmetry,
        about 1/2 for chance, and every sample counts alike, however steep phi is there.

        Arguments:
            time: for which the fields are followed.
        """
        K, B = symmetry.K, len(x)
        points, moving = repeated(x, K), Blockwise(symmetry, symmetry.orthonormal(x), time)
        still = points.new_zeros(len(points), K)
        change = self.oracle.violation(moving, points, still).reshape(K, B, -1)
        moved = (moving.transform(points, still) - points).reshape(K, B, -1) @ symmetry.chart.whitening
        f = torch.einsum("bij,kbj->kbi", units.P, change).square().sum(2)
        c = units.chance * moved.square().sum(2)
        ratio: Tensor = (f / (f + c).clamp(min=1e-30)).mean(1)
        return ratio


def disguise(symmetry: HiddenGenerators, plain: HiddenGenerators, x: Tensor, moves: Tensor) -> Tensor:
    """E |Df v - (L z + b)|^2 / E |L z + b|^2: how far z = f(x) are from showing fields v = L u + b of whitened u.

    Arguments:
        plain: the fields, affine in whitened samples.
        moves: v(x), (J, B, *s).
    """
    pushed = torch.stack([torch.func.jvp(symmetry.coordinates, (x,), (move,))[1] for move in moves])
    wanted = plain.plain(symmetry.coordinates(x))
    return (pushed - wanted).square().sum() / wanted.square().sum().clamp(min=1e-30)


def symplectic_form(D: int) -> Tensor:
    """Omega = [[0, 1], [-1, 0]] in blocks of D / 2: dz/dt = Omega grad H."""
    half = torch.eye(D // 2)
    return torch.cat([torch.cat([0 * half, half], 1), torch.cat([-half, 0 * half], 1)])


def hamiltonicity(J: Tensor) -> Tensor:
    """Omega A, A the antisymmetric part of Omega'J: the part of slopes J that no energy gives, (B, D, D) -> (B, D, D).

    For coordinates z = (q, p) in which the law is dz/dt = F(z), J = dF/dz: it is 0 if F = Omega grad H. Of a random J
    it has (D - 1) / (2 D) of |J|^2.
    """
    omega = symplectic_form(J.shape[1]).to(J)
    S = omega.T @ J
    return omega @ (S - S.mT) / 2


def modularity(J: Tensor) -> Tensor:
    """The part of slopes J that couples the halves of the coordinates, (B, D, D) -> (B, D, D).

    It is 0 if each half moves on its own. Of a random J it has 1/2 of |J|^2.
    """
    first = torch.arange(J.shape[1], device=J.device) < J.shape[1] // 2
    return J * (first[:, None] != first).to(J)


def repeated(x: Tensor, K: int) -> Tensor:
    """K blocks of the same samples: (B, *s) -> (K B, *s)."""
    return x.repeat(K, *[1] * (x.dim() - 1))
