"""Builder: makes data files by simulation, in chunks, so that several processes share the work and can resume it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

__all__ = ["Builder"]


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
