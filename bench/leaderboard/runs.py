"""Runs: the records under results/, each with the file that holds it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.records.record import Record
from bench.records.store import Store

__all__ = ["FAILURES", "Point", "Run", "load"]

FAILURES = ("failed", "timeout", "oom", "crashed")
Point = tuple[float, float | None]
"""A value and its standard error over the test samples, None where unknown."""


@dataclass(frozen=True)
class Run:
    """One record.

    Arguments:
        path: its file, relative to the results folder, with forward slashes.
        record: its content.
        stale: why its scores cannot stand beside the others'; None: they can.
    """

    path: str
    record: Record
    stale: str | None = None

    @property
    def seed(self) -> int:
        return int(self.record.spec["seed"])

    @property
    def declared(self) -> Mapping[str, Any]:
        """What the method, and the model, said of themselves: `uses`, `control`, `problems`."""
        return self.record.provenance.get("method") or {}

    @property
    def counts(self) -> bool:
        """Whether its scores and its cost enter the means."""
        return self.record.status == "ok" and self.stale is None

    @property
    def trouble(self) -> str | None:
        """What went wrong, in one line; None: nothing."""
        if self.record.status != "ok":
            return f"{self.record.status}: {self.record.reason or 'no reason recorded'}"
        return self.stale

    def point(self, score: str) -> Point | None:
        """A score with its standard error; None where it does not apply, is missing or is not finite."""
        value, error = self.record.scores.get(score), self.record.scores.get(f"{score}.se")
        if not self.counts or value is None or not math.isfinite(value):
            return None
        return value, error if error is not None and math.isfinite(error) else None

    def cost(self, name: str) -> Point | None:
        """A cost of the run; None where it was not measured."""
        value = self.record.cost.get(name)
        return None if not self.counts or value is None else (float(value), None)


def load(root: Path) -> list[Run]:
    """All runs under `root`, in the order of their files.

    Raises BenchError naming every unreadable record, or two records of one run that differ in identity.
    """
    store, runs, broken = Store(root), [], []
    for path in store.paths():
        try:
            record = store.read(path.parent.parent.name, path.parent.name, path.stem)
            if record is not None:
                runs.append(Run(path.relative_to(root).as_posix(), checked(record, path)))
        except BenchError as error:
            broken.append(str(error))
    if broken:
        raise BenchError("\n".join(broken))
    return runs


def checked(record: Record, path: Path) -> Record:
    """The record, if its spec says what was run."""
    wanted = ("dataset", "method", "seed")
    missing = [name for name in wanted if not isinstance(record.spec.get(name), int if name == "seed" else str)]
    if missing:
        raise BenchError(f"{path}: the spec lacks {', '.join(missing)}")
    return record


def without_repeats(runs: Sequence[Run]) -> list[Run]:
    """One run a seed, by seed; BenchError where two records of a seed differ in identity."""
    by_seed: dict[int, Run] = {}
    for run in sorted(runs, key=lambda run: run.path):
        first = by_seed.setdefault(run.seed, run)
        if first.record.identity != run.record.identity:
            raise BenchError(
                f"two records of one run that differ: {first.path} and {run.path}", "delete the older one"
            )
    return [by_seed[seed] for seed in sorted(by_seed)]
