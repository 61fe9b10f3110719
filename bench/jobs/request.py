"""Requests: what a command line or a suite file asks for, as a product of runs."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.jobs.specs import BUDGETS, COMPONENTS, RunSpec, Setting, parse_seeds, parse_set, parse_sizes
from bench.plugins import Registry, suggest

__all__ = ["Request", "as_each", "as_settings", "problems", "read_suite"]


FORMS: dict[str, tuple[Any, str]] = {
    "methods": (list, "a list of names"),
    "datasets": (list, "a list of names"),
    "models": (list, "a list of names"),
    "symmetries": (list, "a list of names of methods"),
    "n": ((str, int), "a string as '30,100,all'"),
    "seeds": ((str, int), "a string as '0-4'"),
    "set": (dict, "a table as {'method.epochs' = 50}"),
    "each": (dict, "a table as {'method.epochs' = [50, 100]}"),
}


@dataclass(frozen=True)
class Request:
    """Every method, and every model with every symmetry and number of training samples, on every dataset.

    Arguments:
        settings: the --set of the command line.
        symmetries: the methods whose symmetries the models are given.
        sizes: how many training samples they are given, None for all.
        each: parameters with several values, "dataset.task" -> values; all combinations are run.
    """

    methods: Sequence[str]
    datasets: Sequence[str]
    seeds: Sequence[int] = (0,)
    representation: str | None = None
    oracle: str | None = None
    action: str | None = None
    budget: str = "standard"
    settings: Sequence[Setting] = field(default_factory=tuple)
    models: Sequence[str] = ()
    symmetries: Sequence[str] = ("none",)
    sizes: Sequence[int | None] = (None,)
    each: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def runs(self) -> list[RunSpec]:
        """The product, in the order values of `each`, dataset, method or model and symmetry and size, seed."""
        choices = product(*([(name, value) for value in values] for name, values in self.each.items()))
        chosen = [replace(self, settings=[*self.settings, *as_settings(dict(choice))]) for choice in choices]
        return [run for request in chosen for run in request._product()]

    def _product(self) -> list[RunSpec]:
        learners: list[tuple[str, str | None, int | None]] = [(method, None, None) for method in self.methods]
        learners += [(method, model, n) for model, method, n in product(self.models, self.symmetries, self.sizes)]
        return [
            RunSpec(
                dataset, method, seed, self.budget, self.representation, self.oracle, self.action,
                {
                    "dataset": self._set("dataset", dataset),
                    "representation": self._set("representation", self.representation or ""),
                    "method": self._set("method", method),
                    **({"model": self._set("model", model)} if model else {}),
                },
                model, n,
            )
            for dataset, (method, model, n), seed in product(self.datasets, learners, self.seeds)
        ]  # fmt: skip

    def _set(self, component: str, name: str) -> dict[str, Any]:
        return {s.parameter: s.value for s in self.settings if s.target in (component, name)}


def problems(request: Request, registry: Registry) -> list[str]:
    """All that is wrong with the names in a request, a line each; nothing is imported."""
    from bench.representations import REPRESENTATIONS

    lines = []
    methods = [*request.methods, *(request.symmetries if request.models else ())]
    for kind, names in (("method", methods), ("model", request.models), ("dataset", request.datasets)):
        if not names and kind != "model":
            lines.append(f"no {kind} is named. There are: {', '.join(registry.names(kind))}")
        for name in names:
            try:
                registry.get(kind, name)
            except BenchError as error:
                lines.append(str(error))
    if not request.models and (list(request.symmetries) != ["none"] or list(request.sizes) != [None]):
        lines.append("--symmetry and --n are for models (add --model)")
    if request.budget not in BUDGETS:
        lines.append(f"no budget '{request.budget}'{suggest(request.budget, BUDGETS)} There are: {', '.join(BUDGETS)}")
    if request.representation not in (None, *REPRESENTATIONS):
        close = suggest(str(request.representation), REPRESENTATIONS)
        lines.append(f"no representation '{request.representation}'{close} There are: {', '.join(REPRESENTATIONS)}")
    named = [request.representation] if request.representation else []
    allowed = [*COMPONENTS, *methods, *request.models, *request.datasets, *named]
    lines += [
        f"--set {s}: there is no '{s.target}' here{suggest(s.target, allowed)} Allowed: {', '.join(allowed)}"
        for s in (*request.settings, *as_settings(request.each))
        if s.target not in allowed
    ]
    return lines


def read_suite(path: Path) -> tuple[str, list[Request]]:
    """The name and version, and the requests, of a suite file. BenchError, naming the file, if it is not one."""
    try:
        suite = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror}", "suites are TOML files, as suites/standard.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BenchError(f"{path}: {error}", "mend the file") from None
    unknown = sorted(set(suite) - {"name", "version", "run"})
    if unknown or not {"name", "version", "run"} <= set(suite):
        raise BenchError(f"{path}: a suite has the keys name, version and [[run]]; found {', '.join(suite) or 'none'}")
    if not (isinstance(suite["run"], list) and all(isinstance(run, dict) for run in suite["run"])):
        raise BenchError(f"{path}: 'run' is no list of tables", "write [[run]] above each")
    requests = [_request(path, number, run) for number, run in enumerate(suite["run"], 1)]
    return f"{suite['name']} {suite['version']}", requests


def as_settings(table: Mapping[str, Any]) -> list[Setting]:
    """{'method.epochs': 50} as settings. BenchError for a key that is none."""
    return [replace(parse_set(f"{key}=0"), value=value) for key, value in table.items()]


def as_each(table: Mapping[str, Any]) -> dict[str, list[Any]]:
    """{'dataset.task': '0-39', 'model.group': ['C4', 'C8']} as lists of values. BenchError for a key that is none."""
    as_settings(table)
    found = {key: list(values) if isinstance(values, list) else parse_seeds(values) for key, values in table.items()}
    if empty := [key for key, values in found.items() if not values]:
        raise BenchError(f"each '{empty[0]}' has no values", "give a list, or numbers as '0-4'")
    return found


def _request(path: Path, number: int, run: dict[str, Any]) -> Request:
    allowed = {f.name for f in fields(Request)} - {"settings", "sizes"} | {"set", "n"}
    for key in run:
        if key not in allowed:
            close = suggest(key, allowed)
            raise BenchError(f"{path}, run {number}: no key '{key}'{close} Allowed: {', '.join(sorted(allowed))}")
        form, what = FORMS.get(key, (str, "a string"))
        if not isinstance(run[key], form) or (form is list and not all(isinstance(name, str) for name in run[key])):
            raise BenchError(f"{path}, run {number}: {key} = {run[key]!r} is not {what}", "mend the file")
    rest = {key: value for key, value in run.items() if key not in FORMS}
    try:
        seeds = parse_seeds(run.get("seeds", "0"))
        settings = as_settings(run.get("set", {}))
        sizes = parse_sizes(run.get("n", "all"))
        each = as_each(run.get("each", {}))
    except BenchError as error:
        raise BenchError(f"{path}, run {number}: {error}") from None
    return Request(
        run.get("methods", ()), run.get("datasets", ()), seeds, settings=settings, each=each, sizes=sizes,
        models=run.get("models", ()), symmetries=run.get("symmetries", ("none",)), **rest,
    )  # fmt: skip
