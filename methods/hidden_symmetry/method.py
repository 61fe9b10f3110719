"""The method: its parameters, and the order of its stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from bench.contracts import BenchError, Method, Oracle, Symmetry, Task
from bench.lie import bracket
from bench.training import Schedule, optimise

from .equations import Equations
from .fields import HiddenGenerators

__all__ = ["HiddenSymmetry"]

FEW = 300
NULL = 1e-6
REACH = 0.5
SHORT = 0.1


@dataclass(frozen=True)
class HiddenSymmetry(Method):
    """Coordinates z = f(x) in which the law has a plain symmetry, by minimising the violation of its equations.

    f is an invertible network, near the identity at first, and v_k(x) = Df^-1 (L_k z + b_k). First L and b alone, the
    smallest generalised eigenvectors of E |L_v phi|^2 against E |v|^2; then f, by gradient descent on
    E [f / (f + c)], f = |phi(s x) - s phi(x)|^2 along v and c that of a random move as long, with |G - 1|^2 for the
    Gram matrix G of the fields.

    Arguments:
        K: number of fields.
        form: `rotation`: L_k antisymmetric, b_k = 0; `translation`: L_k = 0, so that z are coordinates along the
            fields; `affine`: any, and trained with f.
        hidden_only: leave out what is a symmetry before f is trained.
        layers: couplings of f; 0: f whitens and no more.
        width: units of their hidden layers.
        steps: of the training of f.
        batch: samples in a step.
        rate: highest learning rate.
    """

    K: int = 1
    form: Literal["rotation", "translation", "affine"] = "rotation"
    hidden_only: bool = False
    layers: int = 4
    width: int = 32
    steps: int = 1000
    batch: int = 128
    rate: float = 1e-2

    actions = ("field",)
    uses = frozenset({"oracle"})
    paper = "https://arxiv.org/abs/2109.09721"

    def discover(self, task: Task) -> Symmetry:
        if task.oracle is None:
            raise BenchError("hidden_symmetry needs an oracle and the task has none", "choose an --oracle")
        train, valid = task.train.x, task.valid.x[:FEW]
        planes = train[0].numel() // 2
        if self.form == "rotation" and planes < self.K:
            what = f"K = {self.K} rotations that commute; {train[0].numel()} coordinates have at most {planes}"
            raise BenchError(what, "choose a smaller K or form=affine")
        symmetry, equations = self._plain(task, task.oracle.requires_grad_(False))
        draw = torch.Generator().manual_seed(task.seed)

        def loss(x: Tensor, time: float) -> Tensor:
            violations, moves = equations.violations(symmetry, x, time)
            return violations.mean() + speed_and_angle(moves)

        def batch_loss(index: Tensor, done: float) -> Tensor:
            return loss(train[index], SHORT + (REACH - SHORT) * torch.rand((), generator=draw).item())

        def valid_loss() -> float:
            return loss(valid, SHORT).item()

        if self.layers and symmetry.K:
            schedule = Schedule(task.steps(self.steps), self.batch, self.rate, patience=20)
            optimise(symmetry, batch_loss, valid_loss, len(train), schedule, draw, task.progress)
        with torch.no_grad():
            symmetry.scores = equations.violations(symmetry, valid, SHORT)[0]
        return symmetry.requires_grad_(False).eval()

    def _plain(self, task: Task, oracle: Oracle) -> tuple[HiddenGenerators, Equations]:
        """The best generators while f whitens and no more."""
        x = task.train.x
        D = x[0].numel()
        basis = generators(self.form, D).to(x)
        every = HiddenGenerators(task.action, len(basis), 0, 1).to(x)
        every.chart.fit_whitening(x.flatten(1))
        every.affine.data = basis
        equations = Equations(oracle, every.chart.unwhitening)
        chosen = torch.einsum("ka,aij->kij", self._choose(equations, every, x[:FEW]).to(x), basis)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(task.seed)
            symmetry = HiddenGenerators(task.action, len(chosen), self.layers, self.width).to(x)
        symmetry.chart.load_state_dict(every.chart.state_dict(), strict=False)
        symmetry.affine.data = chosen
        symmetry.affine.requires_grad_(self.form == "affine")
        return symmetry, equations

    def _choose(self, equations: Equations, every: HiddenGenerators, x: Tensor) -> Tensor:
        """The K smallest c' E |L phi|^2 c over c' E |v|^2 c, less those that are known already: (K, N)."""
        with torch.no_grad():
            rates = equations.derivatives(every, x).flatten(1).double()
            fields = (every.velocity(x).flatten(2) @ every.chart.whitening).flatten(1).double()
        values, vectors = torch.linalg.eigh(fields @ fields.T / fields.shape[1])
        unit = vectors / values.sqrt()
        ratios, c = torch.linalg.eigh(unit.T @ rates @ rates.T @ unit)
        start = int((ratios < NULL * ratios.mean()).sum()) if self.hidden_only else 0
        ordered: Tensor = (unit @ c[:, start:]).T
        return commuting(ordered, every.affine.data, self.K) if self.form == "rotation" else ordered[: self.K]


def commuting(ordered: Tensor, basis: Tensor, K: int) -> Tensor:
    """The first of J generators, and after it the one nearest to the next that commutes with all before, up to K.

    Only rotations that commute can be plain in the same coordinates and have orbits of dimension K.

    Arguments:
        ordered: coefficients of the generators, (J, N).
        basis: (N, D, D + 1).
    """
    squares = basis[..., :-1].double()
    chosen = ordered[:1]
    while len(chosen) < K:
        so_far = torch.einsum("ka,aij->kij", chosen, squares)
        brackets = bracket(squares[:, None], so_far[None]).flatten(1)
        values, vectors = torch.linalg.eigh(brackets @ brackets.T)
        free = vectors[:, values < 1e-9 * values.max()]
        left = ordered @ free @ free.T
        left = left - left @ torch.linalg.pinv(chosen) @ chosen
        share = left.norm(dim=1) / ordered.norm(dim=1)
        best = int((share >= 0.5 * share.max()).int().argmax())
        chosen = torch.cat([chosen, left[best : best + 1] / share[best]])
    return chosen


def generators(form: str, D: int) -> Tensor:
    """A basis of the affine fields of a form, (N, D, D + 1)."""
    every = torch.eye(D * (D + 1)).reshape(D, D + 1, D, D + 1)
    if form == "translation":
        return every[:, D]
    if form == "rotation":
        return torch.stack([every[i, j] - every[j, i] for i in range(D) for j in range(i)])
    return every.flatten(0, 1)


def speed_and_angle(fields: Tensor) -> Tensor:
    """|G - 1|^2 of the Gram matrix G = E v_j.v_k / D: fields (K, B, D)."""
    gram = torch.einsum("jbd,kbd->jk", fields, fields) / fields[0].numel()
    return (gram - torch.eye(len(gram)).to(gram)).square().sum()
