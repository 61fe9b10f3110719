"""The encoder of jets, blind to the order of constituents and to padding."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.oracles.kinematics import fractions, root

__all__ = ["Encoder"]

DEPTH = 3
PT, PLACE, DISTANCE = 2.0, 1 / 3, 1 / 5


class Encoder(nn.Module):
    """h_i -> silu(A h_i + B sum_j z_j h_j + c), three times, then rho(sum_i z_i h_i): (B, N, 3) -> (B, outputs).

    Layers for sets as in Zaheer et al., arXiv:1703.06114. z_i is the constituent's share of the jet's pT, so that what
    has none counts for nothing, and h_i begins as (ln(1 + pT), y, phi, distance from the centre), each of order 1.

    Arguments:
        width: of the hidden layers.
        outputs: of the representation.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        sizes = list(pairwise([4] + [width] * DEPTH))
        self.own = nn.ModuleList(nn.Linear(before, after) for before, after in sizes)
        self.others = nn.ModuleList(nn.Linear(before, after, bias=False) for before, after in sizes)
        self.whole = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, outputs))

    def forward(self, jets: Tensor) -> Tensor:
        pt, place = jets[..., :1], jets[..., 1:]
        share = fractions(pt)
        distance = root((place - (share * place).sum(1, keepdim=True)).square().sum(-1, keepdim=True))
        h = torch.cat([pt.log1p() - PT, place / PLACE, distance / DISTANCE], -1)
        for own, others in zip(self.own, self.others, strict=True):
            h = F.silu(own(h) + others((share * h).sum(1, keepdim=True)))
        out: Tensor = self.whole((share * h).sum(1))
        return out
