"""Forms "flow" and "normal": linear generators behind an invertible map, z' = f^-1(exp(t L) f(z))."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from zuko.flows import GeneralCouplingTransform
from zuko.transforms import ComposedTransform, DependentTransform, IdentityTransform, MonotonicAffineTransform

from bench.contracts import Action, Symmetry

from .whitened import Whitened

__all__ = ["WarpedGenerators"]


class WarpedGenerators(Whitened):
    """v_k(z) = Df(z)^-1 L_k f(z), with the exact flow z' = f^-1(exp(sum_k t_k L_k) f(z)).

    f whitens the samples and passes them through affine coupling layers (Dinh et al., arXiv:1605.08803), each with a
    mask of its own. With `rotation`, L_k is antisymmetric: where f(z) is standard normal, the flow keeps p(z).

    Arguments:
        K: number of generators, L (K, D, D).
        layers: number of coupling layers; 0: f whitens and no more.
        width: units of the two hidden layers of each coupling network.
        rotation: whether L_k is antisymmetric.
    """

    def __init__(self, action: Action, K: int, layers: int = 0, width: int = 64, rotation: bool = True) -> None:
        super().__init__(action, K)
        self.layers, self.width, self.rotation = layers, width, rotation
        affine = partial(MonotonicAffineTransform, slope=0.1)
        self.couplings = nn.ModuleList(
            GeneralCouplingTransform(
                self.D, mask=mask, univariate=affine, hidden_features=(width, width), activation=nn.SiLU
            )
            for mask in alternating_masks(self.D, layers)
        )
        self.raw = nn.Parameter(torch.zeros(K, self.D, self.D))

    def config(self) -> dict[str, Any]:
        return {"K": self.K, "layers": self.layers, "width": self.width, "rotation": self.rotation}

    @property
    def generators(self) -> Tensor:
        """L_k in the flowed space, (K, D, D)."""
        return (self.raw - self.raw.mT) / 2 if self.rotation else self.raw

    def map(self) -> ComposedTransform:
        """f on whitened samples, as a zuko transform."""
        layers = [coupling() for coupling in self.couplings]
        return ComposedTransform(*layers or [DependentTransform(IdentityTransform(), 1)])

    def log_density(self, u: Tensor) -> Tensor:
        """log p(u) up to a constant, for f(u) standard normal: whitened (B, D) -> (B,)."""
        w, volume = self.map().call_and_ladj(u)
        density: Tensor = volume - 0.5 * w.square().sum(1)
        return density

    def forward(self, x: Tensor) -> Tensor:
        """w = f(x): (B, *s) -> (B, D)."""
        w: Tensor = self.map()(self.whiten(x))
        return w

    def inverse(self, w: Tensor) -> Tensor:
        """f^-1(w): (B, D) -> (B, *s)."""
        return self.unwhiten(self.map().inv(w))

    def velocity(self, x: Tensor) -> Tensor:
        w = self(x)
        moves = torch.einsum("kij,bj->kbi", self.generators.to(w), w)
        return torch.stack([torch.func.jvp(self.inverse, (w,), (move,))[1] for move in moves])

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        g = torch.linalg.matrix_exp(torch.einsum("bk,kij->bij", t, self.generators.to(t)))
        return self.inverse(torch.einsum("bij,bj->bi", g, self(x)))

    def flow(self, u: Tensor, t: Tensor) -> Tensor:
        return self.turn(self.map()(u), t)

    def turn(self, w: Tensor, t: Tensor) -> Tensor:
        """From flowed samples w (C, B, D), t (C, K), to moved whitened ones."""
        g = torch.linalg.matrix_exp(torch.einsum("ck,kij->cij", t, self.generators))
        moved: Tensor = self.map().inv(torch.einsum("cij,cbj->cbi", g, w))
        return moved

    def mix(self, c: Tensor) -> None:
        """Replace the generators by sum_k c_jk L_k, c (K, K)."""
        with torch.no_grad():
            self.raw.copy_(torch.einsum("jk,kab->jab", c.to(self.raw), self.raw))

    def combine(self, c: Tensor) -> Symmetry:
        mixed = WarpedGenerators(self.action, len(c), self.layers, self.width, self.rotation).to(self.raw)
        mixed.load_state_dict(self.state_dict() | {
            "raw": torch.einsum("jk,kab->jab", c.to(self.raw), self.raw.detach()),
            "scores": torch.zeros(len(c)),
        })
        return mixed


def alternating_masks(D: int, layers: int) -> list[Tensor]:
    """Halves of D coordinates, as masks (D,): a random one, then its complement, and so on."""
    masks = []
    for layer in range(layers):
        if layer % 2 == 0:
            mask = torch.zeros(D, dtype=torch.bool)
            mask[torch.randperm(D)[: D // 2]] = True
        else:
            mask = ~mask
        masks.append(mask)
    return masks
