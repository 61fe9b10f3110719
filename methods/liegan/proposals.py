"""The player of LieGAN: samples and labels moved by random elements of R x K generators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.contracts import Action, Samples

from .._adversarial import Critics, Features, Player, repeated, told_apart
from .._image_features import ImageFeatures
from .generators import Generators

__all__ = ["Penalties", "Proposals", "principal", "promote"]

Draw = Callable[[tuple[int, ...]], Tensor]


@dataclass(frozen=True)
class Penalties:
    """Weights of what keeps free generators from the identity and from each other.

    Arguments:
        movement: of E |cos(x, g x)|, in standardised features.
        size: of (|L_k| - 1)^2, speeds in units of the deviation of the samples.
        orthogonality: of cos(L_k, L_l)^2.
        fourier: take the movement of images between the amplitudes of their Fourier transforms, to which
            translations are no movement.
    """

    movement: float
    size: float
    orthogonality: float
    fourier: bool


class Proposals(Player):
    """(g x, g y) if the action has a target, (g x, y) if the label stays; g = exp(sum_k z_k L_k), z for each sample.

    Arguments:
        coefficients: shape -> z.
    """

    def __init__(
        self, action: Action, generators: Generators, coefficients: Draw, features: Features, weights: Penalties
    ) -> None:
        super().__init__()
        self.action, self.generators, self.coefficients = action, generators, coefficients
        self.features, self.weights = features, weights

    def still(self, samples: Samples) -> Tensor:
        seen = self.features(samples.x, samples.y)
        return seen.expand(len(self.generators.raw), *seen.shape)

    def moved(self, samples: Samples) -> Tensor:
        R, K = self.generators.raw.shape[:2]
        g = self.generators.elements(self.coefficients((R, len(samples), K)).to(samples.x)).flatten(0, 1)
        x = self.action.act(g, repeated(samples.x, R))
        y = None if samples.y is None else repeated(samples.y, R)
        if y is not None and self.action.target is not None:
            y = self.action.target.act(g, y)
        seen = self.features(x, y)
        return seen.reshape(R, -1, seen.shape[-1])

    def penalty(self, samples: Samples, moved: Tensor) -> Tensor:
        total = moved.new_zeros(())
        if self.weights.movement:
            total = total + self.weights.movement * self._alike(self.still(samples), moved)
        if self.weights.size or self.weights.orthogonality:
            c = self.generators.coefficients()
            lengths = c.norm(dim=-1)
            cosines = torch.einsum("rkp,rlp->rkl", c, c) / (lengths[:, :, None] * lengths[:, None]).clamp(min=1e-9)
            total = total + self.weights.size * (lengths - 1).square().sum()
            total = total + self.weights.orthogonality * cosines.triu(1).square().sum()
        return total

    def _alike(self, still: Tensor, moved: Tensor) -> Tensor:
        if self.weights.fourier and isinstance(self.features, ImageFeatures):
            images = self.features.images
            still, moved = (torch.fft.rfft2(images(seen)).abs().flatten(2) for seen in (still, moved))
        return F.cosine_similarity(still, moved, dim=-1).abs().mean(1).sum()


def promote(critics: Critics, proposals: Proposals, samples: Samples, most: int) -> None:
    """Replace each generator L of a restart by the multiple m L, m <= most, whose elements critics tell apart least.

    With whole-numbered coefficients up to `most`, a game is also even where the m-th power of exp(L) is a symmetry
    and the lower ones are not: the angle is then a fraction of the right one.
    """
    half, drawn = len(samples) // 2, proposals.coefficients
    told = []
    with torch.no_grad():
        still = proposals.still(samples[:half])
        for multiple in range(1, most + 1):
            proposals.coefficients = partial(_signed, drawn, multiple)
            told.append(told_apart(critics, still, proposals.moved(samples[half:])))
        proposals.coefficients = drawn
        proposals.generators.raw.mul_(1 + torch.stack(told).argmin(0)[:, None, None])


def _signed(drawn: Draw, multiple: int, shape: tuple[int, ...]) -> Tensor:
    return multiple * drawn(shape).sign()


def principal(critics: Critics, proposals: Proposals, samples: Samples, restart: int) -> Tensor:
    """An orthogonal matrix (K, K): the directions z of a restart, first the one along which critics notice least.

    Critics have seen elements with random z. Their logits of g x are fitted by a - z'Hz, and the rows are the
    eigenvectors of H in ascending order: a wrong channel then stands alone instead of being mixed into all.
    """
    R, K = proposals.generators.raw.shape[:2]
    drawn = proposals.coefficients
    z = drawn((R, len(samples), K)).to(samples.x)
    with torch.no_grad():
        proposals.coefficients = lambda shape: z
        logits = critics(proposals.moved(samples))[restart]
        proposals.coefficients = drawn
    i, j = torch.triu_indices(K, K)
    pairs = z[restart][:, i] * z[restart][:, j]
    fit = torch.linalg.lstsq(torch.cat([pairs, torch.ones_like(pairs[:, :1])], 1), -logits[:, None]).solution[:-1, 0]
    H = logits.new_zeros(K, K)
    H[i, j] = fit / 2
    rows: Tensor = torch.linalg.eigh(H + H.T)[1].T
    return rows
