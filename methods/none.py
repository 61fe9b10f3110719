"""Control: nothing was found."""

from __future__ import annotations

from dataclasses import dataclass

from bench.contracts import Method, NoSymmetry, Symmetry, Task

__all__ = ["Nothing"]


@dataclass(frozen=True)
class Nothing(Method):
    """Claims no symmetry, K = M = 0: a valid answer, and the floor of every score."""

    uses = frozenset()
    control = True

    def discover(self, task: Task) -> Symmetry:
        return NoSymmetry(task.action)
