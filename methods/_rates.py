"""How fast an oracle changes along the candidate fields of an action: what the spectral methods start from."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.contracts import ImageAffine, Oracle, Symmetry, Task
from bench.lie import jacobian, softened, upper_limits

__all__ = ["Law", "Rates", "along", "law_of", "lie_derivatives", "velocity", "whitening"]

CHUNK = 250
ABREAST = 64
DROPPED = 1e-9
ROUNDING = 1e-9
LEARNED = 0.1


@dataclass(frozen=True)
class Law:
    """An oracle with the samples to differentiate it on.

    Arguments:
        oracle: phi, frozen.
        axes: combinations of the components of phi at variance 1 that vary, (m, m'); phi is seen as phi @ axes.
        train, valid: samples (B, *s) and (V, *s).
        tolerance: the rate of change, relative to chance, under which phi counts as kept. A formula keeps a law up to
            rounding; one that was trained, or the velocity of an image on a grid, up to 10 %.
    """

    oracle: Oracle
    axes: Tensor
    train: Tensor
    valid: Tensor
    tolerance: float

    @property
    def exact(self) -> bool:
        """Whether only rounding stands between the oracle and its law."""
        return self.tolerance == ROUNDING


def law_of(task: Task, samples: int) -> Law:
    """The task's law on its first samples, in float64 if it is a formula. BenchError if there is none."""
    oracle = copy.deepcopy(task.need("oracle")).requires_grad_(False).eval()
    train, valid = task.train.x[:samples], task.valid.x[:samples]
    if any(True for _ in oracle.parameters()) or task.action.kind == "image_affine":
        return Law(oracle, _axes(oracle, train), train, valid, LEARNED)
    oracle, train, valid = oracle.double(), train.double(), valid.double()
    return Law(oracle, _axes(oracle, train), train, valid, ROUNDING)


def _axes(oracle: Oracle, x: Tensor) -> Tensor:
    """Principal axes of the components of phi at variance 1, without those that do not vary.

    Where phi moves with the sample nothing is left out, as a component that is the same for all samples can change
    along a field nevertheless; its unit is the RMS deviation of all.
    """
    values = torch.cat([oracle(part) for part in torch.split(x, CHUNK)]).double()
    spread, size = values.std(0), values.abs().amax(0)
    varies = spread > 1e-6 * size
    if oracle.moves:
        return torch.diag(1 / torch.where(varies, spread, spread.square().mean().sqrt())).to(x)
    units = torch.where(varies, 1 / spread, 0)
    variances, axes = torch.linalg.eigh(torch.cov(((values - values.mean(0)) * units).T).reshape(len(units), -1))
    varying: Tensor = units[:, None] * axes[:, variances > 1e-9 * variances[-1]]
    return varying.to(x)


def lie_derivatives(law: Law, fields: Symmetry, x: Tensor) -> Tensor:
    """L_a phi, exact, of all fields: x (B, *s) -> (N, B, m').

    For an oracle whose value moves with the sample it is d phi(v_a) - A_a phi: the derivative of its `violation`.
    """
    if law.oracle.moves:
        return _along_the_flow(law, fields, x)
    return along(law, velocity(fields, x), x)


def along(law: Law, moves: Tensor, x: Tensor) -> Tensor:
    """d phi along the moves (N, B, *s): by the Jacobian, or one move at a time if phi has more components."""

    def phi(x: Tensor) -> Tensor:
        out: Tensor = law.oracle(x) @ law.axes
        return out

    if law.axes.shape[1] <= len(moves):
        return torch.einsum("bmd,abd->abm", jacobian(phi, x), moves.flatten(2))
    with torch.no_grad():
        return torch.stack([torch.func.jvp(phi, (x,), (move,))[1] for move in moves])


class _FirstOrder(Symmetry):
    """x + sum_k t_k v_k(x): what the flow is to first order in t, without its cost."""

    def __init__(self, fields: Symmetry) -> None:
        super().__init__(fields.action, fields.K)
        self.fields = fields

    def velocity(self, x: Tensor) -> Tensor:
        return self.fields.velocity(x)

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        return x + self.along(x, t)

    def transform_target(self, y: Tensor, t: Tensor) -> Tensor:
        A, target = self.fields.matrices(), self.action.target
        if A is None or target is None:
            return y
        return y + torch.einsum("bk,kb...->b...", t, target.velocity(A, y))


def _along_the_flow(law: Law, fields: Symmetry, x: Tensor) -> Tensor:
    still = x.new_zeros(len(x), fields.K)
    violation = partial(law.oracle.violation, _FirstOrder(fields), x)

    def rate(axis: Tensor) -> Tensor:
        rates: Tensor = torch.func.jvp(violation, (still,), (axis.expand_as(still),))[1]
        return rates.flatten(1) @ law.axes

    with torch.no_grad():
        return torch.func.vmap(rate, chunk_size=ABREAST)(torch.eye(fields.K).to(x))


def velocity(fields: Symmetry, x: Tensor) -> Tensor:
    """v_a(x), (N, B, *s); of images by differences of fourth order, as those of second are biased towards dilation."""
    A = fields.matrices()
    if A is None or not isinstance(fields.action, ImageAffine):
        return fields.velocity(x)
    padded = F.pad(x, (2, 2, 2, 2))
    by_column = _slope(padded[..., 2:-2, :]) * (x.shape[-1] / 2)
    by_row = _slope(padded[..., 2:-2].mT).mT * (x.shape[-2] / 2)
    flow = torch.einsum("kij,hwj->kihw", A[:, :2].to(x), fields.action.grid(x))
    moved: Tensor = flow[:, None, None, 0] * by_column + flow[:, None, None, 1] * by_row
    return -moved


def _slope(line: Tensor) -> Tensor:
    """(8 (f_1 - f_-1) - (f_2 - f_-2)) / 12 along the last axis, which loses two pixels at each end."""
    slope: Tensor = (8 * (line[..., 3:-1] - line[..., 1:-3]) - (line[..., 4:] - line[..., :-4])) / 12
    return slope


@dataclass(frozen=True)
class Rates:
    """Rates of change (N, B, m') and velocities (N, B, D) of N fields over B samples, in float64.

    Each sample is weighted by 1 / (q + 0.1 median q), q = sum_a |v_a|^2, so that a few fast ones do not decide.
    """

    changes: Tensor
    moves: Tensor

    @classmethod
    def of(cls, law: Law, fields: Symmetry, x: Tensor) -> Rates:
        """The rates of all fields at x (B, *s)."""
        changes = torch.cat([lie_derivatives(law, fields, part).double() for part in torch.split(x, CHUNK)], 1)
        return cls.weighted(changes, fields, x)

    @classmethod
    def weighted(cls, changes: Tensor, fields: Symmetry, x: Tensor) -> Rates:
        """Of changes (N, B, m') along N fields at x (B, *s)."""
        with torch.no_grad():
            moves = torch.cat([velocity(fields, part).flatten(2).double() for part in torch.split(x, CHUNK)], 1)
        weight = softened(moves.square().sum((0, 2))).rsqrt()[:, None]
        return cls(changes * weight, moves * weight)

    def forms(self) -> tuple[Tensor, Tensor]:
        """E (L_a phi)'(L_b phi) and E v_a'v_b: (N, N), (N, N)."""
        flat = (side.flatten(1) for side in (self.changes, self.moves))
        form, norm = (side @ side.T / self.moves.shape[1] for side in flat)
        return form, norm

    def resampled(self, draw: torch.Generator) -> Rates:
        """Those of B samples drawn from these with replacement: a bootstrap."""
        B = self.moves.shape[1]
        drawn = torch.randint(B, (B,), generator=draw).to(self.moves.device)
        return Rates(self.changes[:, drawn], self.moves[:, drawn])

    def upper_limits(self, c: Tensor) -> Tensor:
        """Upper 95 % limits of E |sum c_ka L_a phi|^2 / E |sum c_ka v_a|^2, c (K, N) -> (K,)."""
        change, speed = (torch.einsum("ka,abd->kbd", c, side).square().sum(2) for side in (self.changes, self.moves))
        return upper_limits(change, speed)


def whitening(form: Tensor, norm: Tensor) -> tuple[Tensor, Tensor]:
    """T (R, N) with T norm T' = 1, and T form T' in units of chance, its mean over directions: (R, R).

    Fields are scaled to unit speed first; combinations that move no sample are left out.
    """
    scale = norm.diagonal().clamp(min=1e-300).rsqrt()
    speeds, axes = torch.linalg.eigh(scale[:, None] * norm * scale)
    kept = speeds > DROPPED * speeds[-1]
    T = (axes[:, kept] / speeds[kept].sqrt()).T * scale
    unit = T @ form @ T.T
    return T, unit / unit.diagonal().mean().clamp(min=1e-300)
