"""A network of Clebsch-Gordan products in the rest frame of a jet, by the library e3nn."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.contracts import Model, Problem, Symmetry, Task
from bench.contracts.problem import Kind
from bench.learning import STEPS
from bench.training import Schedule

from ._jets import AtRest, check_jets, fit_jets, missing, present

__all__ = ["ClebschGordan"]

TINY = 1e-12


class Round(nn.Module):
    """Constituents send multipoles, the jet multiplies them, constituents read the result in their direction.

    A_clm += sum_i w_cl(h_i) Y_lm(n_i) / N, A += (A x A) / |A|, h_i += f(h_i, sum_m A_clm Y_lm(n_i)).

    Arguments:
        width: scalars h of a constituent.
        channels: c, multipoles of each degree.
        degree: highest l.
        slots: N.
    """

    def __init__(self, width: int, channels: int, degree: int, slots: int) -> None:
        super().__init__()
        o3 = _o3()
        self.slots, self.channels = slots, channels
        self.sizes = [2 * l + 1 for l in range(degree + 1)]
        irreps = o3.Irreps([(channels, (l, (-1) ** l)) for l in range(degree + 1)])
        self.product = o3.FullyConnectedTensorProduct(irreps, irreps, irreps)
        self.send = _mlp(width, width, channels * len(self.sizes))
        self.update = _mlp(width + channels * len(self.sizes), width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, h: Tensor, A: Tensor, Y: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """h (B, N, width), A (B, sum_l c (2 l + 1)), Y (B, N, (degree + 1)^2), there (B, N, 1) -> h, A."""
        harmonics = torch.split(Y, self.sizes, -1)
        w = (there / self.slots * self.send(h)).chunk(len(self.sizes), -1)
        A = A + torch.cat([(each.mT @ Y_l).flatten(1) for each, Y_l in zip(w, harmonics, strict=True)], 1)
        A = A + self.product(A, A / (1 + A.square().sum(1, keepdim=True)).sqrt())
        multipoles = torch.split(A, [self.channels * size for size in self.sizes], 1)
        read = [Y_l @ A_l.reshape(len(A), self.channels, -1).mT for A_l, Y_l in zip(multipoles, harmonics, strict=True)]
        out: Tensor = h + self.norm(self.update(torch.cat([h, *read], -1)))
        return out, A


class Multipoles(AtRest):
    """Rounds on the energies, masses and directions of constituents in the rest frame, and an MLP of their sum."""

    def __init__(self, slots: int, classes: int, width: int, channels: int, degree: int, depth: int) -> None:
        super().__init__()
        self.harmonics = _o3().SphericalHarmonics(list(range(degree + 1)), False, "component")
        self.slots, self.size = slots, channels * (degree + 1) ** 2
        self.embed = nn.Linear(2, width)
        self.rounds = nn.ModuleList(Round(width, channels, degree, slots) for _ in range(depth))
        self.read = _mlp(width, 2 * width, classes)

    def predict(self, x: Tensor) -> Tensor:
        p = self.momenta(x)
        there = present(x)[..., None].to(p)
        E, square = p[..., :1], p[..., 1:].square().sum(-1, keepdim=True)
        h = self.embed(torch.cat([E, E.square() - square], -1).asinh())
        Y, A = self.harmonics(p[..., 1:] / (square + TINY).sqrt()), p.new_zeros(len(p), self.size)
        for each in self.rounds:
            h, A = each(h, A, Y, there)
        out: Tensor = self.read((there * h).sum(1) / self.slots)
        return out


@dataclass(frozen=True)
class ClebschGordan(Model):
    """Multipoles of a jet in its rest frame and their Clebsch-Gordan products (Kondor et al., arXiv:1806.09231), by the
    library e3nn (arXiv:2207.09453). Rotations of that frame are built in, and with them Lorentz transformations.

    Arguments:
        width: scalars of a constituent.
        channels: multipoles of each degree.
        degree: the highest.
        depth: rounds.
        steps: at the standard budget.
        batch: jets a step.
        rate: highest learning rate.
        decay: decoupled weight decay.
    """

    width: int = 32
    channels: int = 8
    degree: int = 2
    depth: int = 2
    steps: int = STEPS
    batch: int = 64
    rate: float = 3e-3
    decay: float = 0.01

    problems: ClassVar[tuple[Kind, ...]] = ("classification",)
    paper: ClassVar[str] = "https://arxiv.org/abs/1806.09231"

    def build(self, problem: Problem, symmetry: Symmetry | None) -> nn.Module:
        """Unsuitable if samples are no jets of four-vectors, BenchError if the library is not installed."""
        check_jets(self, problem)
        sizes = self.width, self.channels, self.degree, self.depth
        return Multipoles(problem.shape[0], problem.width, *sizes)

    def fit(self, task: Task, symmetry: Symmetry | None) -> nn.Module:
        """The trained predictor x -> logits."""
        return fit_jets(self, task, None, Schedule(self.steps, self.batch, self.rate, self.decay))


def _mlp(into: int, width: int, out: int) -> nn.Module:
    return nn.Sequential(nn.Linear(into, width), nn.SiLU(), nn.Linear(width, out))


def _o3() -> ModuleType:
    try:
        from e3nn import o3
    except ImportError:
        raise missing("clebsch_gordan", "e3nn", "0.6.0") from None
    module: ModuleType = o3
    return module
