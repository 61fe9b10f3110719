"""Which rows of a table are training, validation and test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.contracts.samples import Split

__all__ = ["split_rows"]

STREAMS = ("test split", "split")


def split_rows(count: int, split: Split, seed: int, test: float = 0.2, valid: float = 0.1) -> NDArray[np.int64]:
    """The rows of a split, shuffled: a fifth is the test split, always the same; the rest is divided by the seed.

    Arguments:
        count: rows in all.
        test, valid: shares of all rows.
    """
    order = _generator(0, "test split").permutation(count)
    tests, validating = round(test * count), round(valid * count)
    if split == "test":
        return order[:tests]
    rest = _generator(seed, "split").permutation(order[tests:])
    return rest[:validating] if split == "valid" else rest[validating:]


def _generator(seed: int, stream: str) -> np.random.Generator:
    return np.random.default_rng([STREAMS.index(stream), seed])
