"""The method: its parameters, and the order of its stages."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.contracts import BenchError, MatrixSymmetry, Method, NoSymmetry, Samples, Symmetry, Task
from bench.lie import deviation

from .._adversarial import Critics, Features, Game, in_single, judge, play
from .._image_features import check_detail, features_for
from .._search_space import search_space
from .finite import generator_of
from .generators import Coefficients, Generators, drawn
from .proposals import Penalties, Proposals, principal, promote

__all__ = ["LieGAN"]

FEW = 2048
FIT = 8192
JUDGING = 0.25
ALONE = 0.5


@dataclass(frozen=True)
class LieGAN(Method):
    """Generators L_k such that critics cannot tell (g x, g y) from (x, y), g = exp(sum_k z_k L_k) with random z.

    Restarts play side by side. The one is taken that critics, trained on against generators at rest, tell apart least
    on validation samples, of those that move samples at all; if none does, nothing is found. Its channels are turned
    within their span so that what critics notice is not mixed into all of them, and judged alone. Those told apart by
    less than `most` are claimed; this is their score.

    With whole-numbered coefficients the answer is one finite element, exp(L) as an exact generator of the cyclic group
    that its powers make. As published, generators are free and may fall to the identity, against which `movement`
    works; with `unit` they cannot.

    Arguments:
        K: number of channels.
        coefficients: of z: `normal`, `uniform`, or `integers` (a finite group; K = 1, free generators).
        spread: deviation of normal coefficients, largest uniform one; one radian per unit for a rotation of all.
        grid: the largest whole number.
        unit: keep the fields of a restart orthonormal, at the deviation of the samples per unit.
        movement: weight of E |cos(x, g x)|.
        fourier: measure this movement between amplitudes of Fourier transforms, of images.
        size: weight of (|L_k| - 1)^2, for free generators.
        orthogonality: weight of cos(L_k, L_l)^2, for free generators.
        block: generators vanish outside of diagonal blocks of this size; 0: they do not.
        detail: critics see the principal components of images with at least this share of the largest variance.
        restarts: games played side by side.
        width: units of a critic's hidden layers.
        layers: hidden layers of a critic.
        steps: of the game; a quarter as many to judge, half as many for channels alone.
        batch: samples in a step.
        rate: the generators' highest learning rate.
        critic_rate: the critics'.
        least: least RMS displacement, in units of sqrt(2) times the deviation of the samples, not to stand still.
        most: Jensen-Shannon divergence in bits under which a channel is claimed.
    """

    K: int = 1
    coefficients: Coefficients = "normal"
    spread: float = 1.0
    grid: int = 3
    unit: bool = True
    movement: float = 0.0
    fourier: bool = False
    size: float = 0.0
    orthogonality: float = 0.0
    block: int = 0
    detail: float = 0.02
    restarts: int = 4
    width: int = 64
    layers: int = 2
    steps: int = 1000
    batch: int = 256
    rate: float = 0.01
    critic_rate: float = 0.003
    least: float = 0.1
    most: float = 0.005

    actions = ("linear", "four_vector", "image_affine")
    uses = frozenset({"labels"})
    paper = "https://arxiv.org/abs/2302.00236"

    def __post_init__(self) -> None:
        check_detail(self.detail)
        if self.coefficients not in ("normal", "uniform", "integers"):
            what = f"coefficients = {self.coefficients!r}; allowed are normal, uniform, integers"
            raise BenchError(what, "choose one of them", usage=True)
        if self.K < 1 or (self.finite and self.K > 1):
            what = f"K = {self.K}; allowed is at least 1, and 1 alone with coefficients = integers"
            raise BenchError(what, "choose another K", usage=True)

    @property
    def finite(self) -> bool:
        """Whether a finite element is looked for."""
        return self.coefficients == "integers"

    def discover(self, task: Task) -> Symmetry:
        draw = torch.Generator().manual_seed(task.seed)
        train, valid = in_single(task.train), in_single(task.valid)
        features = features_for(task.action, train, self.detail)
        space = search_space(task.action, train.x[:FEW], self.block)
        generators = Generators(space, self.restarts, self.K, unit=self.unit and not self.finite, size=1.0, draw=draw)
        proposals = self._proposals(task, generators, features, draw)
        critics = Critics(self.restarts, features.count, self.width, self.layers, draw).to(space)
        self._train(task, critics, proposals, train, draw)
        judged = judge(critics, proposals, train, valid, self._game(task.steps(round(JUDGING * self.steps))), draw)
        best = judged.best(self.least)
        if best is None:
            return NoSymmetry(task.action)
        channels, told = generators.coefficients()[best].detach(), judged.told[best : best + 1]
        if self.K > 1:
            channels = principal(critics, proposals, train[:FIT], best) @ channels
            told = self._told_alone(task, channels, space, features, draw)
        kept = told < self.most
        found = self._claimed(task, torch.einsum("kp,pij->kij", channels[kept], space), told[kept], train)
        if isinstance(found, MatrixSymmetry) and found.K == self.K == 1:
            passed = (judged.told < self.most) & (judged.moved >= self.least)
            found.spread = _spread(generators.matrices().detach(), passed, best)
        return found

    def _train(self, task: Task, critics: Critics, proposals: Proposals, train: Samples, draw: torch.Generator) -> None:
        """The whole game; with whole numbers in two halves, between which generators may be promoted."""
        steps = task.steps(self.steps)
        if self.finite:
            play(critics, proposals, train, self._game(steps - steps // 2), draw, task.progress)
            promote(critics, proposals, train[:FEW], self.grid)
            steps = steps // 2
        play(critics, proposals, train, self._game(max(1, steps)), draw, task.progress)

    def _told_alone(
        self, task: Task, channels: Tensor, space: Tensor, features: Features, draw: torch.Generator
    ) -> Tensor:
        """How far new critics tell each channel (K, P) alone, in half of the steps of the game, (K,)."""
        alone = Generators(space, self.K, 1, unit=False, size=1.0, draw=draw)
        alone.raw.data = channels[:, None]
        critics = Critics(self.K, features.count, self.width, self.layers, draw).to(space)
        proposals = self._proposals(task, alone, features, draw)
        game = self._game(task.steps(round(ALONE * self.steps)))
        return judge(critics, proposals, in_single(task.train), in_single(task.valid), game, draw).told

    def _claimed(self, task: Task, matrices: Tensor, told: Tensor, train: Samples) -> Symmetry:
        if not len(matrices):
            return NoSymmetry(task.action)
        if self.finite:
            element = generator_of(task.action, torch.linalg.matrix_exp(matrices[0]), train.x[:FEW])
            return MatrixSymmetry.of(task.action, matrices[:0], element[None].to(matrices))
        return MatrixSymmetry.of(task.action, matrices, scores=told)

    def _proposals(self, task: Task, generators: Generators, features: Features, draw: torch.Generator) -> Proposals:
        spread = self.grid if self.finite else self.spread
        weights = Penalties(self.movement, self.size, self.orthogonality, self.fourier)
        return Proposals(
            task.action, generators, lambda shape: drawn(self.coefficients, spread, shape, draw), features, weights
        )

    def _game(self, steps: int) -> Game:
        return Game(steps, self.batch, self.rate, self.critic_rate)


def _spread(matrices: Tensor, passed: Tensor, best: int) -> float:
    """How far the generator of the best restart is from those of others that passed, at norm 1, RMS; 0 without any."""
    others = [r for r in passed.nonzero()[:, 0].tolist() if r != best]
    return deviation(matrices[best].flatten(1), matrices[others].flatten(2)) if others else 0.0
