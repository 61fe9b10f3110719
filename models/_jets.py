"""What models of jets as four-vectors share."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from bench.contracts import BenchError, FourVector, Model, Problem, Symmetry, Task, Unsuitable
from bench.learning import learn, problem_of
from bench.training import Schedule

__all__ = ["AtRest", "JetNetwork", "check_jets", "fit_jets", "missing", "present", "rest_frame"]

CHUNK = 256


class JetNetwork(nn.Module):
    """A network of jets x (B, C, 4) that takes some at a time, as many at once are slower and take memory."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 4) -> logits (B, classes), in the precision of x."""
        return torch.cat([self.predict(part) for part in torch.split(x, CHUNK)]).to(x)

    def measure(self, x: Tensor) -> None:
        """Take the units from training samples."""
        raise NotImplementedError

    def predict(self, x: Tensor) -> Tensor:
        """As `forward`, in the precision of the parameters."""
        raise NotImplementedError


class AtRest(JetNetwork):
    """A network of the momenta in the rest frame of a jet.

    Attributes:
        unit: of momenta, the median energy of a constituent in its jet's frame, (1,).
    """

    def __init__(self) -> None:
        super().__init__()
        self.unit: Tensor
        self.register_buffer("unit", torch.ones(1))

    def measure(self, x: Tensor) -> None:
        self.unit = rest_frame(x)[..., 0][present(x)].median()[None]

    def momenta(self, x: Tensor) -> Tensor:
        """In the rest frame and in units, in the precision of the parameters: (B, C, 4) -> (B, C, 4)."""
        return (rest_frame(x) / self.unit).to(next(self.parameters()))


def present(x: Tensor) -> Tensor:
    """Which constituents are no padding, (B, C)."""
    return (x != 0).any(-1)


def check_jets(model: Model, problem: Problem) -> None:
    """Unsuitable unless a model learns such a problem, and samples are constituents (C, 4) = E, px, py, pz of jets.

    That the four numbers are a four-vector is what the action says; every model of jets builds on it.
    """
    jets = isinstance(problem.action, FourVector) and len(problem.shape) == 2
    if not jets or problem.kind not in model.problems:
        what = f"{problem.kind} of samples {problem.shape} under the action {problem.action.kind}"
        allowed = f"allowed is {' and '.join(model.problems)} of jets (constituents, 4) under four_vector"
        raise Unsuitable(
            f"{type(model).__name__} cannot learn {what}; {allowed}",
            "choose another --model, or a data set of jets, for example --dataset top_tagging",
        )


def fit_jets(model: Model, task: Task, symmetry: Symmetry | None, schedule: Schedule) -> nn.Module:
    """Build a model with parameters drawn from the task's seed, take its units, and train it.

    It is trained on samples in float32, in half the time: where their precision matters the network raises it.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.seed)
        network = model.build(problem_of(task), symmetry)
    assert isinstance(network, JetNetwork)
    network.measure(task.train.x)
    train, valid = (samples.with_x(samples.x.float()) for samples in (task.train, task.valid))
    return learn(network, replace(task, train=train, valid=valid), schedule, draw=False)


def rest_frame(x: Tensor) -> Tensor:
    """Momenta in float64 in the rest frame of their jet P = sum_i p_i, by the boost without rotation: (B, C, 4).

    E* = P.p / M and p* = p - P (E + E*) / (E_P + M). A jet lighter than 1e-6 of its energy counts as that heavy.
    """
    p = x.double()
    jet = p.sum(1, keepdim=True)
    E, momentum = jet[..., :1], jet[..., 1:]
    square = E.square() - momentum.square().sum(-1, keepdim=True)
    M = torch.maximum(square, (1e-6 * E).square() + 1e-24).sqrt()
    at_rest = (E * p[..., :1] - (momentum * p[..., 1:]).sum(-1, keepdim=True)) / M
    return torch.cat([at_rest, p[..., 1:] - momentum * (p[..., :1] + at_rest) / (E + M)], -1)


def missing(model: str, package: str, version: str) -> BenchError:
    """What to say where the library of a model is not installed."""
    return BenchError(f"the model {model} needs {package}, which is not installed", f"pip install {package}=={version}")
