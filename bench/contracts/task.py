"""Task: what a method or a model may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, overload

from torch import Tensor

from bench.contracts.action import Action
from bench.contracts.oracle import Oracle
from bench.contracts.problem import Problem
from bench.contracts.samples import Progress, Samples, silent
from bench.contracts.symmetry import Symmetry
from bench.errors import BenchError

__all__ = ["PairSource", "Pairs", "Task"]

NEEDS = {
    "oracle": ("an oracle", "choose an --oracle"),
    "pairs": ("labelled pairs", "choose a track with a truth"),
}


@dataclass(frozen=True)
class Pairs:
    """Labelled pairs (x, g x) with the coefficient of g along the truth, shapes (N, *s), (N, *s), (N, K)."""

    x: Tensor
    moved: Tensor
    coefficient: Tensor


class PairSource(Protocol):
    """Makes labelled pairs of training samples."""

    def __call__(self, fraction: float, coefficient: float | None = None) -> Pairs:
        """The pairs of this fraction of the training samples, the first ones; in a view (E(x), E(g x)).

        Arguments:
            fraction: in (0, 1].
            coefficient: every pair moves by so much along one generator, chosen at random; None: by coefficients
                uniform in [-pi, pi] along all of them.
        """


@dataclass(frozen=True)
class Task:
    """Samples, action, and what the method declared in `uses`; never the test split.

    Arguments:
        train, valid: samples in the track's view; labels only if `"labels"` is declared. They set device and dtype.
        action: the action to search in.
        seed: the seed of everything random in the method.
        oracle: phi on the view, with `"oracle"`.
        pairs: makes labelled pairs, with `"pairs"`.
        truth: the true symmetry, with `"truth"`: for controls alone.
        problem: what a downstream model is to learn; None for a method.
        effort: the budget, as a multiple of the standard one.
        progress: tell it (step, steps, loss).
    """

    train: Samples
    valid: Samples
    action: Action
    seed: int
    oracle: Oracle | None = None
    pairs: PairSource | None = None
    truth: Symmetry | None = None
    problem: Problem | None = None
    effort: float = 1.0
    progress: Progress = silent

    @overload
    def need(self, what: Literal["oracle"]) -> Oracle: ...
    @overload
    def need(self, what: Literal["pairs"]) -> PairSource: ...
    def need(self, what: Literal["oracle", "pairs"]) -> Oracle | PairSource:
        """The oracle, or the source of pairs; BenchError if the task has none."""
        found: Oracle | PairSource | None = getattr(self, what)
        if found is None:
            name, hint = NEEDS[what]
            raise BenchError(f"the method needs {name} and the task has none", hint)
        return found

    def steps(self, standard: int) -> int:
        """How many steps the budget allows where `standard` are taken at the standard budget."""
        return max(1, round(standard * self.effort))
