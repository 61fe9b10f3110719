"""Polarization: symmetries in closed form, from the spectrum of an oracle's Lie derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.contracts import BenchError, MatrixSymmetry, Method, NoSymmetry, Symmetry, Task
from bench.lie import deviation

from ._flows import measured
from ._polynomials import PolynomialFields, degrees
from ._rates import Law, Rates, law_of, whitening

__all__ = ["Polarization", "PolynomialFields", "Spectrum", "dimension", "spectrum"]

GAP = 3.0
RESAMPLED = 16


@dataclass(frozen=True)
class Polarization(Method):
    """The K lowest eigenvectors c of E (L_a phi)'(L_b phi) against E v_a'v_b over a basis of candidate fields.

    The basis is that of the matrices of the action, or, for an action `field`, of polynomial fields, of the lowest
    degree at which there is a symmetry. Eigenvalues are in units of their mean, which is chance. A field's score is
    the upper 95 % limit of its eigenvalue on validation samples, which have not chosen it. On images, the lowest field
    is the one over whose flow phi changes least, and rates are means over this flow, as a network's own change from
    pixel to pixel hides the law in its derivatives.

    Arguments:
        K: number of fields; None: as many as lie below the largest gap of the spectrum and keep phi: up to rounding if
            phi is a formula, up to 10 % of chance otherwise.
        degree: highest degree of polynomial fields.
        samples: how many training samples are used, and as many for validation; of images, a quarter
            for what is taken over a flow.
    """

    K: int | None = None
    degree: int = 3
    samples: int = 1000

    actions = ("field", "linear", "four_vector", "image_affine")
    uses = frozenset({"oracle"})
    paper = "https://arxiv.org/abs/2210.04345"

    def __post_init__(self) -> None:
        for name, least in (("K", 1), ("degree", 0), ("samples", 4)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise BenchError(f"{name} = {value}; allowed are whole numbers from {least}", f"choose a larger {name}")

    def discover(self, task: Task) -> Symmetry:
        law = law_of(task, self.samples)
        if task.action.kind != "field":
            return self._lowest(task, law, task.action.candidates(law.train))
        found: Symmetry = NoSymmetry(task.action)
        for degree in degrees(task.action.n, self.degree):
            found = self._lowest(task, law, PolynomialFields.over(task.action, law.train, degree))
            if found.K and found.scores.max() < law.tolerance:
                break
        return found

    def _lowest(self, task: Task, law: Law, fields: Symmetry) -> Symmetry:
        seen = spectrum(law, fields)
        K = dimension(seen.limits, law) if self.K is None else min(self.K, len(seen.limits))
        if not K:
            return NoSymmetry(task.action)
        found = fields.combine(seen.directions[:K])
        found.scores = seen.limits[:K]
        if isinstance(found, MatrixSymmetry):
            found.spread = spread(seen, fields, K, task.seed)
        return found.to(task.train.x)


@dataclass(frozen=True)
class Spectrum:
    """Directions (R, N) at unit speed, in ascending order of their rates of change, and the limits of these (R,).

    Arguments:
        valid: the rates over validation samples.
    """

    directions: Tensor
    limits: Tensor
    valid: Rates

    @classmethod
    def of(cls, form: Tensor, norm: Tensor, valid: Rates) -> Spectrum:
        """The generalised eigenvectors over training samples, and how well they hold on validation.

        Limits are in units of chance, the mean rate over all directions; each is at least the one before.
        """
        directions = _ascending(form, norm)
        chance = (directions @ form * directions).sum(1).mean().clamp(min=1e-300)
        return cls(directions, (valid.upper_limits(directions) / chance).cummax(0).values, valid)


def _ascending(form: Tensor, norm: Tensor) -> Tensor:
    """The generalised eigenvectors c of form c = l norm c, at unit speed, l ascending: (R, N)."""
    T, relative = whitening(form, norm)
    directions: Tensor = torch.linalg.eigh(relative).eigenvectors.T @ T
    return directions


def spread(seen: Spectrum, fields: Symmetry, K: int, seed: int) -> float:
    """How far a generator of norm 1 is from the lowest K of a bootstrap of the validation samples, RMS."""
    A = fields.matrices()
    assert A is not None
    draw = torch.Generator().manual_seed(seed)
    flat = A.double().flatten(1)
    again = [_ascending(*seen.valid.resampled(draw).forms())[:K] @ flat for _ in range(RESAMPLED)]
    return deviation(seen.directions[:K] @ flat, torch.stack(again))


def spectrum(law: Law, fields: Symmetry) -> Spectrum:
    """The spectrum of N fields."""
    return Spectrum.of(*measured(law, fields))


def dimension(limits: Tensor, law: Law) -> int:
    """How many directions keep phi: those under the tolerance and below the widest gap of the spectrum, 0 if none.

    Arguments:
        limits: ascending, in units of chance, (R,).
    """
    under = int((limits < law.tolerance).sum())
    if law.exact or not under:
        return under
    gaps = torch.cat([limits[1:], limits.new_ones(1)])[:under] / limits[:under]
    return int(gaps.argmax()) + 1 if gaps.max() > GAP else 0
