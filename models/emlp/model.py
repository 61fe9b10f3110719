"""The equivariant MLP as a downstream model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.contracts import Action, BenchError, Linear, MatrixSymmetry, Model, Symmetry, Task
from bench.training import Schedule, initialise, optimise

from .group import Group
from .network import EquivariantMLP
from .tensors import T

__all__ = ["EMLP", "Scaled"]


class Scaled(nn.Module):
    """y -> shift + scale f(x / size), all three the same along a vector, so that f stays equivariant.

    Arguments:
        network: f, (B, D) -> (B, D').
        size: of the coordinates of x, (D,).
        scale, shift: of those of y, (D',).
        shape: of one y.
    """

    def __init__(self, network: nn.Module, size: Tensor, scale: Tensor, shift: Tensor, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.network = network
        self.shape = shape
        self.size: Tensor
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("size", size)
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.shift + self.scale * self.network(x.flatten(1) / self.size)
        return y.reshape(len(x), *self.shape)


@dataclass(frozen=True)
class EMLP(Model):
    """An MLP whose every layer commutes with the matrices of a symmetry (Finzi et al., arXiv:2104.09459).

    Samples are vectors on which the action repeats a matrix, targets stay or move likewise. Labels of integers are
    classes, others are fitted by least squares. Without a symmetry all coordinates are scalars: a plain gated MLP.

    Arguments:
        width: coordinates of a hidden layer.
        depth: hidden layers.
        rank: highest rank of a hidden tensor.
        steps: at the standard budget.
        batch: samples a step.
        rate: highest learning rate.
        spread: relative error of the generators, where their brackets do not show more.
        polish: move the generators to the nearest closed algebra first.
    """

    width: int = 128
    depth: int = 2
    rank: int = 2
    steps: int = 3000
    batch: int = 250
    rate: float = 3e-3
    spread: float = 0.01
    polish: bool = False

    needs: ClassVar[str] = "matrices"
    problem: ClassVar[str] = "regression"
    paper: ClassVar[str] = "https://arxiv.org/abs/2104.09459"

    def fit(self, task: Task, symmetry: Symmetry | None) -> nn.Module:
        """The trained predictor x -> logits or target.

        BenchError if the symmetry has no matrices, or the samples or targets are no vectors of its base space.
        """
        if task.train.y is None or task.valid.y is None:
            raise BenchError("emlp learns from labels and the task has none", "choose a data set with labels")
        group = self._group(symmetry)
        n = group.n if group else 1
        classes = 0 if task.train.y.is_floating_point() else int(max(task.train.y.max(), task.valid.y.max())) + 1
        x, y = task.train.x.flatten(1), task.train.y
        target = _target(task.action) if group and not classes else None
        into = (x.shape[1] // n) * T(1) if group else x.shape[1] * T(0)
        width = classes or y[0].numel()
        out = (width // n) * T(1) if target else width * T(0)
        network = Scaled(
            EquivariantMLP(group or Group(elements=torch.eye(1)[None]), into, out, self.width, self.depth, self.rank),
            _size(x, n),
            *_units(y, n if target else 0, classes),
            (classes,) if classes else tuple(y.shape[1:]),
        ).to(x)
        self._train(network, task, classes)
        return network

    def _group(self, symmetry: Symmetry | None) -> Group | None:
        if symmetry is None or symmetry.K + symmetry.M == 0:
            return None
        A = symmetry.matrices()
        if A is None or not isinstance(symmetry.action, Linear):
            raise BenchError(
                "emlp needs a symmetry with matrices on vectors; allowed are the actions linear and four_vector",
                "choose one with --action",
            )
        elements = symmetry.elements if isinstance(symmetry, MatrixSymmetry) else None
        return Group(A, elements, self.spread, self.polish)

    def _train(self, network: Scaled, task: Task, classes: int) -> None:
        initialise(network, task.seed)
        schedule = Schedule(task.steps(self.steps), self.batch, self.rate)
        x, y = task.train.x, task.train.y
        assert y is not None

        def loss(x: Tensor, y: Tensor) -> Tensor:
            if classes:
                return F.cross_entropy(network(x), y)
            off: Tensor = (network(x) - y) / network.scale.reshape(network.shape)
            return off.square().mean()

        def valid_loss() -> float:
            assert task.valid.y is not None
            return loss(task.valid.x, task.valid.y.to(y)).item()

        optimise(
            network, lambda index, _: loss(x[index], y[index]), valid_loss, len(x), schedule,
            torch.Generator().manual_seed(task.seed), task.progress,
        )  # fmt: skip


def _target(action: Action) -> bool:
    """Whether targets are vectors that move with the samples; BenchError if they move in another way."""
    if action.target is None:
        return False
    if isinstance(action.target, Linear) and action.target.n == action.n:
        return True
    raise BenchError(f"targets move by {action.target!r}; emlp allows those that stay, or vectors like the samples")


def _size(x: Tensor, n: int) -> Tensor:
    """The root mean square of each vector of n components, on its components."""
    sizes: Tensor = x.square().reshape(len(x), -1, n).mean((0, 2)).sqrt().clamp(min=1e-12)
    return sizes.repeat_interleave(n)


def _units(y: Tensor, n: int, classes: int) -> tuple[Tensor, Tensor]:
    """Scale and shift of the targets: sizes and 0 of vectors, deviations and means of scalars, 1 and 0 of logits."""
    if classes:
        return torch.ones(classes), torch.zeros(classes)
    flat = y.flatten(1) if y.dim() > 1 else y[:, None]
    if n:
        return _size(flat, n), torch.zeros(flat.shape[1])
    return flat.std(0).clamp(min=1e-12), flat.mean(0)
