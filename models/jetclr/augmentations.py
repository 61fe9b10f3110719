"""Augmentations of jets (B, N, 3) = (pT in GeV, y, phi) about the jet; constituents of no pT are none.

Dillon et al., arXiv:2108.04253, section 2.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

__all__ = ["AUGMENTATIONS", "rotated", "smeared", "split", "translated"]

REACH = 1.0
SOFT = 0.1


def rotated(jets: Tensor, draw: torch.Generator) -> Tensor:
    """Each jet turned about the origin of the plane, by an angle of its own."""
    angle = 2 * math.pi * torch.rand(len(jets), 1, generator=draw).to(jets)
    pt, y, phi = jets.unbind(-1)
    c, s = angle.cos(), angle.sin()
    return torch.stack([pt, c * y - s * phi, s * y + c * phi], -1)


def translated(jets: Tensor, draw: torch.Generator) -> Tensor:
    """Each jet moved as a whole, along y and phi by at most its own extent along them."""
    pt, place = jets[..., :1], jets[..., 1:]
    extent = place.amax(1, keepdim=True) - place.amin(1, keepdim=True)
    share = 2 * torch.rand(len(jets), 1, 2, generator=draw).to(jets) - 1
    return torch.cat([pt, torch.where(pt > 0, place + REACH * share * extent, 0.0)], -1)


def split(jets: Tensor, draw: torch.Generator) -> Tensor:
    """Half of the constituents, drawn anew, become two that share their pT and stay in place: (B, N + N // 2, 3)."""
    B, N, _ = jets.shape
    chosen = torch.rand(B, N, generator=draw).argsort(1)[:, : N // 2].to(jets.device)
    share = torch.rand(B, N // 2, generator=draw).to(jets)
    pt, place = jets[..., 0], jets[..., 1:]
    whole = pt.gather(1, chosen)
    pt = torch.cat([pt.scatter(1, chosen, share * whole), (1 - share) * whole], 1)
    return torch.cat([pt[..., None], torch.cat([place, place.gather(1, chosen[..., None].expand(-1, -1, 2))], 1)], -1)


def smeared(jets: Tensor, draw: torch.Generator) -> Tensor:
    """Constituents moved by normal numbers of deviation 0.1 GeV / pT, at most 1, along y and phi."""
    pt, place = jets[..., :1], jets[..., 1:]
    width = torch.where(pt > 0, SOFT / pt.clamp(min=SOFT), 0.0)
    return torch.cat([pt, place + width * torch.randn(place.shape, generator=draw).to(jets)], -1)


AUGMENTATIONS: Mapping[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "rotation": rotated,
    "collinear": split,
    "soft": smeared,
    "translation": translated,
}
"""By name, in the order in which they are made."""
