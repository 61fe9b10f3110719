"""Steerable convolutional networks as a downstream model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import nn

from bench.contracts import Model, Problem, Symmetry, Task, Unsuitable
from bench.learning import STEPS, learn, problem_of
from bench.training import Schedule

from .network import SteerableNetwork
from .plane import Plane

__all__ = ["Steerable"]


@dataclass(frozen=True)
class Steerable(Model):
    """A convolutional network that is invariant under a group of the plane (Weiler & Cesa, arXiv:1911.08251).

    Its symmetry is built in: quarter turns, and reflections of D_n, are exact on images of every side; finer rotations
    are as good as the grid of pixels allows.

    Arguments:
        group: C_n: rotations by 2 pi / n; D_n: with reflections; SO2: all rotations, by the irreps 0, 1, 2.
        lite: a quarter of the channels.
        steps: at the standard budget.
        batch: samples a step.
        rate: highest learning rate.
    """

    group: Literal["C4", "C8", "D4", "D8", "SO2"] = "C8"
    lite: bool = False
    steps: int = STEPS
    batch: int = 64
    rate: float = 3e-3

    paper: ClassVar[str] = "https://arxiv.org/abs/1911.08251"

    def build(self, problem: Problem, symmetry: Symmetry | None) -> nn.Module:
        """Unsuitable if samples are no square images, BenchError if escnn is missing."""
        if len(problem.shape) != 3 or problem.shape[1] != problem.shape[2]:
            raise Unsuitable(
                f"steerable learns from square images (C, H, H); samples are {problem.shape}",
                "choose another --dataset",
            )
        return SteerableNetwork(Plane(self.group), problem.shape, problem.width, 0.25 if self.lite else 1.0)

    def fit(self, task: Task, symmetry: Symmetry | None) -> nn.Module:
        """The trained predictor x -> logits."""
        network = self.build(problem_of(task), symmetry)
        assert isinstance(network, SteerableNetwork)
        network.scale = task.train.x.square().mean((0, 2, 3)).sqrt().clamp(min=1e-12)[:, None, None]
        with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
            torch.manual_seed(task.seed)
            return learn(network, task, Schedule(self.steps, self.batch, self.rate))
