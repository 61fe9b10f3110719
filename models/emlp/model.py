"""The equivariant MLP as a downstream model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.contracts import Linear, MatrixSymmetry, Model, Problem, Symmetry, Task, Unsuitable
from bench.contracts.model import Needs
from bench.contracts.problem import Kind
from bench.learning import STEPS, learn, problem_of
from bench.training import Schedule

from .group import Group
from .network import EquivariantMLP
from .tensors import T

__all__ = ["EMLP", "Scaled"]


class Scaled(nn.Module):
    """y -> shift + scale f(x / size), all three the same along a vector, so that f stays equivariant.

    Arguments:
        network: f, (B, D) -> (B, D').
        problem: of x and y.

    Attributes:
        size: of the coordinates of x, (D,).
        scale, shift: of those of y, (D',).
    """

    def __init__(self, network: nn.Module, problem: Problem) -> None:
        super().__init__()
        self.network = network
        self.shape = problem.outputs
        self.size: Tensor
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("size", torch.ones(problem.size))
        self.register_buffer("scale", torch.ones(problem.width))
        self.register_buffer("shift", torch.zeros(problem.width))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.shift + self.scale * self.network(x.flatten(1) / self.size)
        return y.reshape(len(x), *self.shape)


@dataclass(frozen=True)
class EMLP(Model):
    """An MLP whose every layer commutes with the matrices of a symmetry (Finzi et al., arXiv:2104.09459).

    Samples are vectors on which the action repeats a matrix, targets stay or move likewise. Without a symmetry all
    coordinates are scalars: a plain gated MLP.

    Arguments:
        width: coordinates of a hidden layer.
        depth: hidden layers.
        rank: highest rank of a hidden tensor.
        steps: at the standard budget.
        batch: samples a step.
        rate: highest learning rate.
        spread: relative error of the generators of a symmetry that does not tell it (`MatrixSymmetry.spread`); where
            their brackets show more, that counts.
        polish: move the generators to the nearest closed algebra first.
    """

    width: int = 128
    depth: int = 2
    rank: int = 1
    steps: int = STEPS
    batch: int = 128
    rate: float = 1e-2
    spread: float = 0.01
    polish: bool = False

    needs: ClassVar[Needs] = "matrices"
    problems: ClassVar[tuple[Kind, ...]] = ("classification", "regression")
    paper: ClassVar[str] = "https://arxiv.org/abs/2104.09459"

    def build(self, problem: Problem, symmetry: Symmetry | None) -> nn.Module:
        """Unsuitable if the symmetry has no matrices, or the samples or targets are no vectors of its base space."""
        group = self._group(symmetry)
        if group is None:
            group, into, out = Group(elements=torch.eye(1)[None]), problem.size * T(0), problem.width * T(0)
        else:
            into = (problem.size // group.n) * T(1)
            out = (problem.width // group.n) * T(1) if _target(problem) else problem.width * T(0)
        return Scaled(EquivariantMLP(group, into, out, self.width, self.depth, self.rank), problem)

    def fit(self, task: Task, symmetry: Symmetry | None) -> nn.Module:
        """The trained predictor x -> logits or target."""
        problem = problem_of(task)
        network = self.build(problem, symmetry)
        known = symmetry is not None and symmetry.K + symmetry.M > 0
        n = problem.action.n if known else 1
        assert isinstance(network, Scaled)
        assert task.train.y is not None
        network.size = _size(task.train.x.flatten(1), n)
        if problem.kind == "regression":
            y = task.train.y.reshape(len(task.train), -1)
            network.scale, network.shift = _units(y, n, known and _target(problem))
        return learn(network, task, Schedule(self.steps, self.batch, self.rate))

    def _group(self, symmetry: Symmetry | None) -> Group | None:
        if symmetry is None or symmetry.K + symmetry.M == 0:
            return None
        A = symmetry.matrices()
        if A is None or not isinstance(symmetry.action, Linear):
            raise Unsuitable(
                "emlp needs a symmetry with matrices on vectors; allowed are the actions linear and four_vector",
                "choose one with --action",
            )
        if not isinstance(symmetry, MatrixSymmetry):
            return Group(A, None, self.spread, self.polish)
        return Group(A, symmetry.elements, symmetry.spread or self.spread, self.polish)


def _target(problem: Problem) -> bool:
    """Whether targets are vectors that move with the samples; Unsuitable if they move in another way."""
    target = problem.action.target
    if problem.kind == "classification" or target is None:
        return False
    if isinstance(target, Linear) and target.n == problem.action.n:
        return True
    raise Unsuitable(f"targets move by {target!r}; emlp allows those that stay, or vectors like the samples")


def _size(x: Tensor, n: int) -> Tensor:
    """The root mean square of each vector of n components, on its components."""
    sizes: Tensor = x.square().reshape(len(x), -1, n).mean((0, 2)).sqrt().clamp(min=1e-12)
    return sizes.repeat_interleave(n)


def _units(y: Tensor, n: int, moves: bool) -> tuple[Tensor, Tensor]:
    """Scale and shift of targets (N, D'): sizes and 0 of vectors, deviations and means of scalars."""
    if moves:
        return _size(y, n), torch.zeros_like(y[0])
    return y.std(0).clamp(min=1e-12), y.mean(0)
