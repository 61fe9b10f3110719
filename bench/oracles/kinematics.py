"""Rapidity, azimuth and distances of constituents (B, N, 4) = (E, px, py, pz), with derivatives at zero.

A constituent (0, 0, 0, 0) stands for none. Every function here is finite, with finite derivatives, on all of R^4: also
where a matrix that is no Lorentz transformation has taken a momentum off its mass shell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Cylinder", "dot", "fractions", "power", "ratio", "root", "separations", "transverse"]

TINY = 1e-20


@dataclass(frozen=True)
class Cylinder:
    """pT, rapidity and azimuth of each constituent, (B, N); azimuth from -pi to pi about that of the jet."""

    pt: Tensor
    rapidity: Tensor
    azimuth: Tensor

    @classmethod
    def of(cls, p: Tensor) -> Cylinder:
        """From momenta (B, N, 4)."""
        jet = p.sum(1, keepdim=True)
        azimuth = _wrap(_azimuth(p) - _azimuth(jet))
        return cls(transverse(p), _rapidity(p), azimuth)

    def distances(self) -> Tensor:
        """dR^2 = dy^2 + dphi^2 of each pair, (B, N, N)."""
        dy = self.rapidity[:, :, None] - self.rapidity[:, None]
        dphi = _wrap(self.azimuth[:, :, None] - self.azimuth[:, None])
        return dy.square() + dphi.square()


def transverse(p: Tensor) -> Tensor:
    """pT = sqrt(px^2 + py^2): (..., 4) -> (...)."""
    return root(p[..., 1].square() + p[..., 2].square())


def dot(p: Tensor, q: Tensor) -> Tensor:
    """E E' - p . p': (..., 4), (..., 4) -> (...)."""
    return p[..., 0] * q[..., 0] - (p[..., 1:] * q[..., 1:]).sum(-1)


def separations(p: Tensor) -> Tensor:
    """|n_i - n_j|^2 = 2 (1 - cos theta_ij) of the directions n of three-momenta, (B, N, N)."""
    size = root(p[..., 1:].square().sum(-1))
    n = ratio(p[..., 1:], size[..., None])
    return (n[:, :, None] - n[:, None]).square().sum(-1)


def fractions(weights: Tensor) -> Tensor:
    """Each weight's share of the sum: (B, N) -> (B, N); 0 where all are."""
    return ratio(weights, weights.sum(1, keepdim=True))


def root(x: Tensor) -> Tensor:
    """sqrt(x), and 0 with derivative 0 for x <= 0."""
    return power(x, 0.5)


def power(x: Tensor, exponent: float) -> Tensor:
    """x^exponent, and 0 with derivative 0 for x <= 0."""
    positive = x > 0
    return torch.where(positive, torch.where(positive, x, 1.0) ** exponent, 0.0)


def ratio(a: Tensor, b: Tensor) -> Tensor:
    """a / b, and 0 with derivative 0 where b is 0."""
    there = b != 0
    return torch.where(there, a / torch.where(there, b, 1.0), 0.0)


def _rapidity(p: Tensor) -> Tensor:
    """ln |(E + pz) / (E - pz)| / 2, at most 23 in size."""
    E, pz = p[..., 0], p[..., 3]
    size = E.square() + pz.square()
    size = torch.where(size > 0, size, 1.0)
    forward = ((E + pz).square() / size).clamp(min=TINY)
    backward = ((E - pz).square() / size).clamp(min=TINY)
    return (forward / backward).log() / 4


def _azimuth(p: Tensor) -> Tensor:
    across = (p[..., 1] != 0) | (p[..., 2] != 0)
    return torch.atan2(p[..., 2], torch.where(across, p[..., 1], 1.0))


def _wrap(angle: Tensor) -> Tensor:
    return angle - 2 * math.pi * torch.round(angle / (2 * math.pi))
