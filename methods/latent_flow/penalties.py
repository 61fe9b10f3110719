"""What keeps several fields apart, moving, and closed under the bracket."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["bracket", "closure", "matrix_bracket", "speed_and_angle"]


def speed_and_angle(fields: Tensor) -> Tensor:
    """|G - 1|^2 with the Gram matrix G = E v_j.v_k / D: zero for orthogonal fields at unit speed, K for v = 0.

    For a single field this is (E |v|^2 / D - 1)^2; fields (K, B, D).
    """
    gram: Tensor = torch.einsum("jbd,kbd->jk", fields, fields) / (fields.shape[1] * fields.shape[2])
    excess = gram - torch.eye(len(gram)).to(gram)
    return torch.sum(excess * excess)


def closure(vectors: Tensor, brackets: Tensor) -> Tensor:
    """The share of the brackets that lies outside of the span: vectors (K, N), brackets (P, N); 0 if there are none."""
    if not len(brackets):
        return vectors.new_zeros(())
    frame = torch.linalg.qr(vectors.T).Q
    outside = brackets - brackets @ frame @ frame.T
    share: Tensor = outside.square().sum() / brackets.square().sum().clamp(min=1e-12)
    return share


def matrix_bracket(L: Tensor) -> Tensor:
    """[L_a, L_b] over a < b: (K, D, D) -> (K (K - 1) / 2, D, D)."""
    a, b = torch.triu_indices(len(L), len(L), 1)
    return L[a] @ L[b] - L[b] @ L[a]


def bracket(fields: Callable[[Tensor], Tensor], u: Tensor) -> Tensor:
    """[v_a, v_b] = Dv_b v_a - Dv_a v_b over a < b, at samples u (B, D): (K (K - 1) / 2, B, D)."""
    derivative = torch.stack([torch.func.jvp(fields, (u,), (v,))[1] for v in fields(u)])  # (a, b) -> Dv_b v_a
    a, b = torch.triu_indices(len(derivative), len(derivative), 1)
    return derivative[a, b] - derivative[b, a]
