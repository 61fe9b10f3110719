"""The search for matrices, where the action has them."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from bench.contracts import MatrixSymmetry, Oracle, Symmetry, Task
from bench.lie import rates_of_change

from .algebra import lowest
from .law import Standardised
from .penalties import closure, matrix_bracket
from .training import batches, descend

__all__ = ["discover_matrices"]

LINEAR = 2048
BATCH = 256


class Coefficients(nn.Module):
    """K orthonormal combinations of N generators, given by their start."""

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.free = nn.Parameter(start.clone())

    def forward(self) -> Tensor:
        rows: Tensor = torch.linalg.qr(self.free.T).Q.T
        return rows


def discover_matrices(task: Task, oracle: Oracle, *, K: int, steps: int, rate: float, reach: float) -> Symmetry:
    """The K matrices along which phi changes least.

    They start as the lowest generalised eigenvectors of the exact rates of change against the speeds, which excludes
    the trivial matrix and makes them orthogonal over the data, and are refined at finite times:
    E |phi(exp(tA/2) x) - phi(exp(-tA/2) x)|^2 / t^2.
    """
    action, x = task.action, task.train.x[:LINEAR]
    phi = Standardised(oracle, x)
    candidates = action.candidates(x).matrices()
    assert candidates is not None
    form, norm = rates_of_change(phi, partial(action.velocity, candidates), x)
    _, c = lowest(form, norm, len(candidates))
    scale = (x - x.mean(0)).square().sum().div(len(x)).sqrt()
    basis = torch.einsum("ja,aik->jik", c.to(x), candidates) * scale
    coefficients = Coefficients(torch.eye(len(basis))[:K].to(x))
    draw = torch.Generator().manual_seed(task.seed)
    order = batches(len(x), BATCH, draw)

    def violation(x: Tensor, draw: torch.Generator) -> Tensor:
        A = torch.einsum("kj,jab->kab", coefficients(), basis)
        which = torch.randint(len(A), (len(x),), generator=draw)
        t = reach * (0.05 + 0.95 * torch.rand(len(x), generator=draw)).to(x)
        half = torch.linalg.matrix_exp(t[:, None, None] / 2 * A[which])
        change = phi(action.act(half, x)) - phi(action.act(torch.linalg.inv(half), x))
        closed = closure(A.flatten(1), matrix_bracket(A).flatten(1))
        total: Tensor = (change.square().mean(1) / t**2).mean() + closed
        return total

    def validate() -> float:
        with torch.no_grad():
            return violation(task.valid.x[:LINEAR], torch.Generator().manual_seed(0)).item()

    descend(coefficients, lambda step: violation(x[next(order)], draw), validate,
            steps=steps, rate=rate, progress=task.progress)  # fmt: skip
    with torch.no_grad():
        A = torch.einsum("kj,jab->kab", coefficients(), basis) / scale
    form, norm = rates_of_change(phi, partial(action.velocity, torch.cat([A, candidates])), task.valid.x[:LINEAR])
    ratios = form.diagonal() / norm.diagonal().clamp(min=1e-12)
    return MatrixSymmetry.of(action, A, scores=(ratios[: len(A)] / ratios[len(A):].mean()).to(x))
