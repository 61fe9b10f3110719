"""Dataset: a named source of samples, with the actions, oracles and truths that go with them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from bench.contracts.action import Action
from bench.contracts.oracle import Oracle
from bench.contracts.samples import Samples, Split
from bench.contracts.symmetry import Symmetry

__all__ = ["Dataset"]


class Dataset(ABC):
    """A frozen dataclass whose fields are its parameters.

    Class variables:
        track: the default (representation, oracle, action).
        paper: where the data come from.
        builder: "module:class" of the Builder that simulates its files; "": none.
    """

    track: ClassVar[tuple[str, str, str]]
    paper: ClassVar[str] = ""
    builder: ClassVar[str] = ""

    def files(self) -> Sequence[Path]:
        """The files that it reads, for their hash; () if it is generated. BenchError if one cannot be had."""
        return ()

    def facts(self) -> Mapping[str, str]:
        """What a reader of the record must know of the samples, each in a few words.

        `source`: "simulated", "file" or "download", where samples can be of more than one kind.
        """
        return {}

    @abstractmethod
    def load(self, split: Split, seed: int) -> Samples:
        """The samples of a split; what is random in them (rotation, subset) comes from the seed."""

    def plain(self) -> Dataset:
        """The same data set without copies made for training: every sample once, as p(x) is judged by."""
        return self

    def downstream(self) -> Dataset:
        """What downstream models learn from and are tested on, of the same shape and labels: every sample once."""
        return self.plain()

    @abstractmethod
    def actions(self) -> Mapping[str, Action]:
        """The actions on the samples, by name."""

    @abstractmethod
    def oracles(self) -> Mapping[str, Oracle]:
        """The oracles, by name, not yet trained."""

    def truth(self, action: str, law: str) -> Symmetry | None:
        """The true symmetry in an action, of a law: an oracle's name, "labels", or "sample" for p(x).

        None: unknown. K = M = 0: known to be none.
        """
        return None
