"""The symmetries of a law, computed from the law alone."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from torch import Tensor

from bench.contracts import Equivariant, Linear, Oracle, Symmetry

torch.set_num_threads(1)

NULL = 1e-10


def null_space(phi: Oracle, action: Linear, x: Tensor) -> tuple[Tensor, Tensor]:
    """All fields v_a = A_a x that keep phi, as rows (K, B D), and all eigenvalues of the form in units of their mean.

    E (L_a phi)(L_b phi) over the whole algebra gl(n), relative to E v_a'v_b, where matrices that move no sample are
    left out; L_a phi = d phi(v_a), less A_a phi if phi moves with the sample.
    """
    n, D = action.n, x.shape[1]
    basis = torch.stack([torch.kron(torch.eye(D // n).double(), e) for e in torch.eye(n**2).double().reshape(-1, n, n)])
    moves = torch.einsum("aij,bj->abi", basis, x)
    slopes = torch.func.vmap(torch.func.jacrev(lambda one: phi(one[None])[0]))(x)
    rates = torch.einsum("bmi,abi->abm", slopes, moves)
    if isinstance(phi, Equivariant):
        rates = rates - torch.einsum("aij,bj->abi", basis, phi(x))
    v, r = (side.flatten(1).numpy() / len(x) ** 0.5 for side in (moves, rates / phi(x).std(0)))
    speeds, axes = np.linalg.eigh(v @ v.T)
    moving = speeds > 1e-9 * speeds[-1]
    unit = axes[:, moving] / np.sqrt(speeds[moving])
    values, vectors = np.linalg.eigh(unit.T @ r @ r.T @ unit)
    values = values / values.mean()
    return torch.from_numpy((unit @ vectors[:, values < NULL]).T @ v), torch.from_numpy(values)


def angle(found: Tensor, truth: Symmetry, x: Tensor) -> float:
    """The largest angle between the span of fields found (K, B D) and that of a truth."""
    rows = truth.velocity(x).flatten(1)
    return float(subspace_angles(found.numpy().T, rows.numpy().T).max()) if len(rows) else 0.0


@pytest.fixture(scope="session")
def law() -> SimpleNamespace:
    return SimpleNamespace(null_space=null_space, angle=angle)
