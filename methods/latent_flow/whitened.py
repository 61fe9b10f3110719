"""Symmetries that work on whitened samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bench.contracts import Action, Symmetry

__all__ = ["Whitened"]


class Whitened(Symmetry):
    """A symmetry that is given in u = W (z - m), where the training samples have mean 0 and covariance 1.

    Arguments:
        K: number of fields.
    """

    def __init__(self, action: Action, K: int) -> None:
        super().__init__(action, K)
        self.D = math.prod(action.shape)
        self.mean: Tensor
        self.whitening: Tensor
        self.unwhitening: Tensor
        self.register_buffer("mean", torch.zeros(self.D))
        self.register_buffer("whitening", torch.eye(self.D))
        self.register_buffer("unwhitening", torch.eye(self.D))

    def fit_whitening(self, x: Tensor) -> None:
        """Take m and the symmetric W from samples x (B, *s)."""
        flat = x.flatten(1).double()
        values, vectors = torch.linalg.eigh(torch.cov(flat.T))
        scale = values.clamp(min=1e-6 * values.max().item()).sqrt()
        self.mean = flat.mean(0).to(x)
        self.whitening = (vectors / scale @ vectors.T).to(x)
        self.unwhitening = (vectors * scale @ vectors.T).to(x)

    def whiten(self, x: Tensor) -> Tensor:
        """(B, *s) -> u (B, D)."""
        return (x.flatten(1) - self.mean) @ self.whitening

    def unwhiten(self, u: Tensor) -> Tensor:
        """u (B, D) -> (B, *s)."""
        return (u @ self.unwhitening + self.mean).reshape(-1, *self.action.shape)

    def flow(self, u: Tensor, t: Tensor) -> Tensor:
        """`transform` in u, one t for each group of samples: u (C, B, D), t (C, K) -> (C, B, D)."""
        raise NotImplementedError
