"""Metric: one run -> numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from bench.contracts.action import Action
from bench.contracts.representation import View
from bench.contracts.samples import Samples

__all__ = ["HeldOut", "Metric"]


@dataclass(frozen=True)
class HeldOut:
    """What a symmetry is scored on.

    Arguments:
        samples: the test split in the track's view, z = E(x), with labels.
        reference: training samples in the view, for scales, covariances and the basis of chance.
        action: the track's action, in the view.
        view: x <-> z; scores compare in data space, at D(z).
        seed: of the test's own random draws; the same for all methods.
    """

    samples: Samples
    reference: Samples
    action: Action
    view: View
    seed: int

    def decode(self, z: Tensor) -> Tensor:
        """D(z)."""
        return self.view.decode(z)


class Metric(ABC):
    """Scores one run.

    Class variables:
        version: raised when the meaning changes; stored records are then scored again.
        actions: the kinds of action that it scores; `()`: all of them. Other runs are not scored, and not stale.
        asks: keyword arguments of `score`, of: symmetry, truth, oracle, test (HeldOut), scores (what the metrics
            without `scores` found); or of: predictor, problem, truth, test, scores. A metric that asks for a predictor
            scores runs with a model, any other runs without.
    """

    version: ClassVar[int]
    actions: ClassVar[tuple[str, ...]] = ()
    asks: ClassVar[frozenset[str]]

    @abstractmethod
    def score(self, **asked: Any) -> dict[str, float | None]:
        """Flat name -> number; None where the score does not apply."""

    def facts(self, **asked: Any) -> dict[str, str]:
        """What it has found in words, by name, for the readers of the record."""
        return {}
