"""Builder: makes data files by simulation, in chunks, so that several processes share the work and can resume it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

__all__ = ["Builder", "chunk_seed"]


class Builder(ABC):
    """A frozen dataclass whose fields are its parameters; the same parameters and seed give the same bytes.

    Class variables:
        events: events in a chunk; the last one may have fewer.
        forms: the file formats that it writes, the default first.
    """

    events: ClassVar[int]
    forms: ClassVar[tuple[str, ...]]
    seed: int

    @abstractmethod
    def chunk(self, index: int, count: int, path: Path) -> None:
        """Write chunk `index`, of `count` events, to a file; what is random in it comes from the seed and the index."""

    @abstractmethod
    def join(self, chunks: Sequence[Path], path: Path, form: str) -> None:
        """Write the events of all chunks, in their order, as one file."""


def chunk_seed(seed: int, index: int) -> int:
    """A seed of a chunk's own, 0 < s < 900,000,000, the range of Pythia's; index -1 is for what all chunks share."""
    return int(np.random.SeedSequence((seed, index + 1)).generate_state(1)[0] % 899_999_999) + 1
