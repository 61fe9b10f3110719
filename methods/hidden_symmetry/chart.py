"""An invertible change of coordinates, near the identity when it is new."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Chart", "Coupling"]

STRETCH = 2.0


class Coupling(nn.Module):
    """z = u on some coordinates and u exp(s) + b on the others, s and b networks of the first (arXiv:1605.08803).

    Arguments:
        fixed: 1 for the coordinates that stay, 0 for those that move, (D,).
        width: units of the two hidden layers.
    """

    def __init__(self, fixed: Tensor, width: int) -> None:
        super().__init__()
        D = len(fixed)
        self.fixed: Tensor
        self.register_buffer("fixed", fixed)
        self.last = nn.Linear(width, 2 * D)
        self.hidden = nn.Sequential(nn.Linear(D, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def _given(self, fixed: Tensor) -> tuple[Tensor, Tensor]:
        s, b = self.last(self.hidden(fixed)).chunk(2, -1)
        moves = 1 - self.fixed
        return moves * STRETCH * torch.tanh(s / STRETCH), moves * b

    def forward(self, u: Tensor) -> Tensor:
        """(B, D) -> (B, D)."""
        s, b = self._given(u * self.fixed)
        z: Tensor = u * s.exp() + b
        return z

    def inverse(self, z: Tensor) -> Tensor:
        """(B, D) -> (B, D)."""
        s, b = self._given(z * self.fixed)
        u: Tensor = (z - b) * (-s).exp()
        return u


class Chart(nn.Module):
    """f: samples whitened, then passed through couplings: z = f(x), (B, D) -> (B, D). New, it whitens and no more.

    Arguments:
        D: number of coordinates.
        layers: of couplings; each moves one coordinate by all the others, in turn.
        width: units of their hidden layers.
    """

    def __init__(self, D: int, layers: int, width: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.whitening: Tensor
        self.unwhitening: Tensor
        self.register_buffer("mean", torch.zeros(D))
        self.register_buffer("whitening", torch.eye(D))
        self.register_buffer("unwhitening", torch.eye(D))
        fixed = 1 - torch.eye(D)
        self.couplings = nn.ModuleList(Coupling(fixed[i % D], width) for i in range(layers))

    def fit_whitening(self, x: Tensor) -> None:
        """Mean 0 and covariance 1 over samples x (B, D)."""
        values, vectors = torch.linalg.eigh(torch.cov(x.double().T).reshape(x.shape[1], -1))
        scale = values.clamp(min=1e-6 * values.max().item()).sqrt()
        self.mean = x.mean(0)
        self.whitening = (vectors / scale @ vectors.T).to(x)
        self.unwhitening = (vectors * scale @ vectors.T).to(x)

    def forward(self, x: Tensor) -> Tensor:
        z = (x - self.mean) @ self.whitening
        for coupling in self.couplings:
            z = coupling(z)
        return z

    def inverse(self, z: Tensor) -> Tensor:
        """x = f^-1(z)."""
        for coupling in reversed(self.couplings):
            assert isinstance(coupling, Coupling)
            z = coupling.inverse(z)
        x: Tensor = z @ self.unwhitening + self.mean
        return x

    def mix(self, S: Tensor) -> None:
        """A new linear part: the whitened samples u become S u before the couplings."""
        scaled = S * (len(S) / S.square().sum()).sqrt()
        self.whitening = self.whitening @ scaled.T
        self.unwhitening = torch.linalg.inv(scaled.T) @ self.unwhitening
