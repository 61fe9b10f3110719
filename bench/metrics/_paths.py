"""Paths: where samples are at any time of a flow, known exactly or integrated."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from bench.metrics._fields import Field

__all__ = ["Coarse", "Flowing", "Integrated", "Path"]

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
        self.times = torch.zeros(1, len(z)).to(z)
        self.states = z[None]
        self.slopes = field.velocity(z, everyone)[None]

    def extend(self, t: Tensor, rows: Tensor) -> None:
        x, v, t0 = self.states[-1][rows], self.slopes[-1][rows], self.times[-1][rows]
        h = t - t0
        strides: Tensor = v.flatten(1).norm(dim=1) * h / self.stride
        parts = strides.nan_to_num(PARTS).ceil().clamp(1, COSTLY_PARTS if self.field.costly else PARTS)
        states, slopes, rough = self._advance(x, v, h, parts, rows)
        while not self.field.costly and (again := (rough & (parts < PARTS)).nonzero()[:, 0]).numel():
            parts[again] = (4 * parts[again]).clamp(max=PARTS)
            *redone, rough[again] = self._advance(x[again], v[again], h[again], parts[again], rows[again])
            states, slopes = (_replaced(old, again, new) for old, new in zip((states, slopes), redone, strict=True))
        done = torch.arange(1, len(states) + 1).to(t)[:, None] / parts
        self.times = _appended(self.times, rows, torch.where(done < 1, t0 + done * h, t))
        self.states = _appended(self.states, rows, states)
        self.slopes = _appended(self.slopes, rows, slopes)

    def at(self, t: Tensor, rows: Tensor) -> Tensor:
        times = self.times[:, rows]
        last = (times <= t).sum(0).sub(1).clamp(max=len(times) - 2)
        t0, t1 = times.gather(0, last[None])[0], times.gather(0, last[None] + 1)[0]
        x0, x1, v0, v1 = (known[at, rows] for known in (self.states, self.slopes) for at in (last, last + 1))
        return _hermite(x0, x1, v0, v1, t1 - t0, t - t0)

    def _advance(self, x: Tensor, v: Tensor, h: Tensor, parts: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """States and velocities after each part of times h (b,), and whether any part turned too much.

        Rows in fewer parts (b,) than others wait at their end: (P, b, *s), (P, b, *s), (b,).
        """
        states, slopes, rough = [], [], torch.zeros_like(h, dtype=torch.bool)
        for part in range(int(parts.max()) if len(x) else 1):
            still = (parts > part).nonzero()[:, 0]
            there, slope, turned = self._step(x[still], v[still], (h / parts)[still], rows[still])
            x, v = x.index_copy(0, still, there), v.index_copy(0, still, slope)
            rough[still] |= turned
            states.append(x)
            slopes.append(v)
        return torch.stack(states), torch.stack(slopes), rough

    def _step(self, x: Tensor, k1: Tensor, h: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = _column(h, x)
        there, last = self._ahead(x, k1, h, rows)
        slope = self.field.velocity(there, rows)
        finite = _column((there + slope).flatten(1).isfinite().all(1), x)
        change = (h * (last - k1)).flatten(1).norm(dim=1)
        turned = (change > TURN * (h * k1).flatten(1).norm(dim=1)) & (change > SMALL * self.stride)
        return torch.where(finite, there, x), torch.where(finite, slope, torch.zeros_like(slope)), turned

    def _ahead(self, x: Tensor, k1: Tensor, h: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Where a step h ends that starts with velocity k1, and the last velocity on the way."""
        k2 = self.field.velocity(x + h / 2 * k1, rows)
        k3 = self.field.velocity(x + h / 2 * k2, rows)
        k4 = self.field.velocity(x + h * k3, rows)
        return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), k4


class Coarse(Integrated):
    """Runge-Kutta of order 2 (Ralston 1962), at half the cost."""

    def _ahead(self, x: Tensor, k1: Tensor, h: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        k2 = self.field.velocity(x + 2 / 3 * h * k1, rows)
        return x + h / 4 * (k1 + 3 * k2), k2


def _appended(known: Tensor, rows: Tensor, new: Tensor) -> Tensor:
    """Knots (T, B, *s) and P more, at which other rows than the given ones stay where they are: new (P, b, *s)."""
    return torch.cat([known, known[-1:].expand(len(new), *known.shape[1:]).index_copy(1, rows, new)])


def _replaced(known: Tensor, rows: Tensor, new: Tensor) -> Tensor:
    """Knots (P, b, *s) with those of some rows replaced by (Q, r, *s); what ends earlier waits at its end."""
    longest = max(len(known), len(new))
    known, new = (torch.cat([one, one[-1:].expand(longest - len(one), *one.shape[1:])]) for one in (known, new))
    return known.index_copy(1, rows, new)


def _hermite(x0: Tensor, x1: Tensor, v0: Tensor, v1: Tensor, interval: Tensor, t: Tensor) -> Tensor:
    """The cubic through two states with two velocities an interval (b,) apart, at times t (b,) after the first."""
    h = _column(interval.clamp(min=1e-30), x0)
    s = _column(t, x0) / h
    ends = (1 + 2 * s) * (1 - s) ** 2 * x0 + s**2 * (3 - 2 * s) * x1
    return ends + h * (s * (1 - s) ** 2 * v0 - s**2 * (1 - s) * v1)


def _column(t: Tensor, like: Tensor) -> Tensor:
    """(B,) as a column that multiplies samples (B, *s)."""
    return t.reshape(-1, *[1] * (like.dim() - 1))
