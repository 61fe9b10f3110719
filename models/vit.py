"""A small vision transformer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.contracts import BenchError, Problem

from ._plain import Plain, image_shape

__all__ = ["ViT"]


class Attention(nn.Module):
    """softmax(Q K^T / sqrt(d)) V in heads of size d, (B, T, D) -> (B, T, D); written out, so that it has a jvp."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.into = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.into(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).softmax(-1)
        out: Tensor = self.out((weights @ v).transpose(1, 2).flatten(2))
        return out


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)): pre-norm (Xiong et al., arXiv:2002.04745)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attend = nn.Sequential(nn.LayerNorm(width), Attention(width, heads))
        self.think = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attend(x)
        out: Tensor = x + self.think(x)
        return out


class Patches(nn.Module):
    """Square patches, embedded, and their learned positions: (B, C, H, W) -> (B, T, D); the edge is filled by zeros."""

    def __init__(self, shape: Sequence[int], patch: int, width: int) -> None:
        super().__init__()
        channels, height, across = shape
        self.edge = (0, -across % patch, 0, -height % patch)
        self.embed = nn.Conv2d(channels, width, patch, patch)
        self.positions = nn.Parameter(torch.empty(-(-height // patch) * -(-across // patch), width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Positions of the size of an embedding: small ones take most of the steps to grow."""
        nn.init.normal_(self.positions)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.embed(F.pad(x, self.edge)).flatten(2).transpose(1, 2) + self.positions
        return out


class Transformer(nn.Module):
    """Patches, blocks, and a linear map of the mean over patches: (B, C, H, W) -> (B, outputs)."""

    def __init__(self, shape: Sequence[int], outputs: int, patch: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.patches = Patches(shape, patch, width)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(depth)], nn.LayerNorm(width))
        self.out = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.out(self.blocks(self.patches(x)).mean(1))
        return out


@dataclass(frozen=True)
class ViT(Plain):
    """A vision transformer (Dosovitskiy et al., arXiv:2010.11929), small; augmented along a symmetry.

    Arguments:
        patch: side of a patch in pixels.
        width: coordinates of a token.
        depth: blocks.
        heads: of an attention; they divide the width.
    """

    patch: int = 6
    width: int = 64
    depth: int = 2
    heads: int = 4

    paper: ClassVar[str] = "https://arxiv.org/abs/2010.11929"

    def network(self, problem: Problem) -> nn.Module:
        if self.width % self.heads:
            raise BenchError(f"{self.heads} heads do not divide a width of {self.width}", "set vit.heads")
        return Transformer(image_shape(problem, "vit"), problem.width, self.patch, self.width, self.depth, self.heads)
