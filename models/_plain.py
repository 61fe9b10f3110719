"""What the plain baselines share: they are trained along a symmetry by augmentation, or without one."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.augmentation import Augmentation
from bench.contracts import Model, Problem, Symmetry, Task, Unsuitable
from bench.contracts.model import Needs
from bench.contracts.problem import Kind
from bench.learning import STEPS, learn, problem_of
from bench.training import Schedule

__all__ = ["Plain", "Standardised", "image_shape"]

ROUNDING = 1e-5


class Standardised(nn.Module):
    """y -> shift + scale f((x - mean) / size): x by channel if it is an image (C, H, W), else by coordinate.

    Arguments:
        network: f, (B, *s) -> (B, D').
        problem: of x and y.
    """

    def __init__(self, network: nn.Module, problem: Problem) -> None:
        super().__init__()
        self.network = network
        self.outputs = problem.outputs
        image = len(problem.shape) == 3
        self.over = (0, 2, 3) if image else (0,)
        shape = (problem.shape[0], 1, 1) if image else problem.shape
        self.mean: Tensor
        self.size: Tensor
        self.shift: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("size", torch.ones(shape))
        self.register_buffer("shift", torch.zeros(problem.width))
        self.register_buffer("scale", torch.ones(problem.width))

    def measure(self, task: Task) -> None:
        """Take the units of the training samples, and of their targets if they are numbers."""
        x, y = task.train.x, task.train.y
        deviation, self.mean = torch.std_mean(x, self.over, correction=0, keepdim=True)
        self.mean, self.size = self.mean[0], _unit(deviation[0], self.mean[0])
        if problem_of(task).kind == "regression" and y is not None:
            deviation, self.shift = torch.std_mean(y.reshape(len(y), -1), 0, correction=0)
            self.scale = _unit(deviation, self.shift)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.shift + self.scale * self.network((x - self.mean) / self.size)
        return y.reshape(len(x), *self.outputs)


def _unit(deviation: Tensor, mean: Tensor) -> Tensor:
    """The deviations; the largest, or 1, for what does not vary here and may vary once it is moved."""
    largest = deviation.max()
    varies = deviation > ROUNDING * mean.abs()
    unit: Tensor = torch.where(varies, deviation, torch.where(largest > 0, largest, 1.0))
    return unit


@dataclass(frozen=True)
class Plain(Model):
    """A network with nothing built in; with a symmetry it is trained on samples moved along it (bench.augmentation).

    Arguments:
        steps: at the standard budget.
        batch: samples a step.
        rate: highest learning rate.
        decay: decoupled weight decay.
        reach: how far to augment along what does not turn, in deviations of the data.
    """

    steps: int = STEPS
    batch: int = 64
    rate: float = 2e-3
    decay: float = 0.01
    reach: float = 1.0

    needs: ClassVar[Needs] = "transform"
    problems: ClassVar[tuple[Kind, ...]] = ("classification", "regression")

    @abstractmethod
    def network(self, problem: Problem) -> nn.Module:
        """The untrained network, standardised samples (B, *shape) -> (B, width). Unsuitable if there can be none."""

    def build(self, problem: Problem, symmetry: Symmetry | None) -> nn.Module:
        """Unsuitable if the model cannot learn the problem."""
        if problem.kind not in self.problems:
            raise Unsuitable(
                f"{type(self).__name__} learns {' and '.join(self.problems)}, not {problem.kind}",
                "choose another --model",
            )
        return Standardised(self.network(problem), problem)

    def fit(self, task: Task, symmetry: Symmetry | None) -> nn.Module:
        """The trained predictor x -> logits or target."""
        predictor = self.build(problem_of(task), symmetry)
        assert isinstance(predictor, Standardised)
        predictor.measure(task)
        augment = None
        if symmetry is not None and symmetry.K + symmetry.M:
            augment = Augmentation(symmetry, task.train.x, self.reach, task.seed)
        schedule = Schedule(self.steps, self.batch, self.rate, self.decay)
        return learn(predictor, task, schedule, augment)


def image_shape(problem: Problem, name: str) -> tuple[int, int, int]:
    """(C, H, W) of the samples. Unsuitable if they are no images."""
    if len(problem.shape) != 3:
        raise Unsuitable(f"{name} takes images (C, H, W), these samples have the shape {problem.shape}", "--model mlp")
    channels, height, across = problem.shape
    return channels, height, across
