"""Lie algebras of matrices: bracket, structure constants, and how far a span is from an algebra."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.lie.spans import orthonormaliser

__all__ = ["bracket", "closure_residual", "jacobi_residual", "structure_constants"]


def bracket(A: Tensor, B: Tensor) -> Tensor:
    """[A, B] = A B - B A, shapes (..., n, n)."""
    return A @ B - B @ A


def structure_constants(generators: Tensor) -> tuple[Tensor, Tensor]:
    """c_ijk = <[B_i, B_j], B_k> in a Frobenius-orthonormal basis B of the span of (K, n, n).

    Returns:
        c (R, R, R), and the part of the brackets outside of the span, (R, R, n, n).
    """
    flat = generators.double().cpu().flatten(1)
    basis = (orthonormaliser(flat) @ flat).reshape(-1, *generators.shape[1:])
    brackets = bracket(basis[:, None], basis[None])
    c = torch.einsum("ijab,kab->ijk", brackets, basis)
    return c, brackets - torch.einsum("ijk,kab->ijab", c, basis)


def closure_residual(generators: Tensor) -> float:
    """The share of all brackets that leaves the span: |[B_i, B_j] - P [B_i, B_j]| / |[B_i, B_j]|, 0 for an algebra."""
    c, outside = structure_constants(generators)
    left = outside.square().sum()
    total = left + c.square().sum()
    return (left / total).sqrt().item() if total > 1e-20 else 0.0


def jacobi_residual(generators: Tensor) -> float:
    """|J| / |c c| of the structure constants projected on the span, J_ijkm = sum_l c_ijl c_lkm + cyclic in ijk."""
    c, _ = structure_constants(generators)
    product = torch.einsum("ijl,lkm->ijkm", c, c)
    size = product.norm()
    cyclic = product + product.permute(1, 2, 0, 3) + product.permute(2, 0, 1, 3)
    return (cyclic.norm() / (3**0.5 * size)).item() if size > 1e-10 else 0.0
