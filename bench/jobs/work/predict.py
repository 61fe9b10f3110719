"""predict: train a downstream model with the symmetry that it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from bench.contracts import BenchError, Problem, Samples, Task, Unsuitable
from bench.jobs.artifacts import save_state
from bench.jobs.cache import Outcome
from bench.jobs.meter import Meter
from bench.jobs.work.discover import seed_all
from bench.jobs.work.lesson import Lesson
from bench.jobs.work.track import Track

__all__ = ["predict"]


def predict(request: dict[str, Any], folder: Path, meter: Meter) -> Outcome:
    """Fit the model and write its state; skipped if it cannot learn from what there is."""
    try:
        return _predict(Track(request), folder, meter)
    except Unsuitable as reason:
        return Outcome("skipped", str(reason))


def _predict(track: Track, folder: Path, meter: Meter) -> Outcome:
    """Only `Model.fit` counts as cost."""
    lesson = Lesson(track)
    problem, train, valid, symmetry = lesson.problem, lesson.train(), lesson.valid(), lesson.symmetry()
    task = Task(
        train, valid, track.action, track.seed("predict"),
        problem=problem, effort=track.effort, progress=meter.progress,
    )  # fmt: skip
    seed_all(task.seed, track.device)
    predictor, cost = meter.measure(lambda: lesson.model.fit(task, symmetry))
    _check(predictor, problem, valid)
    save_state(predictor, folder / "predictor.safetensors")
    parameters = sum(weight.numel() for weight in predictor.parameters())
    return Outcome("ok", cost=cost | {"parameters": parameters, "samples": len(train)})


def _check(predictor: object, problem: Problem, samples: Samples) -> None:
    """BenchError if a model returned no module, or predictions of the wrong shape or that are not finite."""
    if not isinstance(predictor, nn.Module):
        raise BenchError(f"fit returned a {type(predictor).__name__}, not a torch module", "see bench.contracts.Model")
    x = samples.x[:64]
    with torch.no_grad():
        found = predictor.eval()(x)
    expected = (len(x), *problem.outputs)
    if tuple(found.shape) != expected:
        raise BenchError(f"predictions have shape {tuple(found.shape)}, expected (B, *outputs) = {expected}")
    if not torch.isfinite(found).all():
        raise BenchError("predictions on validation samples are not finite", "the training diverged")
