"""The command that reproduces a row."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from bench.jobs.specs import BUILT_IN
from bench.leaderboard.naming import shown
from bench.leaderboard.tables import Row

__all__ = ["reproduce", "seed_ranges"]

ASKED = ("dataset", "representation", "oracle", "action", "budget")


def reproduce(row: Row) -> str:
    """The `bench run ...` that makes the row's records again."""
    spec = row.runs[0].record.spec
    words = ["bench", "run", *learner(spec)]
    for name in ASKED:
        if spec.get(name) is not None:
            words += [f"--{name}", str(spec[name])]
    words += ["--seeds", seed_ranges([run.seed for run in row.runs])]
    for component, chosen in sorted((spec.get("set") or {}).items()):
        for name, value in sorted((chosen or {}).items()):
            words += ["--set", f"{component}.{name}={shown(value)}"]
    return shlex.join(words)


def learner(spec: Mapping[str, Any]) -> list[str]:
    """What is run: a method, or a model with the symmetry and the training samples that it is given."""
    if not spec.get("model"):
        return ["--method", str(spec["method"])]
    source = [] if spec["method"] == BUILT_IN else ["--symmetry", str(spec["method"])]
    return ["--model", str(spec["model"]), *source, "--n", str(spec.get("n") or "all")]


def seed_ranges(seeds: Sequence[int]) -> str:
    """`0-2,5` for 0, 1, 2, 5."""
    ranges: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if ranges and seed == ranges[-1][-1] + 1:
            ranges[-1].append(seed)
        else:
            ranges.append([seed])
    return ",".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in ranges)
