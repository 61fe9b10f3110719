"""Naming: which runs belong together, and what a reader calls them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from bench.leaderboard.runs import Run

__all__ = [
    "METHOD", "TRACK", "canonical", "distinct", "learner_key", "method_key", "method_settings", "parameters", "shown",
    "track", "track_settings", "with_parameters",
]  # fmt: skip

TRACK = ("dataset", "representation", "oracle")
"""The components whose parameters belong to the track."""
METHOD = ("method", "model")
"""The components whose parameters belong to the row."""
SETTINGS = ("representation", "oracle", "action", "budget")


def track(run: Run) -> str:
    """What must agree for scores to be compared."""
    spec = run.record.spec
    settings = [spec.get(name) for name in SETTINGS]
    return canonical([learns(run), settings, *(parameters(run, name) for name in TRACK)])


def learns(run: Run) -> list[str]:
    """In words that a downstream model is scored, and whether it searches for anomalies; [] for a symmetry."""
    if not run.record.spec.get("model"):
        return []
    return ["models", "anomalies"] if run.declared.get("problems") == ["anomaly"] else ["models"]


def method_key(run: Run) -> str:
    """What must agree for runs to be repeats of each other."""
    return canonical([learner_key(run), f"{run.record.spec.get('n') or 'all':>9}"])


def learner_key(run: Run) -> str:
    """The same without the number of training samples."""
    spec = run.record.spec
    return canonical([spec["method"], spec.get("model"), parameters(run, "method"), parameters(run, "model")])


def track_settings(run: Run) -> list[str]:
    """The track in words; a run whose plugin could not be read never got one."""
    spec = run.record.spec
    unresolved = [] if spec.get("action") else ["no track"]
    unresolved += learns(run)
    return unresolved + [str(spec[name]) for name in SETTINGS if spec.get(name) is not None] + overrides(run, TRACK)


def method_settings(run: Run) -> list[str]:
    """A method, or a model + the source of its symmetry and the number of its training samples, with what was set."""
    spec = run.record.spec
    if not spec.get("model"):
        return [str(spec["method"]), *overrides(run, METHOD)]
    return [f"{spec['model']} + {spec['method']}", *overrides(run, METHOD), f"n={spec.get('n') or 'all'}"]


def overrides(run: Run, components: Sequence[str]) -> list[str]:
    """The parameters that the user set, as `component.name=value`; the method's own without `method.`."""
    chosen = run.record.spec.get("set") or {}
    return [
        f"{'' if part == 'method' else part + '.'}{name}={shown(value)}"
        for part in components
        for name, value in sorted((chosen.get(part) or {}).items())
    ]


def distinct(runs: Sequence[Run], settings: Callable[[Run], list[str]], components: Sequence[str]) -> list[str]:
    """A name for each run: its settings and, where these agree with another's, the parameters that differ."""
    short = [" · ".join(settings(run)) for run in runs]
    names = []
    for name, run in zip(short, runs, strict=True):
        twins = [other for other_name, other in zip(short, runs, strict=True) if other_name == name]
        extra = [
            f"{part}.{key}={shown(value)}"
            for part in components
            for key, value in sorted(parameters(run, part).items())
            if any(parameters(twin, part).get(key) != value for twin in twins)
        ]
        names.append(" · ".join([name, *extra]))
    return names


def with_parameters(runs: Iterable[Run]) -> list[Run]:
    """The runs, those that broke before their parameters were resolved given those of runs that asked for the same."""
    runs = list(runs)
    known: dict[str, dict[str, Any]] = {}
    for run in runs:
        for part, values in (run.record.spec.get("params") or {}).items():
            known.setdefault(asked(run, part), {})[canonical(values)] = values

    def resolved(run: Run) -> Run:
        spec, own = run.record.spec, run.record.spec.get("params") or {}
        alike = {part: known.get(asked(run, part), {}) for part in TRACK + METHOD if part not in own}
        found = {part: next(iter(values.values())) for part, values in alike.items() if len(values) == 1}
        if not found:
            return run
        return replace(run, record=replace(run.record, spec={**spec, "params": {**own, **found}}))

    return [resolved(run) for run in runs]


def asked(run: Run, component: str) -> str:
    """A component as the user asked for it."""
    spec = run.record.spec
    return canonical([component, spec.get(component), (spec.get("set") or {}).get(component) or {}])


def parameters(run: Run, component: str) -> dict[str, Any]:
    """All parameters of a component; those that were set, where a failed run could not resolve the rest."""
    spec = run.record.spec
    return (spec.get("params") or {}).get(component) or (spec.get("set") or {}).get(component) or {}


def shown(value: Any) -> str:
    """A parameter's value as it is typed after `--set name=`: JSON; text without quotes where nothing is lost by it."""
    quoted = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return value if isinstance(value, str) and is_plain(value) else quoted


def is_plain(text: str) -> bool:
    """Whether text typed without quotes is read as text again."""
    try:
        json.loads(text)
    except ValueError:
        return "," not in text and text == text.strip()
    return False


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
