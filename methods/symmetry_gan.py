"""SymmetryGAN: single maps that a discriminator cannot tell from the identity."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.contracts import Action, BenchError, MatrixSymmetry, Method, NoSymmetry, Samples, Symmetry, Task

from ._adversarial import Critics, Features, Game, Judged, Player, distance, in_single, judge, play, repeated
from ._image_features import check_detail, features_for
from ._search_space import search_space

__all__ = ["SymmetryGAN"]

FEW = 2048
JUDGING = 0.25
START = 2**0.5
PUSH = 10.0


class Maps(Player):
    """R maps g = 1 + sum_p c_p E_p, each of which moves all samples.

    Arguments:
        space: E_p, (P, n, n).
        count: R.
        order: q, of which g^q = 1 is asked; 0: of none.
        cyclic: weight of |g^q - 1|^2.
        away: the displacement, as `Judged.moved`, below which maps are pushed from the identity.
        draw: generator of the first maps, which move samples as far as independent ones are apart.
    """

    def __init__(
        self, action: Action, space: Tensor, count: int, features: Features, *, order: int, cyclic: float,
        away: float, draw: torch.Generator,
    ) -> None:  # fmt: skip
        super().__init__()
        self.action, self.space, self.features = action, space, features
        self.order, self.cyclic, self.away = order, cyclic, away
        start = torch.randn(count, len(space), generator=draw).to(space)
        self.raw = nn.Parameter(START * start / start.norm(dim=1, keepdim=True))

    def elements(self) -> Tensor:
        """g, (R, n, n)."""
        return torch.eye(self.action.n).to(self.space) + torch.einsum("rp,pij->rij", self.raw, self.space)

    def still(self, samples: Samples) -> Tensor:
        seen = self.features(samples.x, None)
        return seen.expand(len(self.raw), *seen.shape)

    def moved(self, samples: Samples) -> Tensor:
        R, B = len(self.raw), len(samples)
        g = self.elements().repeat_interleave(B, 0)
        seen = self.features(self.action.act(g, repeated(samples.x, R)), None)
        return seen.reshape(R, B, -1)

    def penalty(self, samples: Samples, moved: Tensor) -> Tensor:
        near = (self.away - distance(self.still(samples), moved)).clamp(min=0)
        total: Tensor = PUSH * near.square().sum()
        if self.order:
            off: Tensor = torch.linalg.matrix_power(self.elements(), self.order) - torch.eye(self.action.n).to(moved)
            total = total + self.cyclic * off.square().sum()
        return total


@dataclass(frozen=True)
class SymmetryGAN(Method):
    """Maps g of the action's group such that critics cannot tell g x from x; labels are not looked at.

    Restarts play side by side. Claimed as finite elements are the maps that move samples, that are told apart by less
    than `most` on validation samples, and that are not the same as a better one.

    Arguments:
        restarts: maps that are trained.
        order: q; with it |g^q - 1|^2 is added to the loss; 0: any order.
        cyclic: weight of this term.
        away: RMS displacement below which a map is pushed away, in units of sqrt(2) times the deviation of the samples.
        detail: critics see the principal components of images with at least this share of the largest variance.
        width: units of a critic's hidden layers.
        layers: hidden layers of a critic.
        steps: of the game; a quarter as many to judge.
        batch: samples in a step.
        rate: the maps' highest learning rate.
        critic_rate: the critics'.
        least: least RMS distance of two different maps, in units of sqrt(2) times the deviation of the samples.
        most: Jensen-Shannon divergence in bits under which a map is claimed.
    """

    restarts: int = 8
    order: int = 0
    cyclic: float = 1.0
    away: float = 0.6
    detail: float = 0.02
    width: int = 64
    layers: int = 2
    steps: int = 1000
    batch: int = 128
    rate: float = 0.03
    critic_rate: float = 0.003
    least: float = 0.1
    most: float = 0.005

    actions = ("linear", "four_vector", "image_affine")
    uses = frozenset()
    paper = "https://arxiv.org/abs/2112.05722"

    def __post_init__(self) -> None:
        check_detail(self.detail)
        if self.order < 0 or self.restarts < 1:
            what = f"order = {self.order}, restarts = {self.restarts}; allowed are at least 0 and 1"
            raise BenchError(what, "for example order=2 restarts=8", usage=True)

    def discover(self, task: Task) -> Symmetry:
        draw = torch.Generator().manual_seed(task.seed)
        train, valid = in_single(task.train.unlabelled()), in_single(task.valid.unlabelled())
        features = features_for(task.action, train, self.detail)
        space = search_space(task.action, train.x[:FEW])
        maps = Maps(
            task.action, space, self.restarts, features, order=self.order, cyclic=self.cyclic, away=self.away, draw=draw
        )
        critics = Critics(self.restarts, features.count, self.width, self.layers, draw).to(space)
        steps, judging = task.steps(self.steps), task.steps(round(JUDGING * self.steps))
        play(critics, maps, train, Game(steps, self.batch, self.rate, self.critic_rate), draw, task.progress)
        game = Game(judging, self.batch, self.rate, self.critic_rate)
        return self._claimed(maps, judge(critics, maps, train, valid, game, draw), valid[:FEW])

    def _claimed(self, maps: Maps, judged: Judged, valid: Samples) -> Symmetry:
        """The maps that pass, the best first, none twice."""
        with torch.no_grad():
            seen, elements = maps.moved(valid), maps.elements()
        claimed: list[int] = []
        for r in judged.told.argsort().tolist():
            apart = [distance(seen[k : k + 1], seen[r : r + 1]) for k in claimed]
            if judged.told[r] < self.most and all(far >= self.least for far in [judged.moved[r], *apart]):
                claimed.append(r)
        if not claimed:
            return NoSymmetry(maps.action)
        return MatrixSymmetry.of(maps.action, elements[:0], elements[claimed])
