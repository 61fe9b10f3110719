"""Which one is real? Whether images are distributed as their transformed copies are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.networks import ImageEncoder
from bench.training import Schedule, initialise, optimise

__all__ = ["CANDIDATES", "Verdict", "area", "symmetry_check", "which_is_real"]

Map: TypeAlias = Callable[[Tensor], Tensor]

CANDIDATES: Mapping[str, Map] = {
    "reflection of the rows": lambda x: x.flip(-2),
    "reflection of the columns": lambda x: x.flip(-1),
    "a quarter turn": lambda x: torch.rot90(x, 1, (-2, -1)),
}
"""Maps of the grid onto itself: they interpolate nothing, which would show."""

FOLDS = 5
SIDE = 9
KNEE = 0.03
WIDTH = 8
HIDDEN = 32
STEPS = 400
BATCH = 64


@dataclass(frozen=True)
class Verdict:
    """How well a network tells images from their transformed copies.

    Arguments:
        auc: 1/2 where it cannot.
        error: standard error of it, from the number of images.
    """

    auc: float
    error: float


def symmetry_check(x: Tensor, seed: int = 0, effort: float = 1.0) -> dict[str, Verdict]:
    """The verdict on each of `CANDIDATES`, quarter turns of square images alone: x (N, C, H, W)."""
    square = x.shape[-1] == x.shape[-2]
    return {
        name: which_is_real(x, transform, seed, effort)
        for name, transform in CANDIDATES.items()
        if square or name != "a quarter turn"
    }


def which_is_real(x: Tensor, transform: Map, seed: int = 0, effort: float = 1.0) -> Verdict:
    """AUC of f(x) against f(T x) on held-out images, f trained to order the two (Tombs and Lester, arXiv:2111.05442).

    f is a small convolutional network, fitted five times, each time scored on the fifth of the images that it has not
    seen. Images are shown as means over at most 9 x 9 blocks, in logarithms: of some hundred sparse images a network
    learns by heart what is finer (631 real jets, quarter turns: AUC 0.75 with 9 x 9 blocks, 0.63 with 32 x 32).

    Arguments:
        x: images (N, C, H, W) as they are stored: where the object is half a pixel off the centre, a reflection shows.
        transform: T, (N, C, H, W) -> (N, C, H, W).
        seed: of the folds, the weights and the batches.
        effort: multiple of the standard 400 steps a fit.
    """
    real, copy = _shown(x), _shown(transform(x))
    draw = torch.Generator().manual_seed(seed)
    fold = torch.randperm(len(x), generator=draw) % FOLDS
    areas, influences = [], []
    for k in range(FOLDS):
        f = _fit(real[fold != k], copy[fold != k], seed + k, effort, draw)
        with torch.no_grad():
            auc, influence = area(f(real[fold == k])[:, 0], f(copy[fold == k])[:, 0])
        areas.append(auc)
        influences.append(influence)
    each = torch.cat(influences)
    return Verdict(sum(areas) / FOLDS, (each.std() / math.sqrt(len(each))).item())


def area(real: Tensor, copy: Tensor) -> tuple[float, Tensor]:
    """P(real > copy), ties counting half, of scores (n,) of the same images, and the influence of each image on it.

    With a_i = P(real_i > copy), b_i = P(real > copy_i), the influence a_i + b_i - 2 AUC has mean 0, and the square of
    the standard error is its variance / n (DeLong, DeLong and Clarke-Pearson 1988, both samples of the same images).
    """
    above = (real[:, None] > copy).double() + (real[:, None] == copy).double() / 2
    auc = above.mean()
    return auc.item(), above.mean(1) + above.mean(0) - 2 * auc


def _shown(x: Tensor) -> Tensor:
    """sign(x) ln(1 + |x| / s) of blocks whose borders are mirror images of each other, s = 3 % of the channel's RMS."""
    height, width = (min(side, SIDE) for side in x.shape[-2:])
    small = F.adaptive_avg_pool2d(x.float(), (height, width))
    scale = KNEE * small.square().mean((0, 2, 3), keepdim=True).sqrt().clamp(min=1e-12)
    return small.sign() * torch.log1p(small.abs() / scale)


def _fit(real: Tensor, copy: Tensor, seed: int, effort: float, draw: torch.Generator) -> ImageEncoder:
    """The network with the least mean of ln(1 + exp(f(copy) - f(real))) on a fifth that is not trained on."""
    f = ImageEncoder(real.shape[1:], 1, WIDTH, HIDDEN, normalise=True)
    initialise(f, seed)
    held = len(real) // FOLDS
    train, valid = slice(held, None), slice(0, held)

    def margin(a: Tensor, b: Tensor) -> Tensor:
        first, second = f(torch.cat([a, b])).chunk(2)
        return F.softplus(second - first).mean()

    def loss(index: Tensor, done: float) -> Tensor:
        return margin(real[train][index], copy[train][index])

    def valid_loss() -> float:
        return margin(real[valid], copy[valid]).item()

    optimise(f, loss, valid_loss, len(real) - held, Schedule(max(1, round(STEPS * effort)), BATCH, decay=0.05), draw)
    return f
