"""A variational autoencoder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.contracts.representation import Representation, View
from bench.contracts.samples import Progress, Samples, silent
from bench.errors import BenchError
from bench.networks import ImageDecoder, ImageEncoder
from bench.training import initialise, train

__all__ = ["VAE", "VariationalView"]


class VariationalView(View):
    """z = the posterior's mean, x^ = the likelihood's mean."""

    def __init__(self, recipe: VAE, sample: Sequence[int]) -> None:
        super().__init__()
        self.shape = (recipe.latents,)
        self.sigmoid = recipe.output == "sigmoid"
        self.encoder = ImageEncoder(sample, 2 * recipe.latents, recipe.encoder_width, recipe.hidden)
        self.decoder = ImageDecoder(sample, recipe.latents, recipe.width, recipe.hidden)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of q(z | x), each (B, latents)."""
        mean, log_variance = self.encoder(x).chunk(2, 1)
        return mean, log_variance

    def encode(self, x: Tensor) -> Tensor:
        return self.posterior(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        out: Tensor = self.decoder(z)
        return torch.sigmoid(out) if self.sigmoid else out


@dataclass(frozen=True)
class VAE(Representation):
    latents: int = 16
    beta: float = 1.0
    noise: float = 0.1
    loss: str = "bce"
    output: Literal["sigmoid", "linear"] = "sigmoid"
    width: int = 16
    encoder_width: int = 16
    hidden: int = 256
    steps: int = 1000
    batch: int = 256
    rate: float = 2e-3
    annealing: float = 0.2
    cycle: float = 0.0

    def build(self, shape: Sequence[int]) -> VariationalView:
        return VariationalView(self, shape)

    def fit(
        self, train_: Samples, valid: Samples, *, seed: int, effort: float = 1.0, progress: Progress = silent
    ) -> tuple[View, dict[str, float]]:
        x = train_.x
        view = self.build(x.shape[1:]).to(x)
        initialise(view, seed)
        draw = torch.Generator().manual_seed(seed)

        def parts(view, x, noise):
            mean, log_variance = view.posterior(x)
            z = mean + noise * torch.exp(0.5 * log_variance)
            out = view.decoder(z)
            if self.loss == "bce":
                miss = F.binary_cross_entropy_with_logits(out, x, reduction="none").flatten(1).sum(1)
            else:
                out = torch.sigmoid(out) if view.sigmoid else out
                miss = (out - x).square().flatten(1).sum(1) / (2 * self.noise**2)
            kl = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1)
            return miss.mean(), kl.mean()

        def loss(index, done):
            noise = torch.randn(len(index), self.latents, generator=draw).to(x)
            miss, kl = parts(view, x[index], noise)
            beta = self.beta * min(1.0, done / self.annealing)
            value = miss + beta * kl
            if self.cycle:
                z = torch.randn(len(index), self.latents, generator=draw).to(x)
                value = value + self.cycle * (view.encode(view.decode(z)) - z).square().sum(1).mean()
            return value
        vn = torch.randn(len(valid), self.latents, generator=draw).to(x)
        def valid_loss():
            miss, kl = parts(view, valid.x, vn)
            return float(miss + self.beta * kl)
        train(view, loss, valid_loss, size=len(x), steps=max(1, round(self.steps * effort)), batch=self.batch, rate=self.rate, draw=draw, progress=progress)
        with torch.no_grad():
            error = (view.decode(view.encode(valid.x)) - valid.x).square().mean().item()
            variance = (valid.x - valid.x.mean(0)).square().mean().item()
            kl = parts(view, valid.x, vn)[1].item()
        return view, {"mse": error, "explained_variance": 1 - error / variance, "kl": kl}
