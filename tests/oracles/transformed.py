"""Jets and images to test oracles on, and every transformation of the table as a map."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from bench.contracts import FourVector, ImageAffine
from bench.oracles import Transformation, truth_of

__all__ = ["IMAGE_MAPS", "JET_MAPS", "image", "jets"]

D = torch.float64


def jets(count: int = 64, constituents: int = 12, padded: int = 3, mass: float = 0.0, seed: int = 0) -> Tensor:
    """Jets of radius 0.3 about random directions, (B, N, 4), the last constituents missing."""
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw, dtype=D)

    y = 0.7 * normal(count, 1) + 0.2 * normal(count, constituents)
    phi = 2 * math.pi * torch.rand(count, 1, generator=draw, dtype=D) + 0.2 * normal(count, constituents)
    pt = torch.exp(1.5 + normal(count, constituents))
    p = momenta(pt, y, phi, mass * torch.rand(count, constituents, generator=draw, dtype=D))
    p[:, constituents - padded :] = 0
    return p


def momenta(pt: Tensor, y: Tensor, phi: Tensor, mass: Tensor) -> Tensor:
    """(B, N, 4) from pT, rapidity, phi and mass, (B, N)."""
    mt = torch.hypot(pt, mass)
    return torch.stack([mt * y.cosh(), pt * phi.cos(), pt * phi.sin(), mt * y.sinh()], -1)


def image(count: int = 16, side: int = 21, seed: int = 0) -> Tensor:
    """Three channels of pixels, a tenth of them hit, (B, 3, H, W)."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.rand(count, 3, side, side, generator=draw, dtype=D)
    return torch.where(x < 0.1, 50 * x**2, 0.0)


def generated(name: Transformation, sizes: tuple[float, ...]) -> Callable[[Tensor], list[Tensor]]:
    """x moved by exp(s A) for each generator A of a transformation of momenta."""

    def moved(x: Tensor) -> list[Tensor]:
        action = FourVector(x.shape[1:])
        truth = truth_of(action, {name})
        assert truth is not None
        steps = [s * torch.eye(truth.K, dtype=D)[k] for k in range(truth.K) for s in sizes]
        return [truth.double().transform(x, t.expand(len(x), -1)) for t in steps]

    return moved


def reflected(name: Transformation) -> Callable[[Tensor], list[Tensor]]:
    """x under the finite elements of a transformation."""

    def moved(x: Tensor) -> list[Tensor]:
        action = FourVector(x.shape[1:]) if x.dim() == 3 else ImageAffine(x.shape[1:])
        truth = truth_of(action, {name})
        assert truth is not None
        return [truth.element(x, j) for j in range(truth.M)]

    return moved


def permuted(x: Tensor) -> list[Tensor]:
    order = torch.randperm(x.shape[1], generator=torch.Generator().manual_seed(1))
    return [x[:, order], x.flip(1)]


def about_the_jet(x: Tensor) -> list[Tensor]:
    """Rodrigues' formula, with the direction of each jet."""
    n = torch.nn.functional.normalize(x[..., 1:].sum(1), dim=-1)[:, None].expand_as(x[..., 1:])
    p = x[..., 1:]

    def turned(angle: float) -> Tensor:
        along = n * (n * p).sum(-1, keepdim=True)
        v = along + math.cos(angle) * (p - along) + math.sin(angle) * torch.linalg.cross(n, p)
        return torch.cat([x[..., :1], v], -1)

    return [turned(angle) for angle in (0.7, math.pi / 2, 2.9)]


def in_the_plane(x: Tensor) -> list[Tensor]:
    """(rapidity, phi) turned about the jet's, pT and mass kept."""
    pt, y, phi, mass, there = _cylinder(x)
    jet = x.sum(1, keepdim=True)
    _, y0, phi0, _, _ = _cylinder(jet)
    dy, dphi = y - y0, torch.remainder(phi - phi0 + math.pi, 2 * math.pi) - math.pi

    def turned(angle: float) -> Tensor:
        c, s = math.cos(angle), math.sin(angle)
        return momenta(pt, y0 + c * dy - s * dphi, phi0 + s * dy + c * dphi, mass) * there[..., None]

    return [turned(angle) for angle in (0.7, math.pi / 2, 2.9)]


def _cylinder(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    E, px, py, pz = x.unbind(-1)
    there = E > 0
    y = torch.atanh(pz / torch.where(there, E, 1.0))
    mass = (E**2 - px**2 - py**2 - pz**2).clamp(min=0).sqrt()
    return torch.hypot(px, py), y, torch.atan2(py, px), mass, there


JET_MAPS: dict[Transformation, Callable[[Tensor], list[Tensor]]] = {
    "rotation_x": generated("rotation_x", (0.6, 2.0)),
    "rotation_y": generated("rotation_y", (0.6, 2.0)),
    "rotation_z": generated("rotation_z", (0.6, 3.0)),
    "boost_x": generated("boost_x", (-0.8, 0.5)),
    "boost_y": generated("boost_y", (-0.8, 0.5)),
    "boost_z": generated("boost_z", (-1.0, 0.7)),
    "scale": generated("scale", (-0.9, 1.2)),
    "scale_along": generated("scale_along", (-0.9, 1.2)),
    "any_energy": generated("any_energy", (-0.3, 0.4)),
    "any_pz": generated("any_pz", (-0.3, 0.4)),
    "reflect_phi": reflected("reflect_phi"),
    "reflect_eta": reflected("reflect_eta"),
    "permutation": permuted,
    "axis_rotation": about_the_jet,
    "in_plane_rotation": in_the_plane,
}

IMAGE_MAPS: dict[Transformation, Callable[[Tensor], list[Tensor]]] = {
    "scale": lambda x: [0.5 * x, 3 * x],
    "reflect_phi": lambda x: [x.flip(3)],
    "reflect_eta": lambda x: [x.flip(2)],
    "quarter_turn": lambda x: [torch.rot90(x, k, (2, 3)) for k in (1, 2, 3)],
}
