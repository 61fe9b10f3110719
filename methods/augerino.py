"""Augerino: the widths of random augmentations, learned with the network that they augment."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.contracts import Action, MatrixSymmetry, Method, NoSymmetry, Samples, Symmetry, Task, rms_speed
from bench.networks import ImageEncoder
from bench.training import Schedule, initialise, optimise

__all__ = ["Augerino"]

FEW = 1000
START, GROWN = 0.1, 0.2


class Augmented(nn.Module):
    """g^-1 f(g x) with g = exp(sum_a w_a e_a E_a), e uniform in [-1, 1]; where the target stays, f(g x).

    Arguments:
        network: f.
        basis: E_a (N, n, n), at RMS speed 1 over the samples: w_a is the largest displacement.
    """

    def __init__(self, network: nn.Module, action: Action, basis: Tensor) -> None:
        super().__init__()
        self.network, self.action, self.basis = network, action, basis
        self.raw = nn.Parameter(torch.full((len(basis),), math.log(math.expm1(START))).to(basis))

    @property
    def widths(self) -> Tensor:
        """w, (N,)."""
        return F.softplus(self.raw)

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """One augmented prediction for each sample: x (B, *s), e (B, N)."""
        A = torch.einsum("ba,a,aij->bij", noise, self.widths, self.basis)
        out: Tensor = self.network(self.action.act(torch.linalg.matrix_exp(A), x))
        if self.action.target is None:
            return out
        return self.action.target.act(torch.linalg.matrix_exp(-A), out)


@dataclass(frozen=True)
class Augerino(Method):
    """Augmentations as wide as the labels allow, learned together with the network that they augment.

    minimise E_x E_g loss(g^-1 f(g x), y) - `reward` sum_a min(w_a, `reach`) for f and the widths w of a box over the
    coefficients of a fixed basis. For images the paper's: translations, rotation, dilations, shear; for vectors
    E_ij - E_ji, E_ij + E_ji and E_ii. Nothing is
    found where no width has doubled. Without labels the target is the oracle's value. A generator outside of the axes
    of the basis is not found.

    Arguments:
        K: how many generators, the widest ones; None: all with at least `share` of the largest width.
        share: of the largest width.
        reward: of the widths.
        reach: width beyond which there is no reward, in standard deviations of the samples.
        width: units of the two hidden layers of f, or channels of a convolutional one for images.
        steps: of training.
        batch: samples in a step.
        rate: highest learning rate.
    """

    K: int | None = None
    share: float = 0.5
    reward: float = 0.05
    reach: float = 1.0
    width: int = 64
    steps: int = 3000
    batch: int = 256
    rate: float = 5e-3

    actions = ("linear", "image_affine", "four_vector")
    uses = frozenset({"labels", "oracle"})
    paper = "https://arxiv.org/abs/2010.11882"

    def discover(self, task: Task) -> Symmetry:
        train, valid = (with_targets(samples, task) for samples in (task.train, task.valid))
        x = train.x[:FEW]
        basis = paired(task.action).to(x)
        basis = basis / rms_speed(MatrixSymmetry.of(task.action, basis), x).clamp(min=1e-6)[:, None, None]
        spread = x.flatten(1).var(0).sum().sqrt()
        model = Augmented(self._network(train), task.action, basis * spread)
        initialise(model.network, task.seed)
        self._train(model, train, valid[:FEW], task)
        widths = model.widths.detach()
        order = widths.argsort(descending=True)
        kept = order[: self.K] if self.K is not None else order[widths[order] > self.share * widths.max()]
        if widths.max() < GROWN:
            return NoSymmetry(task.action)
        return MatrixSymmetry.of(task.action, model.basis[kept], scores=1 / widths[kept])

    def _network(self, train: Samples) -> nn.Module:
        assert train.y is not None
        outputs = int(train.y.max()) + 1 if train.y.dim() == 1 else train.y[0].numel()
        if train.x.dim() == 4:
            channels = max(1, self.width // 8)
            return ImageEncoder(train.x.shape[1:], outputs, channels, self.width, normalise=True).to(train.x)
        inputs = train.x[0].numel()
        layers = [nn.Flatten(), nn.Linear(inputs, self.width), nn.SiLU(), nn.Linear(self.width, self.width), nn.SiLU()]
        return nn.Sequential(*layers, nn.Linear(self.width, outputs)).to(train.x)

    def _train(self, model: Augmented, train: Samples, valid: Samples, task: Task) -> None:
        draw = torch.Generator().manual_seed(task.seed)

        def objective(some: Samples, generator: torch.Generator) -> Tensor:
            noise = 2 * torch.rand(len(some), len(model.basis), generator=generator) - 1
            out = model(some.x, noise.to(some.x))
            return misfit(out, some.y) - self.reward * model.widths.clamp(max=self.reach).sum()

        optimise(
            model,
            lambda index, _: objective(train[index], draw),
            lambda: objective(valid, torch.Generator().manual_seed(0)).item(),
            len(train), Schedule(task.steps(self.steps), self.batch, self.rate, patience=20), draw, task.progress,
        )  # fmt: skip


def misfit(out: Tensor, y: Tensor | None) -> Tensor:
    """Cross entropy for classes (B,), mean square error for targets (B, m) in units of their mean square."""
    assert y is not None
    if y.dim() == 1:
        return F.cross_entropy(out, y)
    return (out - y.flatten(1)).square().sum() / y.square().sum()


def with_targets(samples: Samples, task: Task) -> Samples:
    """The samples with their labels; without labels, with the oracle's value, its mean taken away."""
    y = samples.y
    if y is None:
        oracle = task.need("oracle")
        with torch.no_grad():
            y = torch.cat([oracle(part) for part in torch.split(samples.x, FEW)])
    if y.is_floating_point():
        y = y.reshape(len(y), -1)
        return Samples(samples.x, y if task.action.target else (y - y.mean(0)) / y.std(0).clamp(min=1e-6))
    return Samples(samples.x, y.long())


def paired(action: Action) -> Tensor:
    """E_ij - E_ji, E_ij + E_ji and E_ii; for images translations, rotation, dilations and shear: (N, n, n)."""
    n = action.n
    one = torch.eye(n * n).reshape(n, n, n, n)
    size = 2 if action.kind == "image_affine" else n
    turns = [one[i, j] - one[j, i] for i in range(size) for j in range(i)]
    shears = [one[i, j] + one[j, i] for i in range(size) for j in range(i)]
    stretches = [one[i, i] for i in range(size)]
    shifts = [one[i, 2] for i in range(size)] if action.kind == "image_affine" else []
    return torch.stack(turns + shears + stretches + shifts)
