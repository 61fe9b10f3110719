"""The matrices of an action, as a basis that is orthonormal over the samples."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.contracts import Action, BenchError

__all__ = ["search_space"]

RANK = 1e-4


def search_space(action: Action, x: Tensor, block: int = 0) -> Tensor:
    """A basis (P, n, n) of the action's matrices with E v_p'v_q = delta_pq E |x - E x|^2 over samples x (B, *s).

    Fields whose mean square is under 1e-4 of the largest move no sample and are left out.

    Arguments:
        block: matrices vanish outside of diagonal blocks of this size; 0: they are free.
    """
    basis = action.candidates(x).matrices()
    if basis is None:
        raise BenchError(f"the action {action.kind} has no matrices to search", "choose another action")
    if block:
        if action.n % block:
            raise BenchError(f"block = {block} does not divide the {action.n} rows of the matrices", "choose a divisor")
        index = torch.arange(action.n, device=x.device) // block
        basis = basis * (index[:, None] == index)
        basis = basis[basis.flatten(1).norm(dim=1) > 0]
    moves = torch.stack([action.velocity(matrix[None], x).flatten() for matrix in basis])
    size = (x - x.mean(0)).square().sum() / len(x)
    values, columns = torch.linalg.eigh(moves.double() @ moves.double().T / len(x) / size)
    kept = values > RANK * values[-1]
    return torch.einsum("qp,qij->pij", (columns[:, kept] / values[kept].sqrt()).to(basis), basis)
