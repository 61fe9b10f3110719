"""score: reload the artifact in a process of its own and ask every metric."""

from __future__ import annotations

import math
import traceback
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bench.contracts import HeldOut, Metric
from bench.errors import BenchError
from bench.jobs.cache import Outcome
from bench.jobs.meter import Meter
from bench.jobs.work.lesson import Lesson, discovered
from bench.jobs.work.track import Track
from bench.plugins import Plugin, load

__all__ = ["score"]

T = TypeVar("T")


def score(request: dict[str, Any], folder: Path, meter: Meter) -> Outcome:
    """The scores of all metrics; those that ask for `scores` come last. One that fails leaves the others' scores.

    What is `known` of the same symmetry by metrics of the same version is kept.
    """
    metrics = {part["name"]: load(Plugin(**part))() for part in request["metrics"]}
    found = _Found(request.get("known"), metrics)
    asked = _Asked(Track(request), found.scores)
    _, cost = meter.measure(lambda: found.by(asked, meter))
    cost["cpu_s"] = round(sum(found.spent.values()), 3)
    cost |= {f"cpu_s.{name}": seconds for name, seconds in found.spent.items()}
    versions = {name: metric.version for name, metric in metrics.items()}
    figures = {"scores": found.scores, "versions": versions, "facts": found.facts}
    if found.failed:
        return Outcome("failed", "; ".join(found.failed), figures=figures, cost=cost)
    return Outcome("ok", figures=figures, cost=cost)


class _Found:
    """What metrics find.

    Arguments:
        known: what an earlier scoring found: scores, versions, facts, and cpu_s by metric; None: nothing.
        metrics: all that apply, by name.

    `spent`: CPU seconds of each metric, on what is kept as well.
    """

    def __init__(self, known: dict[str, Any] | None, metrics: dict[str, Metric]) -> None:
        known = known or {"scores": {}, "versions": {}, "facts": {}, "cpu_s": {}}
        kept = [name for name, metric in metrics.items() if known["versions"].get(name) == metric.version]
        self.scores: dict[str, float | None] = _of(kept, known["scores"])
        self.facts: dict[str, str] = _of(kept, known["facts"])
        self.spent: dict[str, float] = _of(kept, known["cpu_s"])
        self.failed: list[str] = []
        due = [name for name in metrics if name not in kept or "scores" in metrics[name].asks]
        order = sorted(due, key=lambda name: ("scores" in metrics[name].asks, name))
        self.due = {name: metrics[name] for name in order}

    def by(self, asked: _Asked, meter: Meter) -> None:
        """Ask the metrics that are due."""
        for step, (name, metric) in enumerate(self.due.items(), 1):
            try:
                _, cost = meter.measure(partial(self._ask, metric, asked))
                self.spent[name] = float(cost["cpu_s"] or 0)
            except BenchError as error:
                self.failed.append(f"metric {name}: {error}")
            except Exception as error:
                traceback.print_exc()
                self.failed.append(f"metric {name}: {type(error).__name__}: {error}")
            meter.progress(step, len(self.due))

    def _ask(self, metric: Metric, asked: _Asked) -> None:
        given = {part: asked(part) for part in metric.asks}
        self.scores.update({key: _number(key, value) for key, value in metric.score(**given).items()})
        self.facts.update(metric.facts(**given))


def _of(metrics: list[str], found: dict[str, T]) -> dict[str, T]:
    """Of scores or facts by name those of some metrics: `name` and `name.detail`."""
    return {key: value for key, value in found.items() if any(f"{key}.".startswith(f"{name}.") for name in metrics)}


class _Asked:
    """What metrics may ask for, made when it first is."""

    def __init__(self, track: Track, scores: dict[str, float | None]) -> None:
        self.track = track
        self.lesson = Lesson(track) if "model" in track.request else None
        self._made: dict[str, Any] = {"scores": scores}

    def __call__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = getattr(self, f"_{name}")()
        return self._made[name]

    def _oracle(self) -> Any:
        return self.track.oracle

    def _truth(self) -> Any:
        return self.lesson.truth() if self.lesson else self.track.truth

    def _test(self) -> HeldOut:
        track, source = self.track, self.lesson or self.track
        return HeldOut(source.samples("test"), source.samples("train"), track.action, track.view, track.seed("score"))

    def _symmetry(self) -> Any:
        return discovered(self.track)

    def _predictor(self) -> Any:
        assert self.lesson is not None
        return self.lesson.predictor()

    def _problem(self) -> Any:
        assert self.lesson is not None
        return self.lesson.problem


def _number(key: str, value: float | None) -> float | None:
    if value is None:
        return None
    if not math.isfinite(value):
        raise BenchError(f"the score '{key}' is {value}", "a score that does not apply is None")
    return float(value)
