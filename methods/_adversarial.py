"""What methods that play against a discriminator share: critics side by side, the game, and its judgement."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.contracts import Progress, Samples, silent

__all__ = [
    "Critics", "Features", "Game", "Judged", "Player", "Stacked", "distance", "in_single", "judge", "play",
    "repeated", "told_apart",
]  # fmt: skip

SLOPE = 0.2
MOMENTA = (0.5, 0.99)
SLOWEST = 0.1
NULL = 1e-2
BY_HEART = 0.05
TINY = 1e-12


class Stacked(nn.Module):
    """R networks of equal shape, each layer one batched product: (R, B, first size) -> (R, B, last size).

    Arguments:
        count: R.
        sizes: of all layers, the input first.
        draw: generator of the initial weights.
    """

    def __init__(self, count: int, sizes: Sequence[int], draw: torch.Generator) -> None:
        super().__init__()
        shapes = list(pairwise(sizes))
        gains = [2.0] * (len(shapes) - 1) + [1.0]
        self.weights = nn.ParameterList(
            [
                torch.randn(count, a, b, generator=draw) * math.sqrt(gain / a)
                for (a, b), gain in zip(shapes, gains, strict=True)
            ]
        )
        self.biases = nn.ParameterList([torch.zeros(count, 1, b) for _, b in shapes])

    def forward(self, features: Tensor) -> Tensor:
        hidden = features
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if layer:
                hidden = F.leaky_relu(hidden, SLOPE)
            if weight.shape[2] == 1:  # a batched product with a column is slow backwards
                hidden = (hidden * weight.mT).sum(2, keepdim=True) + bias
            else:
                hidden = torch.baddbmm(bias, hidden, weight)
        return hidden


class Critics(Stacked):
    """R discriminators: features (R, B, F) -> logits (R, B).

    Arguments:
        inputs: F.
        width, layers: units of a hidden layer, and how many of these.
    """

    def __init__(self, count: int, inputs: int, width: int, layers: int, draw: torch.Generator) -> None:
        super().__init__(count, [inputs, *[width] * layers, 1], draw)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features)[..., 0]


class Features:
    """What critics see of samples and labels: flattened and standardised, classes as unit vectors.

    A unit vector times a critic's first weights is an embedding of the class that the critic learns.

    Arguments:
        samples: they set all scales and the number of classes; labels in whole numbers are classes.
        parts: blocks of a sample whose products x_i x_j are seen too, whitened within each block and damped at 1 % of
            the largest deviation, so that a quadratic relation between them is in plain sight; 0: none.
    """

    def __init__(self, samples: Samples, parts: int = 0) -> None:
        y = samples.y
        self.parts = parts
        self.classes = int(y.max()) + 1 if y is not None and not y.is_floating_point() else 0
        self.mean, self.scale = _standard(self._flat(samples.x, y))
        if parts:
            products = self._products(samples.x)
            self.centre = products.mean(0)
            values, axes = torch.linalg.eigh(_covariance(products - self.centre))
            spread = values.clamp(min=0).sqrt()
            self.whitening = (axes / (spread + NULL * spread[:, -1:])[:, None]).to(products)
        self.count = self(samples.x[:1], None if y is None else y[:1]).shape[1]

    def __call__(self, x: Tensor, y: Tensor | None) -> Tensor:
        """(B, *s) and (B,), (B, *t) or None -> (B, F)."""
        seen = (self._flat(x, y) - self.mean) * self.scale
        if not self.parts:
            return seen
        products = torch.einsum("bpq,pqr->bpr", self._products(x) - self.centre, self.whitening)
        return torch.cat([seen, products.flatten(1)], 1)

    def _flat(self, x: Tensor, y: Tensor | None) -> Tensor:
        if y is None:
            return x.flatten(1)
        label = F.one_hot(y, self.classes).to(x) if self.classes else y.reshape(len(y), -1)
        return torch.cat([x.flatten(1), label], 1)

    def _products(self, x: Tensor) -> Tensor:
        """The products x_i x_j, i <= j, of each block: (B, *s) -> (B, parts, n (n + 1) / 2)."""
        blocks = x.reshape(len(x), self.parts, -1)
        i, j = torch.triu_indices(blocks.shape[2], blocks.shape[2])
        return blocks[..., i] * blocks[..., j]


@dataclass(frozen=True)
class Game:
    """How long and how fast both sides learn.

    Arguments:
        steps: of both sides.
        batch: samples of either kind in a step.
        rate: the players' highest learning rate; both rates fall along a cosine, the critics' to a tenth.
        critic_rate: the critics'.
    """

    steps: int
    batch: int
    rate: float
    critic_rate: float

    def factor(self, step: int) -> float:
        """The share of the highest rates."""
        return 0.5 * (1 + math.cos(math.pi * step / self.steps))


class Player(nn.Module, ABC):
    """R generators side by side that move samples so that critics cannot tell.

    Class variables:
        bends: whether they also change how samples are seen that are not moved; then E log(1 - D(x)) counts for them.
    """

    bends: ClassVar[bool] = False

    @abstractmethod
    def still(self, samples: Samples) -> Tensor:
        """What critics see of B samples as they are, (R, B, F)."""

    @abstractmethod
    def moved(self, samples: Samples) -> Tensor:
        """What critics see of B samples once each generator has moved them, (R, B, F)."""

    @abstractmethod
    def penalty(self, samples: Samples, moved: Tensor) -> Tensor:
        """What is added to the generators' loss, a scalar; `moved`: these samples as critics see them once moved."""


