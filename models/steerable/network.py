"""A steerable network for square images of any side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bench.networks import pyramid

from .layers import Convolution, Gated, Invariants
from .plane import Plane

__all__ = ["SteerableNetwork"]

FIRST, MIDDLE, LAST = 32, 64, 256
EVEN, ODD = 4, 5
DROPOUT = 0.3


class SteerableNetwork(nn.Module):
    """Convolutions that halve the map to a side of at most 7, one more, one over all of it; invariants; logits.

    (B, C, H, H) -> (B, outputs).

    Arguments:
        shape: (C, H, H).
        share: of the channels that it has.

    Attributes:
        scale: what samples are divided by, (C, 1, 1).
    """

    def __init__(self, plane: Plane, shape: Sequence[int], outputs: int, share: float = 1.0) -> None:
        super().__init__()
        into, sides = shape[0], pyramid(shape[1])
        first, middle, last = (plane.copies(share * channels) for channels in (FIRST, MIDDLE, LAST))
        self.scale: Tensor
        self.register_buffer("scale", torch.ones(into, 1, 1))
        layers: list[nn.Module] = []
        for stage, side in enumerate(sides[:-1]):
            kernel, out = ODD if side % 2 else EVEN, middle if stage else first
            padding = (kernel - 1) // 2
            layers += [Convolution(plane, into, out, kernel, 2, padding, scalar=not stage), Gated(plane)]
            into = out
        layers += [Convolution(plane, into, middle, ODD, 1, ODD // 2, scalar=len(sides) == 1), Gated(plane)]
        layers += [Convolution(plane, middle, last, sides[-1]), Gated(plane)]
        pool = Invariants(plane)
        self.layers = nn.Sequential(*layers, pool, nn.Dropout(DROPOUT), nn.Linear(last * pool.each, outputs))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x / self.scale)
        return logits
