"""The method: its parameters, and the order of its stages."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.contracts import Action, BenchError, Linear, MatrixSymmetry, Method, NoSymmetry, Pairs, Symmetry, Task
from bench.training import Schedule, initialise, optimise

from .fields import PairedFields
from .linear import change_of_density, coarse, fit_generators, missed

__all__ = ["SupervisedMLP"]

FEW = 2048
IMAGES = 256
FEWEST = 100
ITERATIONS = 60
HELD_OUT = 5


@dataclass(frozen=True)
class SupervisedMLP(Method):
    """Supervised: fields whose flow takes x to g x on labelled pairs, and keeps the density of unlabelled samples.

    v(u) = L u + n(u) in whitened samples u: first L alone, by least squares over its finite map exp(t L), then the
    network n, kept only where it is better on a fifth of the pairs. The finite map is the flow at t = `coefficient`.
    Where the action has matrices, L is all there is.

    Arguments:
        labelled_fraction: share of the training samples that come as pairs.
        coefficient: how far g moves along a true generator; for rotations in radians.
        consistency: price of a change of density on unlabelled samples, in pairs; 0: they are not used.
        unlabelled: how many unlabelled samples are used.
        width: units of the hidden layers of n.
        steps: of the training of n; 0: none.
        batch: pairs in a step.
        rate: highest learning rate.
        decay: weight decay.
    """

    labelled_fraction: float = 1.0
    coefficient: float = math.pi / 6
    consistency: float = 100.0
    unlabelled: int = 20_000
    width: int = 128
    steps: int = 2000
    batch: int = 256
    rate: float = 2e-3
    decay: float = 1e-2

    actions = ("field", "linear", "image_affine", "four_vector")
    uses = frozenset({"pairs"})

    def __post_init__(self) -> None:
        if not 0 < self.labelled_fraction <= 1:
            what = f"labelled_fraction = {self.labelled_fraction}; allowed is more than 0 and at most 1"
            raise BenchError(what, "for example 0.01")

    def discover(self, task: Task) -> Symmetry:
        if task.pairs is None:
            raise BenchError("supervised_mlp needs labelled pairs and the task has none", "choose a track with a truth")
        pairs = task.pairs(self.labelled_fraction, self.coefficient)
        if not pairs.coefficient.shape[1]:
            return NoSymmetry(task.action)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(task.seed)
            return self._fields(task, pairs) if task.action.kind == "field" else self._matrices(task, pairs)

    def _matrices(self, task: Task, pairs: Pairs) -> Symmetry:
        L = self._generators(task.action, pairs, task.train.x)
        found = MatrixSymmetry.of(task.action, L)
        score = missed(found.transform(pairs.x, pairs.coefficient), pairs)
        return MatrixSymmetry.of(task.action, L, scores=score.expand(len(L)))

    def _generators(self, action: Action, pairs: Pairs, unlabelled: Tensor) -> Tensor:
        """L (K, n, n) of the best finite map; an image says enough by itself, its density is not asked."""
        basis = action.candidates(pairs.x[:1]).matrices()
        assert basis is not None
        form = torch.zeros(len(basis), len(basis))
        if self.consistency and action.kind != "image_affine":
            form = change_of_density(basis, action, unlabelled[: self.unlabelled]) * self.consistency / len(basis)
        some, start = first(pairs, FEW), None
        if action.kind == "image_affine":  # where peaks do not overlap, nothing says in which direction they are
            some = first(pairs, IMAGES)
            start = fit_generators(action, basis, coarse(some), form, steps=ITERATIONS)
        c = fit_generators(action, basis, some, form, steps=ITERATIONS, start=start)
        return torch.einsum("ka,aij->kij", c, basis.to(pairs.x))

    def _fields(self, task: Task, pairs: Pairs) -> Symmetry:
        symmetry = PairedFields(task.action, pairs.coefficient.shape[1], self.width)
        initialise(symmetry, task.seed)
        symmetry.fit_whitening(task.train.x)
        symmetry.to(pairs.x)
        white = Pairs(symmetry.whiten(pairs.x), symmetry.whiten(pairs.moved), pairs.coefficient)
        u = symmetry.whiten(task.train.x)
        symmetry.start(self._generators(Linear(u.shape[1:]), white, u))
        score = self._bend(task, symmetry, white)
        symmetry.scores = score.expand(symmetry.K).clone()
        return symmetry.requires_grad_(False)

    def _bend(self, task: Task, symmetry: PairedFields, pairs: Pairs) -> Tensor:
        """Train the network, there and back, and keep it if it is better on pairs held out: what is missed there."""
        held = max(1, len(pairs.x) // HELD_OUT)
        known, unseen = last(pairs, len(pairs.x) - held), first(pairs, held)

        def miss(some: Pairs) -> Tensor:
            """Pairs both ways: the field at x alone is biased towards the chord from x to g x."""
            there = missed(symmetry.step(some.x, some.coefficient), some)
            back = Pairs(some.moved, some.x, -some.coefficient)
            return (there + missed(symmetry.step(back.x, back.coefficient), back)) / 2

        with torch.no_grad():
            before = miss(unseen)
        if not self.steps or len(known.x) < FEWEST:
            return before
        start = {name: value.clone() for name, value in symmetry.state_dict().items()}
        schedule = Schedule(task.steps(self.steps), self.batch, self.rate, self.decay)
        draw = torch.Generator().manual_seed(task.seed)
        best = optimise(
            symmetry, lambda index, _: miss(at(known, index)), lambda: miss(unseen).item(),
            len(known.x), schedule, draw, task.progress,
        )  # fmt: skip
        if best >= before:
            symmetry.load_state_dict(start)
        return before.clamp(max=best)


def at(pairs: Pairs, index: Tensor) -> Pairs:
    """The pairs of these numbers."""
    return Pairs(pairs.x[index], pairs.moved[index], pairs.coefficient[index])


def first(pairs: Pairs, count: int) -> Pairs:
    """The first `count` pairs."""
    return Pairs(pairs.x[:count], pairs.moved[:count], pairs.coefficient[:count])


def last(pairs: Pairs, count: int) -> Pairs:
    """The last `count` pairs."""
    start = len(pairs.x) - count
    return Pairs(pairs.x[start:], pairs.moved[start:], pairs.coefficient[start:])
