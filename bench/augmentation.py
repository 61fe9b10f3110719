"""Augmentation: random moves along a symmetry, as far as makes sense without knowing which group it is."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.contracts import Symmetry, Unsuitable, rms_deviation
from bench.lie import orthonormaliser

__all__ = ["Augmentation"]

REFERENCES = 512
DIRECTIONS = 128
PROBES = 2048
GROWTH = 0.35
SLOWEST = 0.1
LONGEST = 100.0
FAR = 10.0
HALVINGS = 6


class Augmentation:
    """x -> exp(t v) x, y likewise where targets move, then one of the finite elements.

    v is drawn from the sphere of the span's fields, made orthonormal over the samples, so that the generators' basis
    and length do not matter: E |v|^2 = Var(x). t is uniform in [-T, T].

    A matrix v turns if its eigenvalues are imaginary and it keeps the samples in their frame: neither the real parts
    nor the samples' size sqrt(E |x|^2) grow or shrink by more than e^0.35 in half a turn. It is followed all the way
    round, T = pi / |Im lambda|, lambda the slowest eigenvalue above a tenth of the fastest. Any other v is followed
    until the samples are `reach` deviations from where they were, by arc length and as the crow flies.

    A move that ends ten times farther out than all samples is not made: discovered fields need not be sound there.
    Finite elements are drawn uniformly, the identity among them; where the target moves they are left out.

    Arguments:
        symmetry: along which to move; K = M = 0 leaves everything where it is. Unsuitable if targets move by the
            action and the symmetry does not say how.
        x: training samples (N, *s), for the scale of the data.
        reach: how far to follow what does not turn, in deviations of the data.
        seed: of the directions.
    """

    def __init__(self, symmetry: Symmetry, x: Tensor, reach: float = 1.0, seed: int = 0) -> None:
        _check_targets(symmetry)
        x = x[:REFERENCES]
        draw = torch.Generator().manual_seed(seed)
        self.symmetry = symmetry
        self.limit = FAR * _length(x).max()
        with torch.no_grad():
            unit = _unit_fields(symmetry, x)
            c = torch.randn(DIRECTIONS if len(unit) > 1 else len(unit), len(unit), generator=draw).to(unit)
            self.directions = F.normalize(c, dim=1) @ unit
            self.times = _times(symmetry, self.directions, x, reach)

    def __call__(self, x: Tensor, y: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """A batch (B, *s), (B, *t) moved, each sample by its own amount."""
        with torch.no_grad():
            if len(self.directions):
                x, y = self._flow(x, y, draw)
            if self.symmetry.M and self.symmetry.action.target is None:
                x = self.symmetry.elements_of(x, torch.randint(self.symmetry.M + 1, (len(x),), generator=draw))
        return x, y

    def _flow(self, x: Tensor, y: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(self.directions), (len(x),), generator=draw)
        share = (2 * torch.rand(len(x), generator=draw) - 1).to(self.times)
        t = ((share * self.times[chosen])[:, None] * self.directions[chosen]).to(x)
        moved, target = self.symmetry.transform(x, t), self.symmetry.transform_target(y, t)
        near = _length(moved) <= self.limit
        return _where(near, moved, x), _where(near, target, y)


def _check_targets(symmetry: Symmetry) -> None:
    if symmetry.K and not symmetry.moves_targets:
        raise Unsuitable(
            f"targets move with the samples and a {type(symmetry).__name__} does not say how",
            "choose an action with matrices with --action",
        )


def _length(x: Tensor) -> Tensor:
    """|x|, (N,)."""
    length: Tensor = x.flatten(1).norm(dim=1)
    return length


def _where(chosen: Tensor, x: Tensor, otherwise: Tensor) -> Tensor:
    return torch.where(chosen.reshape(-1, *[1] * (x.dim() - 1)), x, otherwise)


def _unit_fields(symmetry: Symmetry, x: Tensor) -> Tensor:
    """Coefficients (J, K) of fields that are orthonormal over x in units of its deviation; J = 0 for none."""
    if not symmetry.K:
        return torch.zeros(0, 0, device=x.device)
    velocities = symmetry.velocity(x).flatten(1) / (rms_deviation(x).clamp(min=1e-12) * math.sqrt(len(x)))
    return orthonormaliser(velocities).to(x)


def _times(symmetry: Symmetry, directions: Tensor, x: Tensor, reach: float) -> Tensor:
    """T of each direction (J, K), (J,)."""
    if not len(directions):
        return directions.new_zeros(0)
    samples = max(1, min(len(x), PROBES // len(directions)))
    start = x[torch.arange(len(directions) * samples) % len(x)]

    def moved(times: Tensor) -> Tensor:
        return symmetry.transform(start, (times[:, None] * directions).repeat_interleave(samples, 0))

    def size(x: Tensor) -> Tensor:
        return _length(x).reshape(-1, samples).square().mean(1).sqrt()

    def within(times: Tensor) -> Tensor:
        gone = torch.stack([size(moved(sign * times) - start) for sign in (-1, 1)])
        return (gone <= 1.01 * reach * rms_deviation(x).clamp(min=1e-12)).all(0)

    times = _largest(within, torch.full_like(directions[:, 0], reach))
    half_turn, turns = _half_turns(symmetry, directions)
    for share in (-1, -0.5, 0.5, 1):
        growth = (size(moved(share * torch.where(turns, half_turn, 0))) / size(start)).log()
        turns = turns & (growth.abs() < GROWTH)
    return torch.where(turns, half_turn, times)


def _largest(allowed: Callable[[Tensor], Tensor], most: Tensor) -> Tensor:
    """The largest allowed numbers up to `most`, by bisection where that is not allowed itself."""
    low, high = torch.zeros_like(most), most
    fits = allowed(high)
    if fits.all():
        return most
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        inside = allowed(middle)
        low, high = torch.where(inside, middle, low), torch.where(inside, high, middle)
    return torch.where(fits, most, low)


def _half_turns(symmetry: Symmetry, directions: Tensor) -> tuple[Tensor, Tensor]:
    """pi / |Im lambda| of each direction (J, K), and whether its matrix may turn: (J,), (J,)."""
    matrices = symmetry.matrices()
    if matrices is None:
        return torch.zeros_like(directions[:, 0]), torch.zeros_like(directions[:, 0], dtype=torch.bool)
    values = torch.linalg.eigvals(torch.einsum("jk,kab->jab", directions.to(matrices), matrices))
    speeds = values.imag.abs()
    slowest = torch.where(speeds >= SLOWEST * speeds.amax(1, keepdim=True), speeds, math.inf).amin(1)
    half_turn = (math.pi / slowest).to(directions)
    growth = (values.real.abs().amax(1) * half_turn).to(directions)
    return half_turn, (half_turn < LONGEST) & (growth < GROWTH)
