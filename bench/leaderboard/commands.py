"""The command that reproduces a row."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from bench.jobs.specs import BUILT_IN, seed_ranges
from bench.leaderboard.naming import shown
from bench.leaderboard.tables import Row

__all__ = ["reproduce", "reproduce_all"]

ASKED = ("dataset", "representation", "oracle", "action", "budget")


def reproduce(row: Row) -> str:
    """The `bench run ...` that makes the row's records again."""
    return reproduce_all([row])


def reproduce_all(rows: Sequence[Row]) -> str:
    """The same of rows that differ in the number of training samples alone."""
    spec = rows[0].runs[0].record.spec
    sizes = [row.runs[0].record.spec.get("n") or "all" for row in rows]
    words = ["bench", "run", *learner(spec, sizes)]
    for name in ASKED:
        if spec.get(name) is not None:
            words += [f"--{name}", str(spec[name])]
    words += ["--seeds", seed_ranges([run.seed for row in rows for run in row.runs])]
    for component, chosen in sorted((spec.get("set") or {}).items()):
        for name, value in sorted((chosen or {}).items()):
            words += ["--set", f"{component}.{name}={shown(value)}"]
    return shlex.join(words)


def learner(spec: Mapping[str, Any], sizes: Sequence[int | str]) -> list[str]:
    """What is run: a method, or a model with the symmetry and the training samples that it is given."""
    if not spec.get("model"):
        return ["--method", str(spec["method"])]
    source = [] if spec["method"] == BUILT_IN else ["--symmetry", str(spec["method"])]
    return ["--model", str(spec["model"]), *source, "--n", ",".join(map(str, sizes))]
