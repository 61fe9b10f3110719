"""Control: random fields of the action."""

from __future__ import annotations

from dataclasses import dataclass

from bench.contracts import Method, Symmetry, Task

__all__ = ["RandomField"]


@dataclass(frozen=True)
class RandomField(Method):
    """K random fields of the action at RMS speed 1 over the training samples: the level of chance.

    Arguments:
        K: number of fields.
    """

    K: int = 1

    uses = frozenset()
    control = True

    def discover(self, task: Task) -> Symmetry:
        return task.action.random(self.K, task.train.x, task.seed)