def play(
    critics: Critics, player: Player, samples: Samples, game: Game, draw: torch.Generator, progress: Progress = silent,
    *, learns: bool = True,
) -> None:  # fmt: skip
    """Critics maximise E log D(x) + E log(1 - D(g x)), generators E log D(g x) less their penalty, in turns.

    Generators circle about where the game is even, and end at their mean over its last third; not so those that bend,
    as a mean of networks is another network.

    Arguments:
        learns: whether the generators learn too, or rest.

    Source: Goodfellow et al., arXiv:1406.2661, eq. 1, with the generator's loss of its section 3; the mean:
    Yazici et al., arXiv:1806.04498.
    """
    moving = list(player.parameters())
    against = torch.optim.Adam(critics.parameters(), game.critic_rate, MOMENTA)
    towards = torch.optim.Adam(moving, game.rate, MOMENTA)
    means = [] if player.bends or not learns else [torch.zeros_like(value) for value in moving]
    for step in range(game.steps):
        one, other, third = (samples[i] for i in torch.randint(len(samples), (3, game.batch), generator=draw))
        against.param_groups[0]["lr"] = game.critic_rate * max(SLOWEST, game.factor(step))
        with torch.no_grad():
            seen, made = player.still(one), player.moved(other)
        told = told_apart(critics, seen, made)
        against.zero_grad()
        torch.autograd.backward(-told.sum())
        against.step()
        progress(step + 1, game.steps, told.mean().item())
        if learns:
            towards.param_groups[0]["lr"] = game.rate * game.factor(step)
            made = player.moved(third)
            loss = F.softplus(-critics(made)).mean(1).sum() + player.penalty(third, made)
            if player.bends:
                loss = loss + F.softplus(critics(player.still(one))).mean(1).sum()
            towards.zero_grad()
            torch.autograd.backward(loss, inputs=moving)
            towards.step()
            for mean, value in zip(means, moving, strict=False):
                mean.lerp_(value.detach(), 1 / max(1, step + 1 - 2 * game.steps // 3))
    for mean, value in zip(means, moving, strict=False):
        value.data.copy_(mean)


def told_apart(critics: Critics, real: Tensor, fake: Tensor) -> Tensor:
    """1 + E log2 D(real) / 2 + E log2(1 - D(fake)) / 2, (R,): a lower bound of the Jensen-Shannon divergence in bits.

    0 or less: not told apart; 1: always.
    """
    lost = F.softplus(-critics(real)).mean(1) + F.softplus(critics(fake)).mean(1)
    return 1 - lost / (2 * math.log(2))


@dataclass(frozen=True)
class Judged:
    """How R generators fare.

    Arguments:
        told: Jensen-Shannon divergence in bits that the critics reach, at least 0, (R,).
        moved: the `distance` of samples moved and at rest, (R,).
    """

    told: Tensor
    moved: Tensor

    def best(self, least: float) -> int | None:
        """Of those that move samples by at least `least`, the one told apart least; None if all stand still."""
        told = torch.where(self.moved >= least, self.told, torch.inf)
        return int(told.argmin()) if told.isfinite().any() else None


def judge(
    critics: Critics, player: Player, train: Samples, valid: Samples, game: Game, draw: torch.Generator
) -> Judged:
    """Critics learn on against generators at rest; then they are asked about samples that they have not seen.

    They are asked about training samples as well. If they tell more than 0.05 bits there, they may have learned them by
    heart, and that they are blind to others says nothing for a generator: what is more counts.
    """
    play(critics, player, train, game, draw, learns=False)
    known = train[torch.randperm(len(train), generator=draw)[: len(valid)]]
    told = []
    with torch.no_grad():
        for samples in (known, valid):
            half = len(samples) // 2
            one, other = samples[:half], samples[half:]
            before, after = player.still(other), player.moved(other)
            told.append(told_apart(critics, player.still(one), after))
        by_heart, told_of_others = told
        return Judged(torch.maximum(told_of_others, by_heart - BY_HEART).clamp(min=0), distance(before, after))


def distance(one: Tensor, other: Tensor) -> Tensor:
    """RMS distance of samples seen in two ways in units of sqrt(2) times the deviation of the first; independent: 1.

    (R, B, F) and (R, B, F) -> (R,)
    """
    square = (other - one).square().sum(-1).mean(1) / (2 * one.var(1).sum(-1))
    return square.clamp(min=TINY).sqrt()


def in_single(samples: Samples) -> Samples:
    """The same samples in float32, in which the game is played; classes stay whole numbers."""
    y = samples.y
    return Samples(samples.x.float(), y.float() if y is not None and y.is_floating_point() else y)


def repeated(values: Tensor, times: int) -> Tensor:
    """(B, *s) -> (times B, *s), the whole again and again."""
    return values.expand(times, *values.shape).reshape(times * len(values), *values.shape[1:])


def _standard(values: Tensor) -> tuple[Tensor, Tensor]:
    """Means and inverse deviations of columns; columns that do not vary are ignored."""
    spread = values.std(0)
    return values.mean(0), torch.where(spread > 1e-6 * spread.max(), 1 / spread, 0)


def _covariance(products: Tensor) -> Tensor:
    """Within each block, in double precision: (N, P, Q) -> (P, Q, Q)."""
    exact = products.double()
    return torch.einsum("npq,npr->pqr", exact, exact) / len(exact)
