"""oracle_preservation: does the oracle change less along a symmetry than along chance?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.contracts import ImageAffine, Metric, Oracle, Symmetry
from bench.metrics._chance import Spans
from bench.metrics._fields import Draws, Field, Single
from bench.metrics._orbits import Arrival, Orbits
from bench.metrics._space import Phi, Space, space_of

__all__ = ["OraclePreservation"]

DELTAS = (0.1, 0.3, 1.0)
ANGLES = (15, 45, 90, 180)
DIRECTIONS = 4
ROWS = 1024
DECODED_ROWS = 512
LEAST_ROWS = 128
TURNED_ROWS = 256
LOCAL = 0.05
CLIPPED = 0.98
REACHABLE = 0.9
WORST = 1e12


@dataclass(frozen=True)
class Comparison:
    """Squared changes of phi under a symmetry and under chance, mean over both signs.

    Arguments:
        found: under g, (T, P) for T deltas and P rows.
        chance: under r at the same displacements, (T, P).
        far: squared displacement, (T, P); `fourth`, its square, both means over the signs.
        sample: the test sample of each row, (P,).
        draw: the draw of chance of each row, (P,).
    """

    found: Tensor
    chance: Tensor
    far: Tensor
    fourth: Tensor
    sample: Tensor
    draw: Tensor

    def reached(self) -> Tensor:
        """RMS displacement for each delta, (T,)."""
        return self.far.mean(1).sqrt()

    def participation(self) -> float:
        """(E d^2)^2 / E d^4, the least over the deltas."""
        return (self.far.mean(1).square() / self.fourth.mean(1).clamp(min=1e-300)).min().item()

    def scores(self, wanted: Tensor) -> Tensor:
        """OP at wanted displacements (T,): (R - E) / (R + E), by d^2 / delta^2 if short and positive."""
        return _ratio(self.found.mean(1), self.chance.mean(1)) * self._shortfall(wanted)

    def errors(self, wanted: Tensor) -> tuple[float, float]:
        """Standard errors of the mean over the deltas: from the test samples, and from the draws of chance."""
        E, R = self.found.mean(1, keepdim=True), self.chance.mean(1, keepdim=True)
        slope = 2 * self._shortfall(wanted)[:, None] / (E + R).square().clamp(min=1e-300)
        by_sample = (slope * (E * self.chance - R * self.found)).mean(0)
        by_draw = (slope * E * (self.chance - R)).mean(0)
        return _clustered(by_sample, self.sample), _clustered(by_draw, self.draw)

    def _shortfall(self, wanted: Tensor) -> Tensor:
        short = (self.reached() / wanted.clamp(min=1e-300)).square()
        op = _ratio(self.found.mean(1), self.chance.mean(1))
        return torch.where((op > 0) & (short < CLIPPED**2), short, 1.0)


class OraclePreservation(Metric):
    """OP = (R - E) / (R + E) in [-1, 1], mean over displacements of 0.1, 0.3 and 1 standard deviations of the data.

    E is the mean squared change of the standardised oracle under the symmetry, R that under random fields of the
    action along which each sample moves exactly as far. 1 is perfect, 0 no better than chance.
    """

    version: ClassVar[int] = 2
    asks: ClassVar[frozenset[str]] = frozenset({"symmetry", "truth", "oracle", "test"})

    @torch.no_grad()
    def score(self, **asked: Any) -> dict[str, float | None]:
        symmetry, truth, test = asked["symmetry"], asked["truth"], asked["test"]
        space = space_of(test)
        trial = _Trial(space, Spans(test, truth), asked["oracle"])
        if not trial.phi.kept.any() or trial.phi.hidden:
            return {"oracle_preservation": None}
        wanted = torch.tensor(DELTAS, dtype=torch.float64).to(space.reference.device) * space.spread
        scores: dict[str, float | None] = {"oracle_preservation.truth": None}
        if truth is not None and truth.K:
            reference = trial.roughly(truth, wanted)
            if reference is not None:
                reached = reference.reached()
                short = reached < CLIPPED * wanted
                if short.any():
                    wanted = torch.where(short, REACHABLE * reached, wanted)
                    reference = trial.roughly(truth, wanted) or reference
                scores["oracle_preservation.truth"] = reference.scores(wanted).mean().item()
        return scores | _report(trial, symmetry, wanted) | _turned(trial, symmetry, truth)


class _Trial:
    """The comparison of symmetries with chance on one test."""

    def __init__(self, space: Space, spans: Spans, oracle: Oracle) -> None:
        self.space = space
        self.spans = spans
        self.phi = Phi(space, oracle)
        self.size = ROWS if spans.tangent.values is None else DECODED_ROWS
        self.seed = space.test.seed
        self.c = spans.draws(self.seed)

    def compare(self, symmetry: Symmetry, wanted: Tensor) -> Comparison | None:
        """Along a random frame of the span; None if nothing moves."""
        if symmetry.asks:
            return self.roughly(symmetry, wanted)
        c = self.spans.directions(symmetry, self.seed, DIRECTIONS)
        return self.along(symmetry, c, self.size, wanted) if len(c) else None

    def roughly(self, symmetry: Symmetry, wanted: Tensor) -> Comparison | None:
        """Along one frame, from 128 samples a direction; None if nothing moves."""
        c = self.spans.directions(symmetry, self.seed, 1)
        return self.along(symmetry, c, LEAST_ROWS, wanted) if len(c) else None

    def along(self, symmetry: Symmetry, directions: Tensor, size: int, wanted: Tensor) -> Comparison:
        """Along given directions (G, K), each from samples of its own."""
        paces = (wanted.max() / self.spans.speeds(symmetry, directions)).tolist()

        def moved(orbits: Orbits, direction: int) -> list[Arrival]:
            return orbits.together(wanted.tolist(), paces[direction])

        return self._against_chance(symmetry, directions, size, moved)

    def after(self, symmetry: Symmetry, lengths: Tensor) -> Comparison | None:
        """Along a random frame of the span, for times t that make t sqrt(E |v|^2) the lengths (T,)."""
        c = self.spans.directions(symmetry, self.seed, 1)
        if not len(c):
            return None
        times = (lengths / self.spans.speeds(symmetry, c)[:, None]).tolist()

        def moved(orbits: Orbits, direction: int) -> list[Arrival]:
            arrivals = []
            for time in times[direction]:
                t = torch.full((len(orbits.z),), time).to(orbits.z)
                orbits.path.extend(t, orbits.rows)
                arrivals.append(orbits.arrive(t, orbits.rows))
            return arrivals

        return self._against_chance(symmetry, c, LEAST_ROWS if symmetry.asks else TURNED_ROWS, moved)

    def _against_chance(
        self, symmetry: Symmetry, directions: Tensor, size: int, moved: Callable[[Orbits, int], list[Arrival]]
    ) -> Comparison:
        """What `moved` does along directions (G, K), each from samples of its own, and chance as far."""
        each = max(LEAST_ROWS, size // len(directions))
        pool = self.space.samples(max(each, size))
        sample = torch.arange(len(directions) * each, device=pool.device) % len(pool)
        draw = torch.randperm(len(sample), generator=torch.Generator().manual_seed(self.seed)) % len(self.c)
        draw = draw.to(pool.device)
        chance = Draws(self.spans.candidates, self.c, draw)
        z = pool[sample]
        speed = Orbits(self.space, chance, z).speed()
        sums = []
        for sign in (1, -1):
            fields = [Single(symmetry, sign * c.to(z)) for c in directions]
            found = [
                moved(Orbits(self.space, one, part), direction)
                for direction, (one, part) in enumerate(zip(fields, torch.split(z, each), strict=True))
            ]
            field = chance if sign > 0 else chance.reversed()
            far = torch.cat([torch.stack([arrival.distance for arrival in one]) for one in found], 1)
            matched = Orbits(self.space, field, z).apart(far.T, speed)
            changes = [torch.cat(list(map(self._change, parts, fields))) for parts in zip(*found, strict=True)]
            by_chance = torch.stack([self._change(arrival, field) for arrival in matched])
            sums.append(torch.stack([torch.stack(changes), by_chance, far.square().double(), far.double() ** 4]))
        E, R, square, fourth = (sums[0] + sums[1]) / 2
        return Comparison(E, R, square, fourth, sample, draw)

    def _change(self, arrival: Arrival, field: Field | None = None) -> Tensor:
        """|phi at one end - phi at the other|^2, or relative to s phi where a field carries phi along, (B,)."""
        if self.phi.carried and field is not None:
            return self._relative(arrival, field)
        a, b = (self.phi(z, x) for z, x in zip(arrival.ends, arrival.decoded, strict=True))
        return torch.nan_to_num((a - b).double().square().sum(1), nan=WORST, posinf=WORST)

    def _relative(self, arrival: Arrival, field: Field) -> Tensor:
        """|a - b|^2 / (|a|^2 + |b|^2) for a = phi(s x), b = s phi(x), as s stretches values without limit: (B,)."""
        apart = self.phi.scaled(field.violation(self.phi.oracle, arrival.ends[1], arrival.time)).double()
        a = self.phi(arrival.ends[0], arrival.decoded[0]).double()
        size = a.square().sum(1) + (a - apart).square().sum(1)
        return torch.nan_to_num(apart.square().sum(1) / size.clamp(min=1e-300), nan=2.0, posinf=2.0)

    def elements(self, symmetry: Symmetry) -> float | None:
        """OP of the finite elements, at their own displacements; None where it is not known how they move phi."""
        if self.phi.carried:
            return None
        z = self.space.samples(LEAST_ROWS * min(symmetry.M, DIRECTIONS))
        number = torch.arange(len(z), device=z.device) % min(symmetry.M, DIRECTIONS)
        moved = torch.empty_like(z)
        for j in range(int(number.max()) + 1):
            moved[number == j] = symmetry.element(z[number == j], j)
        ends = self.space.decode(moved), self.space.decode(z)
        far = self.space.distance(*ends)
        found = self._change(Arrival((moved, z), ends, far, torch.zeros_like(far)))
        draw = torch.arange(len(z), device=z.device) % len(self.c)
        orbits = Orbits(self.space, Draws(self.spans.candidates, self.c, draw), z)
        (matched,) = orbits.apart(far[:, None], orbits.speed())
        return _ratio(found.mean(), self._change(matched).mean()).item()

    def worst(self, symmetry: Symmetry) -> Tensor | None:
        """The direction (1, K) of the span along which E |d phi . v|^2 is largest; None if it has one direction."""
        basis = self.spans.directions(symmetry, self.seed, 1)
        if len(basis) < 2:
            return None
        z = self.spans.tangent.z[:LEAST_ROWS]
        flat = self.phi.rates(symmetry.combine(basis.to(z)), z).double().flatten(1)
        axes: Tensor = torch.linalg.eigh(flat @ flat.T).eigenvectors
        return axes[:, -1:].T @ basis


def _report(trial: _Trial, symmetry: Symmetry, wanted: Tensor) -> dict[str, float | None]:
    name = "oracle_preservation"
    found = trial.compare(symmetry, wanted)
    by_elements = {f"{name}.elements": trial.elements(symmetry)} if symmetry.M else {}
    if found is None:
        return {name: by_elements.get(f"{name}.elements", 0.0), **by_elements}
    each = found.scores(wanted)
    error, chance_error = found.errors(wanted)
    scores: dict[str, float | None] = {
        name: each.mean().item(),
        f"{name}.se": error,
        f"{name}.mc_error": chance_error,
        f"{name}.participation": found.participation(),
        f"{name}.local": float(found.participation() < LOCAL),
    }
    for delta, op, reached in zip(DELTAS, each.tolist(), found.reached().tolist(), strict=True):
        scores[f"{name}.{delta}"] = op
        scores[f"{name}.reached.{delta}"] = reached / trial.space.spread
    worst = trial.worst(symmetry)
    scores[f"{name}.worst_direction"] = scores[name]
    if worst is not None:
        along = trial.along(symmetry, worst, LEAST_ROWS, wanted)
        scores[f"{name}.worst_direction"] = along.scores(wanted).mean().item()
    return scores | by_elements


def _turned(trial: _Trial, symmetry: Symmetry, truth: Symmetry | None) -> dict[str, float | None]:
    """OP where a path is as long as the true rotation's of images by 15, 45, 90, 180 degrees; of no other truth."""
    frequency = _frequency(truth) if truth is not None and isinstance(truth.action, ImageAffine) else None
    if truth is None or frequency is None:
        return {}
    speed = trial.spans.speeds(truth, torch.ones(1, 1).to(trial.spans.action))
    lengths = speed / frequency * torch.tensor(ANGLES).to(speed).deg2rad()
    reference, found = trial.after(truth, lengths), trial.after(symmetry, lengths)
    assert reference is not None
    wanted = reference.reached()
    scores = torch.zeros(len(ANGLES)) if found is None else found.scores(wanted)
    name = "oracle_preservation"
    return {f"{name}.turned.{angle}": op for angle, op in zip(ANGLES, scores.tolist(), strict=True)} | {
        f"{name}.truth.turned.{angle}": op
        for angle, op in zip(ANGLES, reference.scores(wanted).tolist(), strict=True)
    }


def _frequency(truth: Symmetry) -> float | None:
    """The angle by which a one-parameter rotation of the plane turns in unit time; None if it is none."""
    matrices = truth.matrices()
    if matrices is None or len(matrices) != 1:
        return None
    A = matrices[0, :2, :2].double()
    square, stretch = A.det().item(), A.trace().item()
    return math.sqrt(square) if square > 0 and abs(stretch) < 1e-6 * math.sqrt(square) else None


def _ratio(E: Tensor, R: Tensor) -> Tensor:
    return torch.where(E + R > 0, (R - E) / (E + R).clamp(min=1e-300), 0.0)


def _clustered(values: Tensor, label: Tensor) -> float:
    """The standard error of a mean whose terms share clusters (P,)."""
    sums = torch.zeros(int(label.max()) + 1, dtype=values.dtype, device=values.device).index_add(0, label, values)
    return sums.square().sum().sqrt().item() / len(values)
