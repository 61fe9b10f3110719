"""Jets in the plane of rapidity and azimuth."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.contracts import BenchError, Problem
from bench.oracles.kinematics import Cylinder, fractions

__all__ = ["check_jets", "in_plane"]


def in_plane(p: Tensor) -> Tensor:
    """(pT, y, phi) of each constituent, y and phi less their means with weights pT: (B, N, 4) -> (B, N, 3).

    A constituent (0, 0, 0, 0), which stands for none, becomes (0, 0, 0).
    """
    at = Cylinder.of(p)
    place = torch.stack([at.rapidity, at.azimuth], -1)
    place = place - (fractions(at.pt)[..., None] * place).sum(1, keepdim=True)
    return torch.cat([at.pt[..., None], torch.where(at.pt[..., None] > 0, place, 0.0)], -1)


def check_jets(problem: Problem, name: str) -> None:
    """BenchError unless samples are constituents (N, 4)."""
    if len(problem.shape) != 2 or problem.shape[1] != 4:
        what = f"{name} needs jets as constituents (N, 4) = E, px, py, pz, got samples of shape {problem.shape}"
        raise BenchError(what, "choose a data set of jets, for example --dataset top_tagging")
