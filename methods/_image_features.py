"""What critics see of images: their principal components."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.contracts import Action, BenchError, Samples

from ._adversarial import Features

__all__ = ["ImageFeatures", "check_detail", "features_for"]

FEW = 2048


class ImageFeatures(Features):
    """Large principal components of images, each in units of its deviation, and labels.

    Resampling makes pixels that hardly vary vary a little less or more; in units of their own deviations that alone
    would tell a moved image from one that stands still.

    Arguments:
        samples: images (N, C, H, W); they set all scales, the first 2048 the components.
        detail: share of the largest variance that a component needs to be seen.
    """

    def __init__(self, samples: Samples, detail: float) -> None:
        self.shape = samples.x.shape[1:]
        few = samples.x[:FEW].flatten(1)
        _, size, axes = torch.linalg.svd(few - few.mean(0), full_matrices=False)
        self.axes = axes[size.square() > detail * size[0].square()].T
        super().__init__(samples)

    def _flat(self, x: Tensor, y: Tensor | None) -> Tensor:
        return super()._flat(x.flatten(1) @ self.axes, y)

    def images(self, seen: Tensor) -> Tensor:
        """The images that look so, less their mean: (..., F) -> (..., C, H, W)."""
        components = seen[..., : self.axes.shape[1]] / self.scale[: self.axes.shape[1]]
        images: Tensor = (components @ self.axes.T).unflatten(-1, self.shape)
        return images


def features_for(action: Action, samples: Samples, detail: float) -> Features:
    """Components of images, products of four-vectors, or the numbers of a sample; and its label."""
    if action.kind == "image_affine":
        return ImageFeatures(samples, detail)
    return Features(samples, action.shape[0] if action.kind == "four_vector" else 0)


def check_detail(detail: float) -> None:
    """Raises BenchError where it is no share that leaves a component."""
    if not 0 <= detail < 1:
        raise BenchError(f"detail = {detail}; allowed is at least 0 and less than 1", "for example 0.02", usage=True)
