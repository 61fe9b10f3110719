"""What models of jets as four-vectors share."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from bench.contracts import BenchError, FourVector, Problem, Task
from bench.learning import learn
from bench.training import Schedule

__all__ = ["JetNetwork", "check_jets", "learn_in_single", "missing", "present"]

CHUNK = 256


class JetNetwork(nn.Module):
    """A network of jets x (B, C, 4) that takes some at a time, as many at once are slower and take memory."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 4) -> logits (B, classes), in the precision of x."""
        return torch.cat([self.predict(part) for part in x.split(CHUNK)]).to(x)

    def measure(self, x: Tensor) -> None:
        """Take the units from training samples."""
        raise NotImplementedError

    def predict(self, x: Tensor) -> Tensor:
        """As `forward`, in the precision of the parameters."""
        raise NotImplementedError


def present(x: Tensor) -> Tensor:
    """Which constituents are no padding, (B, C)."""
    return (x != 0).any(-1)


def check_jets(problem: Problem, name: str) -> tuple[int, int]:
    """The constituents of a jet and the classes. BenchError if samples are no four-vectors, or labels no classes."""
    if not isinstance(problem.action, FourVector) or len(problem.shape) != 2 or problem.kind != "classification":
        what = f"{problem.kind} of samples {problem.shape} under the action {problem.action.kind}"
        allowed = "allowed is classification of jets (constituents, 4) under four_vector"
        raise BenchError(f"{name} cannot learn {what}; {allowed}", "choose another --model or --dataset")
    return problem.shape[0], problem.width


def learn_in_single(network: nn.Module, task: Task, schedule: Schedule) -> nn.Module:
    """Train on the samples in float32, in half the time: where their precision matters the network raises it."""
    train, valid = (samples.with_x(samples.x.float()) for samples in (task.train, task.valid))
    return learn(network, replace(task, train=train, valid=valid), schedule)


def missing(model: str, package: str, version: str) -> BenchError:
    """What to say where the library of a model is not installed."""
    return BenchError(
        f"the model {model} needs {package}, which is not installed", f"pip install {package}=={version}"
    )
