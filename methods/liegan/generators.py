"""The player that proposes group elements: g = exp(sum_k z_k L_k) with random coefficients z."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from bench.contracts import BenchError

__all__ = ["Coefficients", "Generators", "drawn", "exponential"]

Coefficients = Literal["normal", "uniform", "integers"]
HALF = 0.5


class Generators(nn.Module):
    """R x K matrices L_k = sum_p c_kp E_p: one row of R for each restart.

    Arguments:
        space: E_p, (P, n, n), fields orthonormal over the samples.
        restarts: R.
        channels: K.
        unit: keep the K fields of a restart orthonormal, so that none falls to zero or onto another.
        size: speed of the initial fields where they are free.
        draw: generator of the initial coefficients.
    """

    def __init__(
        self, space: Tensor, restarts: int, channels: int, *, unit: bool, size: float, draw: torch.Generator
    ) -> None:
        super().__init__()
        if unit and channels > len(space):
            what = f"K = {channels}; the action has {len(space)} independent fields on these samples"
            raise BenchError(what, f"choose K of 1 to {len(space)}")
        self.space, self.unit = space, unit
        start = torch.randn(restarts, channels, len(space), generator=draw).to(space)
        self.raw = nn.Parameter(size * start / start.norm(dim=-1, keepdim=True))

    def coefficients(self) -> Tensor:
        """c, (R, K, P); its rows are the fields in an orthonormal basis."""
        return torch.linalg.qr(self.raw.mT)[0].mT if self.unit else self.raw

    def matrices(self) -> Tensor:
        """L, (R, K, n, n)."""
        return torch.einsum("rkp,pij->rkij", self.coefficients(), self.space)

    def elements(self, z: Tensor) -> Tensor:
        """exp(sum_k z_k L_k): z (R, B, K) -> (R, B, n, n)."""
        return exponential(torch.einsum("rbk,rkij->rbij", z, self.matrices()))


def exponential(matrices: Tensor) -> Tensor:
    """exp(A) by Taylor's series to A^7 after halving, as a product of few batched steps: (..., n, n).

    On small matrices, with gradients, several times as fast as torch.linalg.matrix_exp. Four products make the series,
    grouped by powers of A^3 (Paterson and Stockmeyer, SIAM J. Comput. 2, 1973).
    """
    largest = matrices.detach().abs().sum(-1).max().item()
    halvings = max(0, math.ceil(math.log2(max(largest, 1e-9) / HALF)))
    A = matrices / 2**halvings
    square = A @ A
    cube = square @ A
    one = torch.eye(A.shape[-1]).to(A)
    low, middle, high = one + A + square / 2, one / 6 + A / 24 + square / 120, one / 720 + A / 5040
    result: Tensor = low + cube @ (middle + cube @ high)
    for _ in range(halvings):
        result = result @ result
    return result


def drawn(kind: Coefficients, spread: float, shape: tuple[int, ...], draw: torch.Generator) -> Tensor:
    """z: normal of deviation `spread`, uniform up to `spread`, or whole numbers from 1 to `spread` of either sign."""
    if kind == "normal":
        return spread * torch.randn(shape, generator=draw)
    if kind == "uniform":
        return spread * (2 * torch.rand(shape, generator=draw) - 1)
    sign = 2.0 * torch.randint(2, shape, generator=draw) - 1
    return sign * torch.randint(1, round(spread) + 1, shape, generator=draw)
