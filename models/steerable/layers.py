"""Layers on maps of fields (B, copies size, H, W) that commute with a group of the plane."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .plane import Plane

__all__ = ["Convolution", "Gated", "Invariants"]

SMALL = 1e-6


class Convolution(nn.Module):
    """Convolution with sum_a c_a K_a between all copies; the bias is along the invariant direction of a field.

    Quarter turns about the middle of the map are kept where the windows lie symmetrically in it: with a stride of 2 the
    kernel's side is even on maps of even side, and odd on others.

    Arguments:
        into, out: copies of the field.
        side: of the kernel.
        scalar: what comes in are `into` scalars.
    """

    def __init__(
        self, plane: Plane, into: int, out: int, side: int, stride: int = 1, padding: int = 0, scalar: bool = False
    ) -> None:
        super().__init__()
        self.stride, self.padding = stride, padding
        self.basis: Tensor
        self.invariant: Tensor
        self.register_buffer("basis", plane.kernels(side, scalar))
        self.register_buffer("invariant", plane.invariant())
        self.coefficients = nn.Parameter(torch.zeros(out, into, len(self.basis)))
        self.bias = nn.Parameter(torch.zeros(out))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal coefficients that double the mean square of the components (He et al., arXiv:1502.01852)."""
        gain = self.coefficients.shape[1] * self.basis.square().sum().item() / self.basis.shape[1]
        nn.init.normal_(self.coefficients, std=(2 / gain) ** 0.5)
        nn.init.zeros_(self.bias)

    def weight(self) -> Tensor:
        """(out size, into size, side, side)."""
        kernels = torch.tensordot(self.coefficients, self.basis, 1)
        weight: Tensor = kernels.transpose(1, 2).flatten(2, 3).flatten(0, 1)
        return weight

    def forward(self, x: Tensor) -> Tensor:
        bias = torch.outer(self.bias, self.invariant).flatten()
        return F.conv2d(x, self.weight(), bias, self.stride, self.padding)


class Gated(nn.Module):
    """x -> x sigmoid(g): g is the component itself in a regular field, and the scalar of the field in one of irreps."""

    def __init__(self, plane: Plane) -> None:
        super().__init__()
        self.size, self.regular = plane.size, plane.regular

    def forward(self, x: Tensor) -> Tensor:
        if self.regular:
            return F.silu(x)
        fields = _fields(x, self.size)
        gated: Tensor = fields * torch.sigmoid(fields[:, :, :1])
        return gated.flatten(1, 2)


class Invariants(nn.Module):
    """What turning the sample leaves, averaged over the map: (B, copies size, H, W) -> (B, copies each).

    Of a regular field the mean and the largest component; of one of irreps the scalar and the lengths of the vectors.

    Attributes:
        each: how many invariants a field has.
    """

    def __init__(self, plane: Plane) -> None:
        super().__init__()
        self.size, self.regular = plane.size, plane.regular
        self.each = 2 if self.regular else (1 + self.size) // 2

    def forward(self, x: Tensor) -> Tensor:
        fields = _fields(x, self.size)
        if self.regular:
            found = [fields.mean(2), fields.amax(2)]
        else:
            squares = fields[:, :, 1::2].square() + fields[:, :, 2::2].square()
            found = [fields[:, :, 0], (squares + SMALL).sqrt().flatten(1, 2)]
        return torch.cat(found, 1).mean((2, 3))


def _fields(x: Tensor, size: int) -> Tensor:
    """(B, copies size, H, W) -> (B, copies, size, H, W)."""
    return x.reshape(len(x), -1, size, *x.shape[2:])
