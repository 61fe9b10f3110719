"""Tasks of downstream models."""

from torch import Tensor

from bench.contracts import Action, Problem, Samples, Task


def learning_task(x: Tensor, y: Tensor, action: Action, train: int, seed: int = 0, anomaly: bool = False) -> Task:
    """The first samples for training, the others for validation; the problem is that of all labels."""
    samples = Samples(x, y)
    problem = Problem.of(samples, action, anomaly)
    return Task(samples[:train], samples[train:], action, seed, problem=problem)
