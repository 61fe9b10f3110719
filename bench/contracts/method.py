"""Method: finds symmetries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from bench.contracts.symmetry import Symmetry
from bench.contracts.task import Task

__all__ = ["Method"]


class Method(ABC):
    """A frozen dataclass whose fields are its hyper-parameters.

    Class variables:
        actions: the kinds of action that it can search in; `()`: all of them.
        uses: what it needs of `oracle`, `labels`, `pairs`; `truth` is for controls alone.
        control: whether it is a control, shown on the leaderboard and never ranked.
        paper: where it was published.
    """

    actions: ClassVar[tuple[str, ...]] = ()
    uses: ClassVar[frozenset[str]] = frozenset({"oracle"})
    control: ClassVar[bool] = False
    paper: ClassVar[str] = ""

    @abstractmethod
    def discover(self, task: Task) -> Symmetry:
        """The symmetry found in the task; K = M = 0 if none."""
