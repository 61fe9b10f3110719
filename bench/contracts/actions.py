"""The actions that the suite knows: matrices on vectors, on pixel coordinates, on four-vectors, and any field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.contracts.action import Action
from bench.contracts.symmetry import MatrixSymmetry, Symmetry

__all__ = ["Field", "FourVector", "ImageAffine", "Linear", "RandomFields"]


class Linear(Action):
    """x -> g x on a vector of D components, repeated on each of D / n blocks.

    Arguments:
        shape: (D,).
        n: size of a block; D by default.
    """

    kind = "linear"

    def __init__(self, shape: Sequence[int], n: int | None = None, target: Action | None = None) -> None:
        super().__init__(shape, target)
        self.n = n or math.prod(self.shape)
        if math.prod(self.shape) % self.n:
            raise ValueError(f"blocks of {self.n} do not divide a sample of shape {self.shape}")

    def act(self, g: Tensor, x: Tensor) -> Tensor:
        return torch.einsum("bij,b...j->b...i", g, x.reshape(len(x), -1, self.n)).reshape(x.shape)

    def velocity(self, A: Tensor, x: Tensor) -> Tensor:
        moved = torch.einsum("kij,bcj->kbci", A, x.reshape(len(x), -1, self.n))
        return moved.reshape(len(A), *x.shape)

    def matrix(self, A: Tensor) -> Tensor:
        blocks = torch.eye(math.prod(self.shape) // self.n).to(A)
        return torch.einsum("pq,kij->kpiqj", blocks, A).reshape(len(A), math.prod(self.shape), math.prod(self.shape))

    def candidates(self, x: Tensor) -> Symmetry:
        """gl(n), by elementary matrices."""
        return MatrixSymmetry.of(self, torch.eye(self.n**2).reshape(-1, self.n, self.n).to(x))


class FourVector(Linear):
    """x -> Lambda p on each four-vector (E, px, py, pz) of a sample (C, 4)."""

    kind = "four_vector"

    def __init__(self, shape: Sequence[int], target: Action | None = None) -> None:
        super().__init__(shape, 4, target)


class ImageAffine(Action):
    """(g x)(p) = x(g^-1 p) for pixel coordinates p = (column, row, 1) in [-1, 1]^2; images (C, H, W), zero outside.

    `act` resamples bicubically. `velocity` is the closed form -grad x . (A p) with central differences, because the
    derivative of a sampler is not the derivative of the image.
    """

    kind = "image_affine"
    n = 3

    def grid(self, like: Tensor) -> Tensor:
        """Homogeneous coordinates of the pixel centres, (H, W, 3)."""
        height, width = self.shape[-2:]
        rows = (2 * torch.arange(height, dtype=like.dtype, device=like.device) + 1) / height - 1
        columns = (2 * torch.arange(width, dtype=like.dtype, device=like.device) + 1) / width - 1
        row, column = torch.meshgrid(rows, columns, indexing="ij")
        return torch.stack([column, row, torch.ones_like(row)], -1)

    def act(self, g: Tensor, x: Tensor) -> Tensor:
        inverse = torch.linalg.inv(g)[:, :2]
        points = torch.einsum("bij,hwj->bhwi", inverse, self.grid(x))
        return F.grid_sample(x, points, mode="bicubic", padding_mode="zeros", align_corners=False)

    def velocity(self, A: Tensor, x: Tensor) -> Tensor:
        padded = F.pad(x, (1, 1, 1, 1))
        by_column = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) * (self.shape[-1] / 4)
        by_row = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) * (self.shape[-2] / 4)
        flow = torch.einsum("kij,hwj->kihw", A[:, :2], self.grid(x))
        return -(flow[:, None, None, 0] * by_column + flow[:, None, None, 1] * by_row)

    def candidates(self, x: Tensor) -> Symmetry:
        """The affine algebra, 6 generators."""
        return MatrixSymmetry.of(self, torch.eye(9).reshape(9, 3, 3)[:6].to(x))


class Field(Action):
    """Any smooth vector field on vectors of D components."""

    kind = "field"

    def __init__(self, shape: Sequence[int], target: Action | None = None) -> None:
        super().__init__(shape, target)
        self.n = math.prod(self.shape)

    def candidates(self, x: Tensor) -> Symmetry:
        """A fixed basis of 4 D smooth random fields."""
        return RandomFields.over(self, x, 4 * self.n)


class RandomFields(Symmetry):
    """Smooth random fields v_k(x) = W_k cos(Omega z + b), z = x standardised: Gaussian-kernel features (Rahimi 2007).

    Version 1: 256 frequencies with length scale sqrt(D), seed 1.

    Arguments:
        K: number of fields.
    """

    features = 256
    rk4_steps = 4

    def __init__(self, action: Action, K: int) -> None:
        super().__init__(action, K)
        D = action.n
        self.mean: Tensor
        self.spread: Tensor
        self.frequencies: Tensor
        self.phases: Tensor
        self.weights: Tensor
        self.register_buffer("mean", torch.zeros(D))
        self.register_buffer("spread", torch.ones(D))
        self.register_buffer("frequencies", torch.zeros(self.features, D))
        self.register_buffer("phases", torch.zeros(self.features))
        self.register_buffer("weights", torch.zeros(K, self.features, D))

    @classmethod
    def over(cls, action: Action, x: Tensor, K: int, seed: int = 1) -> RandomFields:
        """K fields on the scale of the samples x (B, *s)."""
        draw = torch.Generator().manual_seed(seed)
        self = cls(action, K).to(x.device, x.dtype)
        flat = x.flatten(1)
        D = flat.shape[1]
        self.mean, self.spread = flat.mean(0), flat.std(0).clamp(min=1e-6)
        self.frequencies = (torch.randn(self.features, D, generator=draw) / math.sqrt(D)).to(x)
        self.phases = (2 * math.pi * torch.rand(self.features, generator=draw)).to(x)
        self.weights = (torch.randn(K, self.features, D, generator=draw) / math.sqrt(self.features / 2)).to(x)
        self.weights = self.weights * self.spread
        return self

    def config(self) -> dict[str, Any]:
        return {"K": self.K}

    def waves(self, x: Tensor) -> Tensor:
        z = (x.flatten(1) - self.mean) / self.spread
        return torch.cos(z @ self.frequencies.T + self.phases)

    def velocity(self, x: Tensor) -> Tensor:
        return torch.einsum("bf,kfd->kbd", self.waves(x), self.weights).reshape(self.K, *x.shape)

    def along(self, x: Tensor, t: Tensor) -> Tensor:
        if self.K == 1:
            return t.reshape(-1, *[1] * (x.dim() - 1)) * self.velocity(x)[0]
        return super().along(x, t)

    def combine(self, c: Tensor) -> Symmetry:
        mixed = RandomFields(self.action, len(c)).to(self.weights)
        mixed.load_state_dict(self.state_dict() | {
            "weights": torch.einsum("jk,kfd->jfd", c.to(self.weights), self.weights),
            "scores": torch.zeros(len(c)),
        })
        return mixed
