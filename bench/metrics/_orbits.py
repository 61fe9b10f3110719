"""Orbits: samples moved until they have gone a wanted distance in data space."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.contracts import ImageAffine
from bench.metrics._fields import Field
from bench.metrics._paths import Coarse, Flowing, Integrated, Path
from bench.metrics._space import Space

__all__ = ["Arrival", "Orbits"]

GRID = (0.1, 0.3, 0.65, 1.0, 1.4, 2.0, 3.0, 4.5, 7.0)
JUDGES = 128
STRIDE = 0.5
COARSE = 0.05
ATTEMPTS = 8


@dataclass
class Arrival:
    """Where samples are at a wanted distance.

    Arguments:
        ends: the two ends in the view, (B, *shape) each.
        decoded: the two ends in data space, (B, *s) each.
        distance: between them, (B,).
        time: that the flow takes from the second end to the first, (B,).
    """

    ends: tuple[Tensor, Tensor]
    decoded: tuple[Tensor, Tensor]
    distance: Tensor
    time: Tensor

    def put(self, rows: Tensor, part: Arrival) -> None:
        """Replace the given rows."""
        for mine, new in zip((*self.ends, *self.decoded), (*part.ends, *part.decoded), strict=True):
            mine[rows] = new
        self.distance[rows] = part.distance
        self.time[rows] = part.time


class Orbits:
    """Samples z (B, *shape) and where a field takes them: from D(z) to D(g z).

    Images under affine maps go from exp(-tA/2) x to exp(tA/2) x instead, so that both ends are resampled once.

    Arguments:
        tolerance: relative error allowed in a displacement. From 0.05 a costly field is integrated at order 2.
    """

    def __init__(self, space: Space, field: Field, z: Tensor, tolerance: float = 0.01) -> None:
        self.space = space
        self.field = field
        self.z = z
        self.tolerance = tolerance
        self.symmetric = isinstance(space.test.action, ImageAffine) and field.exact
        self.path = self._path()
        self.decoded = space.decode(z)
        self.rows = torch.arange(len(z), device=z.device)

    def _path(self) -> Path:
        if self.field.exact:
            return Flowing(self.field, self.z)
        kind = Coarse if self.field.costly and self.tolerance >= COARSE else Integrated
        return kind(self.field, self.z, STRIDE * self.space.view_spread)

    def speed(self) -> Tensor:
        """|d D(z) / dt| at the start, (B,)."""
        lengths: Tensor = self.space.push(self.z, self.field.velocity(self.z, self.rows)).norm(dim=1)
        return lengths

    def together(self, targets: list[float], pace: float) -> list[Arrival]:
        """All samples after the same time, the smallest at which their RMS displacement is a target.

        A target out of reach: where they are farthest.

        Arguments:
            targets: wanted RMS displacements.
            pace: about the time that the largest needs.
        """
        every = torch.ones(len(self.z)).to(self.z)
        search = _Search(self, pace * every, max(targets) * every, min(targets) / max(targets), shared=True)
        return [search.find(target * every) for target in targets]

    def apart(self, targets: Tensor, speed: Tensor) -> list[Arrival]:
        """Each sample after a time of its own, the smallest at which its displacement is its target.

        Arguments:
            targets: wanted displacements, (B, T).
            speed: at the start, (B,).
        """
        slowest = 1e-3 * speed.square().mean().sqrt().clamp(min=1e-12)
        farthest = targets.amax(1)
        search = _Search(self, farthest / speed.clamp(min=slowest), farthest, GRID[0], shared=False)
        return [search.find(target) for target in targets.T]

    def arrive(self, t: Tensor, rows: Tensor) -> Arrival:
        """The given rows after times t, both (b,)."""
        if self.symmetric:
            x = self.z[rows]
            ends = self.field.flow(x, t / 2, rows), self.field.flow(x, -t / 2, rows)
            decoded = self.space.decode(ends[0]), self.space.decode(ends[1])
        else:
            ends = self.path.at(t, rows), self.z[rows]
            decoded = self.space.decode(ends[0]), self.decoded[rows]
        return Arrival(ends, decoded, self.space.distance(*decoded), t.clone())


class _Search:
    """First crossings of a wanted distance.

    A path is looked at on a grid of times, in units of a pace for each row, until all rows have gone far enough; a
    crossing is then bracketed and found by false position, with bisections where that is slow.

    Arguments:
        orbits: the paths.
        pace: about the time that the farthest target needs, (B,).
        farthest: the largest target, (B,).
        nearest: the smallest target over the largest; no time of the grid before it is looked at.
        shared: whether all rows take the same time and the RMS distance counts; the first 128 then stand for all in
            the search for the bracket.
    """

    def __init__(self, orbits: Orbits, pace: Tensor, farthest: Tensor, nearest: float, shared: bool) -> None:
        self.orbits = orbits
        self.shared = shared
        self.looked = [torch.zeros_like(pace)]
        self.gone = [torch.zeros_like(pace)]
        active = orbits.rows[farthest > 0]
        for factor in (factor for factor in GRID if factor >= nearest):
            if not len(active):
                break
            time = self.looked[-1].index_copy(0, active, factor * pace[active])
            orbits.path.extend(time[active], active)
            seen = orbits.rows[:JUDGES] if shared else active
            far = self._count(orbits.arrive(time[seen], seen).distance, active)
            self.looked.append(time)
            self.gone.append(self.gone[-1].index_copy(0, active, far))
            active = active[far < farthest[active]]

    def _count(self, distance: Tensor, rows: Tensor) -> Tensor:
        """What counts for the given rows: their distances, or the RMS of all."""
        known = torch.nan_to_num(distance, nan=0.0)
        return known.square().mean().sqrt().expand(len(rows)) if self.shared else known

    def find(self, target: Tensor) -> Arrival:
        """Where the rows are when they first reach their targets (B,), or, out of reach, at their farthest."""
        low, high, reached = self._bracket(target)
        (t0, d0), (t1, d1) = low, high
        time = torch.where(target > 0, t1, 0)
        rows = self.orbits.rows
        for attempt in range(ATTEMPTS):
            share = (target - d0) / (d1 - d0).clamp(min=1e-30) if attempt in (0, 1, 3) else torch.full_like(d0, 0.5)
            time = torch.where(reached, t0 + share.clamp(0, 1) * (t1 - t0), time)
            part = self.orbits.arrive(time[rows], rows)
            if attempt == 0:
                arrival = part
            else:
                arrival.put(rows, part)
            d = torch.zeros_like(d0).index_copy(0, rows, self._count(part.distance, rows))
            if self.shared and attempt == 0:
                d0, d1 = d0 * d / target, (d1 * d / target).clamp(min=target)
            short = d < target
            t0, d0 = torch.where(short, time, t0), torch.where(short, d, d0)
            t1, d1 = torch.where(short, t1, time), torch.where(short, d1, d)
            rows = rows[(reached & ((d - target).abs() > self.orbits.tolerance * target))[rows]]
            if not len(rows):
                break
        return arrival

    def _bracket(self, target: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor], Tensor]:
        """(time, distance) before and after the first crossing, and whether there is one; if not, the farthest."""
        looked, gone = torch.stack(self.looked), torch.stack(self.gone)
        crossed = gone >= target
        reached = crossed.any(0) & (target > 0)
        high = torch.where(reached, crossed.int().argmax(0), gone.argmax(0))[None]
        low = (high - 1).clamp(min=0)
        before = looked.gather(0, low)[0], gone.gather(0, low)[0]
        return before, (looked.gather(0, high)[0], gone.gather(0, high)[0]), reached
