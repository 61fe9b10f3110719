"""A variational autoencoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.contracts.representation import Representation, View
from bench.contracts.samples import Progress, Samples, silent
from bench.errors import BenchError
from bench.networks import ImageDecoder, ImageEncoder
from bench.training import Schedule, initialise, optimise

__all__ = ["VAE", "VariationalView"]

HIDDEN = 256
ANNEALING = 0.2


class VariationalView(View):
    """z = mean of the posterior q(z | x), x^ = mean of the likelihood p(x | z).

    Arguments:
        recipe: the sizes and the likelihood.
        sample: (C, H, W).
    """

    def __init__(self, recipe: VAE, sample: Sequence[int]) -> None:
        super().__init__()
        self.shape = (recipe.latents,)
        self.recipe = recipe
        self.encoder = ImageEncoder(sample, 2 * recipe.latents, recipe.width, HIDDEN)
        self.decoder = ImageDecoder(sample, recipe.latents, recipe.width, HIDDEN)

    def encode(self, x: Tensor) -> Tensor:
        return self.posterior(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        out: Tensor = self.decoder(z)
        return torch.sigmoid(out) if self.recipe.likelihood == "bernoulli" else out

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of q(z | x), each (B, latents)."""
        mean, log_variance = self.encoder(x).chunk(2, 1)
        return mean, log_variance

    def divergence(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """E[-log p(x | z)] at z = mean + deviation noise, up to a constant, and KL(q || N(0, 1)), in nats."""
        mean, log_variance = self.posterior(x)
        out = self.decoder(mean + noise * torch.exp(0.5 * log_variance))
        if self.recipe.likelihood == "bernoulli":
            miss = F.binary_cross_entropy_with_logits(out, x, reduction="sum") / len(x)
        else:
            miss = (out - x).square().sum() / (2 * self.recipe.noise**2 * len(x))
        kl = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1).mean()
        return miss, kl


@dataclass(frozen=True)
class VAE(Representation):
    """beta-VAE (Kingma and Welling, arXiv:1312.6114; Higgins et al., 2017) with smooth convolutional networks.

    The loss E[-log p(x | z)] + beta KL(q || N(0, 1)); beta rises from 0 over the first fifth of the training.

    Arguments:
        latents: size of z.
        beta: weight of the divergence.
        likelihood: "gaussian" for any pixels; "bernoulli" for pixels in [0, 1], which leaves more latents unused.
        noise: deviation of a Gaussian pixel; the larger, the blurrier the image and the more normal the latents.
        width: channels at the finest convolution.
        steps: optimiser steps at effort 1.
        batch: samples a step.
        rate: highest learning rate.
    """

    latents: int = 16
    beta: float = 1.0
    likelihood: Literal["bernoulli", "gaussian"] = "gaussian"
    noise: float = 0.15
    width: int = 8
    steps: int = 3600
    batch: int = 128
    rate: float = 3e-3

    def __post_init__(self) -> None:
        if self.likelihood not in ("bernoulli", "gaussian"):
            what = f"likelihood = {self.likelihood!r}; allowed are 'bernoulli' and 'gaussian'"
            raise BenchError(what, "bernoulli is for pixels in [0, 1]")
        if min(self.latents, self.width, self.steps, self.batch) < 1:
            raise BenchError("latents, width, steps and batch are at least 1", "for example latents=16")

    def build(self, shape: Sequence[int]) -> VariationalView:
        if len(shape) != 3:
            what = f"a VAE of samples of shape {tuple(shape)}; it takes images (C, H, W)"
            raise BenchError(what, "choose --representation pca or identity")
        return VariationalView(self, shape)

    def fit(
        self, train: Samples, valid: Samples, *, seed: int, effort: float = 1.0, progress: Progress = silent
    ) -> tuple[View, dict[str, float]]:
        """The state that is best on validation; its figures mse, explained_variance, kl, active latents."""
        view = self.build(train.x.shape[1:]).to(train.x)
        initialise(view, seed)
        draw = torch.Generator().manual_seed(seed)
        fixed = torch.randn(len(valid), self.latents, generator=draw).to(train.x)

        def loss(index: Tensor, done: float) -> Tensor:
            noise = torch.randn(len(index), self.latents, generator=draw).to(train.x)
            miss, kl = view.divergence(train.x[index], noise)
            return miss + self.beta * min(1.0, done / ANNEALING) * kl

        def valid_loss() -> float:
            miss, kl = view.divergence(valid.x, fixed)
            return (miss + self.beta * kl).item()

        schedule = Schedule(max(1, round(self.steps * effort)), self.batch, self.rate)
        optimise(view, loss, valid_loss, len(train), schedule, draw, progress)
        return view, _figures(view, valid, fixed)


@torch.no_grad()
def _figures(view: VariationalView, valid: Samples, noise: Tensor) -> dict[str, float]:
    z = view.encode(valid.x)
    error = (view.decode(z) - valid.x).square().mean().item()
    variance = (valid.x - valid.x.mean(0)).square().mean().item()
    return {
        "mse": error,
        "explained_variance": 1 - error / variance,
        "kl": view.divergence(valid.x, noise)[1].item(),
        "active": (z.var(0) > 0.1).sum().item(),
    }
