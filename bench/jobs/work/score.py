"""score: reload the artifact in a process of its own and ask every metric."""

from __future__ import annotations

import math
import traceback
from pathlib import Path
from typing import Any

from bench.contracts import HeldOut, Metric
from bench.errors import BenchError
from bench.jobs.artifacts import load_symmetry
from bench.jobs.cache import Outcome
from bench.jobs.work.track import Track
from bench.jobs.worker import Meter
from bench.plugins import Plugin, load

__all__ = ["score"]


def score(request: dict[str, Any], folder: Path, meter: Meter) -> Outcome:
    """The scores of all metrics; those that ask for `scores` come last. One that fails leaves the others' scores."""
    track = Track(request)
    metrics = {part["name"]: load(Plugin(**part))() for part in request["metrics"]}
    scores: dict[str, float | None] = {}
    failed: list[str] = []
    asked = _Asked(request, track, scores)
    _, cost = meter.measure(lambda: _score_all(metrics, asked, scores, failed, meter))
    figures = {"scores": scores, "versions": {name: metric.version for name, metric in metrics.items()}}
    if failed:
        return Outcome("failed", "; ".join(failed), figures=figures, cost=cost)
    return Outcome("ok", figures=figures, cost=cost)


class _Asked:
    """What metrics may ask for, made when it first is."""

    def __init__(self, request: dict[str, Any], track: Track, scores: dict[str, float | None]) -> None:
        self.request, self.track, self.scores = request, track, scores
        self._made: dict[str, Any] = {"scores": scores}

    def __call__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = getattr(self, f"_{name}")()
        return self._made[name]

    def _oracle(self) -> Any:
        return self.track.oracle

    def _truth(self) -> Any:
        return self.track.truth

    def _test(self) -> HeldOut:
        track = self.track
        return HeldOut(
            track.samples("test"), track.samples("train"), track.action, track.view, track.seed("score")
        )

    def _symmetry(self) -> Any:
        plugin = Plugin(**self.request["method"]["plugin"])
        folder = Path(self.request["discover_folder"])
        symmetry = load_symmetry(folder, plugin, self.track.action, self.track.given)
        return symmetry.to(self.track.device).eval()


def _score_all(
    metrics: dict[str, Metric], asked: _Asked, scores: dict[str, float | None], failed: list[str], meter: Meter
) -> None:
    order = sorted(metrics, key=lambda name: ("scores" in metrics[name].asks, name))
    for step, name in enumerate(order, 1):
        metric = metrics[name]
        try:
            found = metric.score(**{part: asked(part) for part in metric.asks})
            scores.update({key: _number(key, value) for key, value in found.items()})
        except BenchError as error:
            failed.append(f"metric {name}: {error}")
        except Exception as error:
            traceback.print_exc()
            failed.append(f"metric {name}: {type(error).__name__}: {error}")
        meter.progress(step, len(order), 0.0)


def _number(key: str, value: float | None) -> float | None:
    if value is None:
        return None
    if not math.isfinite(value):
        raise BenchError(f"the score '{key}' is {value}", "a score that does not apply is None")
    return float(value)
