"""distribution_preservation: are the moved samples still distributed as the samples are?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.contracts import ImageAffine, Metric, Symmetry
from bench.metrics._chance import Spans
from bench.metrics._detector import Detector
from bench.metrics._fields import Single
from bench.metrics._orbits import Arrival, Orbits
from bench.metrics._space import Space, space_of

__all__ = ["DistributionPreservation"]

DELTAS = (0.3, 1.0)
SPLITS = 5
ROWS = 1000
COSTLY_ROWS = 300
DISJOINT = 400
PERMUTATIONS = 20
SIGNIFICANT = 1e-4
TOLERANCE = 0.05


class DistributionPreservation(Metric):
    """DP = 1 - d(g) / d(r) in [0, 1], mean over displacements of 0.3 and 1 standard deviations of the data.

    d = max(0, AUC - 1/2) of a fixed classifier that tells moved samples from others, under the symmetry and under
    random fields of the action along which each sample moves exactly as far. None where chance is not detected.
    """

    version: ClassVar[int] = 1
    asks: ClassVar[frozenset[str]] = frozenset({"symmetry", "truth", "test"})

    @torch.no_grad()
    def score(self, **asked: Any) -> dict[str, float | None]:
        test, symmetry = asked["test"], asked["symmetry"]
        spans = Spans(test, asked["truth"])
        directions = spans.directions(symmetry, test.seed, 1)
        name = "distribution_preservation"
        if not len(directions):
            return {name: None}
        trial = _Trial(space_of(test), spans, symmetry, directions)
        found = [trial.split(number) for number in range(SPLITS)]
        scores: dict[str, float | None] = {}
        each = [_Detected.over([one[k] for one in found], trial.independent) for k in range(len(DELTAS))]
        for delta, one in zip(DELTAS, each, strict=True):
            scores |= {
                f"{name}.{delta}": one.preserved,
                f"{name}.{delta}.se": one.error,
                f"{name}.{delta}.p_value": one.p_value,
                f"{name}.{delta}.auc": one.found,
                f"{name}.{delta}.auc_chance": one.chance,
            }
        scores[name] = _mean([one.preserved for one in each if one.preserved is not None])
        scores[f"{name}.se"] = _mean([one.error for one in each if one.error is not None])
        return scores


@dataclass(frozen=True)
class _Detected:
    """What was detected at one displacement: DP with its error, the p-value of g, the AUC of g and of chance."""

    preserved: float | None
    error: float | None
    p_value: float
    found: float
    chance: float

    @classmethod
    def over(cls, splits: list[tuple[Tensor, Tensor]], independent: float) -> _Detected:
        """From the AUCs (1 + permutations,) of g and of r in each split, of which so many are independent."""
        g, r = (torch.stack(side) for side in zip(*splits, strict=True))
        a, b = g[:, 0] - 0.5, r[:, 0] - 0.5
        fraction = max(0.0, a.mean().item()) / max(b.mean().item(), 1e-12)
        error = (a - fraction * b).std().item() / (math.sqrt(independent) * max(b.mean().item(), 1e-12))
        known = _p_value(r, independent) < SIGNIFICANT
        return cls(
            max(0.0, 1 - fraction) if known else None, error if known else None, _p_value(g, independent),
            g[:, 0].mean().item(), r[:, 0].mean().item(),
        )  # fmt: skip


class _Trial:
    """Splits of the test samples into moved ones and others.

    Images under affine maps: exp(tA/2) x against exp(-tA/2) x', both resampled once; others: g x against x'.
    """

    def __init__(self, space: Space, spans: Spans, symmetry: Symmetry, directions: Tensor) -> None:
        self.space = space
        self.spans = spans
        self.symmetry = symmetry
        self.directions = directions
        self.speeds = spans.speeds(symmetry, directions)
        self.draws = spans.draws(space.test.seed)
        self.detector = Detector(space.flat(space.decoded))
        available = len(space.order)
        self.disjoint = available >= 2 * SPLITS * DISJOINT
        rows = COSTLY_ROWS if symmetry.asks else ROWS
        self.size = min(rows, available // (2 * SPLITS) if self.disjoint else available // 2)
        self.independent = max(1.0, min(SPLITS, available / (2 * self.size)))

    def split(self, number: int) -> list[tuple[Tensor, Tensor]]:
        """AUCs under g and under r for each delta; the sign alternates, each split has its own draw of chance."""
        z = self._samples(number)
        sign = 1 - 2 * (number % 2)
        which = number % len(self.directions)
        wanted = [delta * self.space.spread for delta in DELTAS]
        found = self._orbits(Single(self.symmetry, sign * self.directions[which].to(z)), z)
        arrivals = found.together(wanted, max(wanted) / self.speeds[which].item())
        chance = self._orbits(Single(self.spans.candidates, sign * self.draws[number].to(z)), z)
        matched = chance.apart(torch.stack([one.distance for one in arrivals], 1), chance.speed())
        still = None if found.symmetric else self.space.decode(z[self.size :])
        return [
            (self._auc(a, still, number), self._auc(b, still, number)) for a, b in zip(arrivals, matched, strict=True)
        ]

    def _samples(self, number: int) -> Tensor:
        """The samples of a split: those to be moved and then the others."""
        order = self.space.order
        if self.disjoint:
            order = order[2 * self.size * number :]
        else:
            order = order[torch.randperm(len(order), generator=torch.Generator().manual_seed(number))]
        return self.space.test.samples.x[order[: 2 * self.size]]

    def _orbits(self, field: Single, z: Tensor) -> Orbits:
        moving = z if field.exact and isinstance(self.space.test.action, ImageAffine) else z[: self.size]
        return Orbits(self.space, field, moving, TOLERANCE)

    def _auc(self, arrival: Arrival, still: Tensor | None, seed: int) -> Tensor:
        """(1 + permutations,): the AUC for the true labels, then for permuted ones."""
        moved = arrival.decoded[0][: self.size]
        others = arrival.decoded[1][self.size :] if still is None else still
        return self.detector.aucs(self.space.flat(moved), self.space.flat(others), PERMUTATIONS, seed)


def _p_value(aucs: Tensor, independent: float) -> float:
    """That a mean AUC (splits, 1 + permutations) is chance: normal, moments by permutation, fitting included."""
    null = aucs[:, 1:]
    excess = (aucs[:, 0].mean() - null.mean()) / (null.std().clamp(min=1e-12) / math.sqrt(independent))
    return 0.5 * math.erfc(excess.item() / math.sqrt(2))


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
