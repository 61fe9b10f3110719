"""Specs: what a user asks for, and the slot of its record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.errors import BenchError

__all__ = [
    "BUDGETS", "BUILT_IN", "Budget", "RunSpec", "Setting", "digest", "parse_seeds", "parse_set", "parse_sizes",
    "seed_ranges",
]  # fmt: skip

JSON = Any
COMPONENTS = ("dataset", "representation", "method", "model")
BUILT_IN = "built-in"
"""The symmetry source of a model that is given none."""


@dataclass(frozen=True)
class Budget:
    """How much may be spent: steps as a multiple of the standard, and at most so many training samples."""

    effort: float
    samples: int | None = None


BUDGETS = {"smoke": Budget(0.1, 2000), "standard": Budget(1.0), "full": Budget(4.0)}


@dataclass(frozen=True)
class Setting:
    """One --set: a value for a parameter of a component (one of `COMPONENTS`) or of a named plugin."""

    target: str
    parameter: str
    value: JSON

    def __str__(self) -> str:
        return f"{self.target}.{self.parameter}={json.dumps(self.value)}"


@dataclass(frozen=True)
class RunSpec:
    """One run as asked for; None stands for the dataset's default.

    Arguments:
        method: whose symmetry is scored, or given to the model; BUILT_IN: the model's own.
        set: component -> parameter -> value, what differs from the defaults.
        model: the downstream model that is trained; None: the symmetry itself is what is scored.
        n: how many training samples the model is given; None: all.
    """

    dataset: str
    method: str
    seed: int
    budget: str = "standard"
    representation: str | None = None
    oracle: str | None = None
    action: str | None = None
    set: Mapping[str, Mapping[str, JSON]] = field(default_factory=dict)
    model: str | None = None
    n: int | None = None

    @property
    def folder(self) -> str:
        """Whose records it stands among: the model's, or the method's."""
        return self.model or self.method

    @property
    def slot(self) -> str:
        """The hash of what was asked for: the name of the record."""
        parts = {"set", *(name for name in ("model", "n") if getattr(self, name) is None)}
        asked = {name: value for name, value in vars(self).items() if name not in parts}
        return digest({**asked, "set": {part: dict(values) for part, values in self.set.items() if values}})

    def to_json(self) -> dict[str, JSON]:
        return {**vars(self), "set": {part: dict(values) for part, values in self.set.items() if values}}

    @classmethod
    def from_json(cls, spec: Mapping[str, JSON]) -> RunSpec:
        """The spec in a record. BenchError if it is none."""
        names = ("dataset", "method", "seed", "budget", "representation", "oracle", "action", "set")
        try:
            return cls(**{name: spec[name] for name in names}, model=spec.get("model"), n=spec.get("n"))
        except KeyError as error:
            raise BenchError(f"the spec has no {error}", "delete the record and run again") from None

    def label(self) -> str:
        if self.model is None:
            return f"{self.dataset}/{self.method}#{self.seed}"
        return f"{self.dataset}/{self.model}+{self.method}/{self.n or 'all'}#{self.seed}"


def digest(value: JSON) -> str:
    """A short hash of a JSON value, the same for any order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def parse_set(text: str) -> Setting:
    """'method.epochs=50': the value is JSON, a list with commas, or else a string."""
    key, equals, value = text.partition("=")
    target, dot, parameter = key.strip().partition(".")
    if not (equals and dot and target and parameter):
        raise BenchError(f"--set {text!r} is not of the form component.parameter=value", "as in method.epochs=50")
    return Setting(target, parameter, _value(value.strip()))


def _value(text: str) -> JSON:
    try:
        return json.loads(text, parse_constant=str)
    except ValueError:
        return [_value(part.strip()) for part in text.split(",")] if "," in text else text


def parse_seeds(text: str) -> list[int]:
    """'0-4' or '0,2,7-9' -> the seeds, sorted and without repetition."""
    seeds: set[int] = set()
    for part in str(text).split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise BenchError(f"seeds {text!r} are not numbers or ranges", "as in 0-4 or 0,2,7")
        seeds.update(range(int(first), int(last or first) + 1))
    if not seeds:
        raise BenchError(f"seeds {text!r} are none at all", "as in 0-4")
    return sorted(seeds)


def seed_ranges(seeds: Sequence[int]) -> str:
    """`0-2,5` for 0, 1, 2, 5, as `parse_seeds` reads it."""
    ranges: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if ranges and seed == ranges[-1][-1] + 1:
            ranges[-1].append(seed)
        else:
            ranges.append([seed])
    return ",".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in ranges)


def parse_sizes(text: str) -> list[int | None]:
    """'30,100,all' -> numbers of training samples, ascending, None for all."""
    words = [word.strip() for word in str(text).split(",")]
    if any(word != "all" and not (word.isdecimal() and int(word)) for word in words):
        raise BenchError(f"training samples {text!r} are not numbers from 1", "as in 30,100,1000 or all")
    numbers = sorted({int(word) for word in words if word != "all"})
    return [*numbers, *([None] if "all" in words else [])]
