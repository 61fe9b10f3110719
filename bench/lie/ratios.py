"""Ratios of means over samples: what each sample counts for, and how far up a ratio may be."""

from __future__ import annotations

import math

from torch import Tensor

__all__ = ["softened", "upper_limits"]

SOFTENING = 0.1
ONE_SIDED = 1.645


def softened(speed: Tensor) -> Tensor:
    """q + 0.1 median q, over which samples are weighted so that a few fast ones do not decide.

    Arguments:
        speed: q, the squared speed of each sample, (n,). The median keeps the weight of one that stands still finite.
    """
    return (speed + SOFTENING * speed.median()).clamp(min=1e-300)


def upper_limits(changes: Tensor, speeds: Tensor) -> Tensor:
    """Upper 95 % limits, one-sided, of the ratios E c / E s: (K, n), (K, n) -> (K,).

    The deviation of a ratio of means by the delta method: that of c - (E c / E s) s, over sqrt(n) E s.
    """
    ratios = changes.mean(1) / speeds.mean(1)
    errors = (changes - ratios[:, None] * speeds).std(1) / speeds.mean(1)
    return ratios + ONE_SIDED * errors / math.sqrt(changes.shape[1])
