"""joint: does a symmetry preserve both the oracle and the distribution?"""

from __future__ import annotations

from typing import Any, ClassVar

from bench.contracts import Metric

__all__ = ["Joint"]


class Joint(Metric):
    """min(OP, DP), each clipped at 0. 0 if the oracle is not preserved; None if a score that decides does not apply."""

    version: ClassVar[int] = 1
    asks: ClassVar[frozenset[str]] = frozenset({"scores"})

    def score(self, **asked: Any) -> dict[str, float | None]:
        oracle = asked["scores"].get("oracle_preservation")
        distribution = asked["scores"].get("distribution_preservation")
        if oracle is not None and oracle <= 0:
            return {"joint": 0.0}
        if oracle is None or distribution is None:
            return {"joint": None}
        return {"joint": min(oracle, max(distribution, 0.0))}
