"""The linear part of the problem: quadratic forms over a basis of generators, and their generalised eigenvectors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["antisymmetric_basis", "lowest", "orthonormalise", "pushed_forms"]

CHUNK = 200


def antisymmetric_basis(D: int) -> Tensor:
    """E_ij - E_ji over i < j: (D (D - 1) / 2, D, D)."""
    rows, columns = torch.triu_indices(D, D, 1)
    basis = torch.zeros(len(rows), D, D)
    number = torch.arange(len(rows))
    basis[number, rows, columns], basis[number, columns, rows] = 1.0, -1.0
    return basis


def lowest(form: Tensor, norm: Tensor, K: int) -> tuple[Tensor, Tensor]:
    """The K smallest q = c' form c / c' norm c and their c: -> (K,), (K, N), norm-orthonormal, in float64.

    Directions in which `norm` is under 1e-6 of its largest are left out: they move no sample.
    """
    values, vectors = torch.linalg.eigh(norm.double())
    kept = values > 1e-6 * values[-1]
    whitening = vectors[:, kept] / values[kept].sqrt()
    ratios, c = torch.linalg.eigh(whitening.T @ form.double() @ whitening)
    found: Tensor = (whitening @ c[:, :K]).T
    return ratios[:K], found


def orthonormalise(fields: Tensor) -> Tensor:
    """The c for which sum_k c_jk v_k are orthonormal under E v.v', nearest to the v_k: fields (K, B, D) -> (K, K)."""
    flat = fields.flatten(2).double()
    gram = torch.einsum("jbd,kbd->jk", flat, flat) / flat.shape[1]
    values, vectors = torch.linalg.eigh(gram)
    mixing: Tensor = vectors / values.clamp(min=1e-12 * values.max().item()).sqrt() @ vectors.T
    return mixing


def pushed_forms(
    chart: Callable[[Tensor], Tensor], phi: Callable[[Tensor], Tensor], w: Tensor, basis: Tensor
) -> tuple[Tensor, Tensor]:
    """E (L_a phi)'(L_b phi) and E v_a'v_b for the fields that generators E_a of w push to u = chart(w).

    Both follow from the Jacobians of chart and phi o chart, one forward derivative for each component of w.

    Arguments:
        w: flowed samples (B, D).
        basis: E_a, (N, D, D).

    Returns:
        (N, N), (N, N).
    """

    def both(y: Tensor) -> tuple[Tensor, Tensor]:
        u = chart(y)
        return u, phi(u)

    norm = torch.zeros(len(basis), len(basis), dtype=torch.float64)
    form = torch.zeros_like(norm)
    with torch.no_grad():
        for part in torch.split(w, CHUNK):
            axes = torch.eye(w.shape[1]).to(w)
            rates = [torch.func.jvp(both, (part,), (axis.expand_as(part),))[1] for axis in axes]
            fields = torch.einsum("aij,bj->abi", basis.to(w), part)
            for total, columns in zip((norm, form), zip(*rates, strict=True), strict=True):
                pushed = torch.einsum("ibm,abi->abm", torch.stack(columns), fields).flatten(1).cpu().double()
                total += pushed @ pushed.T / len(w)
    return form, norm
