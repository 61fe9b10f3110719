"""Fields that keep a law, sought in coordinates in which they are affine."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.contracts import Oracle
from bench.lie import bracket

from .equations import Equations, Units, disguise
from .fields import HiddenGenerators, affine_fields

__all__ = ["Sought", "commuting"]

FEW = 300
NULL = 1e-6


@dataclass(frozen=True)
class Points:
    """Samples x (B, *s), with the units of chance and the velocities of the plain fields there, (J, B, *s)."""

    x: Tensor
    units: Units
    moves: Tensor

    def at(self, index: Tensor) -> Points:
        """Some of the samples."""
        return Points(self.x[index], self.units.at(index), self.moves[:, index])


class Sought:
    """The equations that the coordinates are to solve.

    What keeps the law and is affine in whitened samples is plain, and is found first, as the null space of the law's
    derivatives. The coordinates shall hide none of it: of the translations that a hidden time leaves free, only one
    choice turns with the rotations that were plain.

    Arguments:
        oracle: phi.
        whitened: a symmetry whose chart whitens and no more.
        train, valid: samples (B, *s).
    """

    def __init__(self, oracle: Oracle, whitened: HiddenGenerators, train: Tensor, valid: Tensor) -> None:
        self.whitened = whitened
        self.equations = Equations(oracle, whitened)
        self.few = train[:FEW]
        units = self.equations.units(train)
        self.few_units = units.at(torch.arange(len(self.few)))
        ratios, fields = self.spectrum("affine")
        self.plain = whitened.with_fields(fields[ratios < NULL * ratios.mean()])
        with torch.no_grad():
            self.train = Points(train, units, self.plain.velocity(train))
            self.valid = Points(valid, self.equations.units(valid), self.plain.velocity(valid))

    def spectrum(self, form: str) -> tuple[Tensor, Tensor]:
        """c' E |L phi|^2 c over c' E |v|^2 c, ascending, and the fields, (N,) and (N, D, D + 1)."""
        every = self.whitened.with_fields(affine_fields(form, self.whitened.affine.shape[1]))
        with torch.no_grad():
            rates = self.equations.derivatives(every, self.few, self.few_units).flatten(1).double()
            moves = (every.velocity(self.few).flatten(2) @ every.chart.whitening).flatten(1).double()
        values, vectors = torch.linalg.eigh(moves @ moves.T / moves.shape[1])
        unit = vectors / values.sqrt()
        ratios, c = torch.linalg.eigh(unit.T @ rates @ rates.T @ unit)
        return ratios, torch.einsum("ak,aij->kij", unit @ c, every.affine.double())

    def start(self, form: str, K: int, hidden_only: bool) -> Tensor:
        """The K fields of the form that change the law least, without those that are plain if `hidden_only`."""
        ratios, fields = self.spectrum(form)
        left = fields[ratios >= NULL * ratios.mean()] if hidden_only else fields
        return commuting(left, K) if form == "rotation" else left[:K]

    def loss(self, symmetry: HiddenGenerators, points: Points, time: float) -> Tensor:
        """The mean violation, and how much of what was plain is hidden."""
        violation = self.equations.violations(symmetry, points.x, points.units, time).mean()
        return violation + disguise(symmetry, self.plain, points.x, points.moves) if self.plain.K else violation


def commuting(ordered: Tensor, K: int) -> Tensor:
    """The first of J rotations, and after it the one nearest to the next that commutes with all before, up to K.

    Only rotations that commute can be plain in the same coordinates and have orbits of dimension K.

    Arguments:
        ordered: (J, D, D + 1), the best first.
    """
    basis = affine_fields("rotation", ordered.shape[1]).to(ordered)
    coefficients = torch.einsum("jab,nab->jn", ordered, basis) / 2
    chosen = coefficients[:1]
    while len(chosen) < K:
        so_far = torch.einsum("kn,nij->kij", chosen, basis)[..., :-1]
        brackets = bracket(basis[:, None, :, :-1], so_far[None]).flatten(1)
        values, vectors = torch.linalg.eigh(brackets @ brackets.T)
        free = vectors[:, values < 1e-9 * values.max()]
        left = coefficients @ free @ free.T
        left = left - left @ torch.linalg.pinv(chosen) @ chosen
        share = left.norm(dim=1) / coefficients.norm(dim=1)
        best = int((share >= 0.5 * share.max()).int().argmax())
        chosen = torch.cat([chosen, left[best : best + 1] / share[best]])
    return torch.einsum("kn,nij->kij", chosen, basis)
