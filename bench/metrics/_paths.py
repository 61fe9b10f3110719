"""Paths: where samples are at any time of a flow, known exactly or integrated."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from bench.metrics._fields import Field

__all__ = ["Flowing", "Integrated", "Path"]

PARTS = 32
COSTLY_PARTS = 8
TURN = 0.8
SMALL = 0.05


class Path(ABC):
    """The orbits of samples z (B, *s) under a field."""

    def __init__(self, field: Field, z: Tensor) -> None:
        self.field = field
        self.z = z

    @abstractmethod
    def extend(self, t: Tensor, rows: Tensor) -> None:
        """Make times up to t (b,) known for the given rows (b,)."""

    @abstractmethod
    def at(self, t: Tensor, rows: Tensor) -> Tensor:
        """Where the given rows are at times t (b,)."""


class Flowing(Path):
    """A field whose flow is known."""

    def extend(self, t: Tensor, rows: Tensor) -> None:
        """All times are known."""

    def at(self, t: Tensor, rows: Tensor) -> Tensor:
        return self.field.flow(self.z[rows], t, rows)


class Integrated(Path):
    """Runge-Kutta of order 4 with cubic Hermite polynomials between steps.

    An interval is divided where a sample would go farther than `stride` or where its velocity turns too much, into 32
    parts at most; for a costly field by the distance alone, into 8. A sample whose next step is not finite stays where
    it is.
    """

    def __init__(self, field: Field, z: Tensor, stride: float) -> None:
        super().__init__(field, z)
        everyone = torch.arange(len(z), device=z.device)
        self.stride = stride
        self.times = [torch.zeros(len(z)).to(z)]
        self.states = [z]
        self.slopes = [field.velocity(z, everyone)]
        self.parts = [torch.ones(len(z)).to(z)]

    def extend(self, t: Tensor, rows: Tensor) -> None:
        x, v, h = self.states[-1][rows], self.slopes[-1][rows], t - self.times[-1][rows]
        strides: Tensor = v.flatten(1).norm(dim=1) * h / self.stride
        parts = strides.nan_to_num(PARTS).ceil().clamp(1, COSTLY_PARTS if self.field.costly else PARTS)
        there, slope, rough = self._advance(x, v, h, parts, rows)
        while not self.field.costly and (again := (rough & (parts < PARTS)).nonzero()[:, 0]).numel():
            parts[again] = (4 * parts[again]).clamp(max=PARTS)
            redone = self._advance(x[again], v[again], h[again], parts[again], rows[again])
            there[again], slope[again], rough[again] = redone
        knots = self.times, self.states, self.slopes, self.parts
        for known, new in zip(knots, (t, there, slope, parts), strict=True):
            known.append(known[-1].index_copy(0, rows, new))

    def at(self, t: Tensor, rows: Tensor) -> Tensor:
        times = torch.stack(self.times)[:, rows]
        last = (times <= t).sum(0).sub(1).clamp(max=len(times) - 2)
        after = last + 1
        t0, t1 = times.gather(0, last[None])[0], times.gather(0, after[None])[0]
        states, slopes = torch.stack(self.states), torch.stack(self.slopes)
        x0, x1, v0, v1 = states[last, rows], states[after, rows], slopes[last, rows], slopes[after, rows]
        x = _hermite(x0, x1, v0, v1, t1 - t0, t - t0)
        parts = torch.stack(self.parts)[after, rows]
        long = (parts > 1).nonzero()[:, 0]
        if len(long):
            share = ((t - t0) / (t1 - t0).clamp(min=1e-30)).clamp(0, 1)
            needed = (parts * share).ceil().clamp(min=1)
            x[long] = self._advance(x0[long], v0[long], (t - t0)[long], needed[long], rows[long])[0]
        return x

    def _advance(self, x: Tensor, v: Tensor, h: Tensor, parts: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """State and velocity after times h (b,) in so many parts each (b,), and whether any part turned too much."""
        x, v, rough = x.clone(), v.clone(), torch.zeros_like(h, dtype=torch.bool)
        for part in range(int(parts.max())) if len(x) else ():
            still = (parts > part).nonzero()[:, 0]
            x[still], v[still], turned = self._step(x[still], v[still], (h / parts)[still], rows[still])
            rough[still] |= turned
        return x, v, rough

    def _step(self, x: Tensor, k1: Tensor, h: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = _column(h, x)
        k2 = self.field.velocity(x + h / 2 * k1, rows)
        k3 = self.field.velocity(x + h / 2 * k2, rows)
        k4 = self.field.velocity(x + h * k3, rows)
        there = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        slope = self.field.velocity(there, rows)
        finite = _column((there + slope).flatten(1).isfinite().all(1), x)
        change = (h * (k4 - k1)).flatten(1).norm(dim=1)
        turned = (change > TURN * (h * k1).flatten(1).norm(dim=1)) & (change > SMALL * self.stride)
        return torch.where(finite, there, x), torch.where(finite, slope, torch.zeros_like(slope)), turned


def _hermite(x0: Tensor, x1: Tensor, v0: Tensor, v1: Tensor, interval: Tensor, t: Tensor) -> Tensor:
    """The cubic through two states with two velocities an interval (b,) apart, at times t (b,) after the first."""
    h = _column(interval.clamp(min=1e-30), x0)
    s = _column(t, x0) / h
    ends = (1 + 2 * s) * (1 - s) ** 2 * x0 + s**2 * (3 - 2 * s) * x1
    return ends + h * (s * (1 - s) ** 2 * v0 - s**2 * (1 - s) * v1)


def _column(t: Tensor, like: Tensor) -> Tensor:
    """(B,) as a column that multiplies samples (B, *s)."""
    return t.reshape(-1, *[1] * (like.dim() - 1))
