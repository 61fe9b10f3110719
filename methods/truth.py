"""Control: the named symmetry."""

from __future__ import annotations

from dataclasses import dataclass

from bench.contracts import BenchError, Method, Symmetry, Task

__all__ = ["Truth"]


@dataclass(frozen=True)
class Truth(Method):
    """Hands back the true symmetry of the track: the reference line of every score."""

    uses = frozenset({"truth"})
    control = True

    def discover(self, task: Task) -> Symmetry:
        """Raises BenchError where the truth of the track is unknown."""
        if task.truth is None:
            raise BenchError("the truth of this track is unknown", "run the control on a track that has a truth")
        return task.truth
