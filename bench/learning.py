"""How every downstream model learns: the same steps, the state kept that was best on validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from bench.contracts import BenchError, Problem, Task
from bench.training import Schedule, initialise, optimise

__all__ = ["STEPS", "Augment", "learn", "problem_of", "unit_of"]

CHUNK = 1000  # many images at once are too many for memory

STEPS = 1000
"""Optimiser steps of a model at the standard budget, and the default of every model's `steps`."""

Augment = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""(x, y, generator) of a batch -> the batch moved, with the targets that go with it."""


def problem_of(task: Task) -> Problem:
    """What the task asks a model to learn. BenchError if it is no task of a model."""
    if task.problem is None or task.train.y is None or task.valid.y is None:
        raise BenchError("a model learns from labels and the task has none", "choose a data set with labels")
    return task.problem


def unit_of(problem: Problem, y: Tensor) -> Tensor:
    """The root mean square deviation of a target's numbers, (1,): what its errors are measured in; 1 of classes."""
    if problem.kind != "regression":
        return torch.ones(1, device=y.device)
    return (y - y.mean(0)).square().mean().sqrt().clamp(min=1e-12)[None]


def learn(
    predictor: nn.Module, task: Task, schedule: Schedule, augment: Augment | None = None, draw: bool = True
) -> nn.Module:
    """Train a predictor on the task's problem, and keep the state that was best on validation.

    Validation samples are not moved.

    Arguments:
        schedule: its steps at the standard budget.
        augment: moves a batch.
        draw: draw the parameters anew from the task's seed first.
    """
    problem = problem_of(task)
    x, y = task.train.x, task.train.y
    x_valid, y_valid = task.valid.x, task.valid.y
    assert y is not None
    assert y_valid is not None
    if draw:
        initialise(predictor, task.seed)
    predictor.to(x)
    unit = unit_of(problem, y)
    order, moves = (torch.Generator().manual_seed(task.seed + stream) for stream in (0, 1))

    def loss(index: Tensor, done: float) -> Tensor:
        batch = x[index], y[index]
        if augment is not None:
            batch = augment(*batch, moves)
        return problem.loss(predictor(batch[0]), batch[1], unit)

    def valid_loss() -> float:
        parts = zip(torch.split(x_valid, CHUNK), torch.split(y_valid, CHUNK), strict=True)
        return sum(problem.loss(predictor(x), y, unit).item() * len(x) for x, y in parts) / len(x_valid)

    schedule = replace(schedule, steps=task.steps(schedule.steps))
    optimise(predictor, loss, valid_loss, len(x), schedule, order, task.progress)
    return predictor
