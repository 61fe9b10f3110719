"""discover: let a method find symmetries in what it may see."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.contracts import BenchError, Method, Pairs, Samples, Symmetry, Task
from bench.jobs.artifacts import check_symmetry, save_symmetry
from bench.jobs.cache import Outcome
from bench.jobs.meter import Meter
from bench.jobs.work.parameters import instance
from bench.jobs.work.track import CHUNK, Track
from bench.plugins import Plugin

__all__ = ["discover", "seed_all"]


def discover(request: dict[str, Any], folder: Path, meter: Meter) -> Outcome:
    """Run the method, check what it returns and write the artifact; only `Method.discover` counts as its cost."""
    track = Track(request)
    plugin = Plugin(**request["method"]["plugin"])
    method: Method = instance(plugin, request["method"]["params"])
    task = _task(track, method, meter)
    seed_all(task.seed, track.device)
    symmetry, cost = meter.measure(lambda: method.discover(task))
    check_symmetry(symmetry, task.valid.x[:64])
    save_symmetry(symmetry, plugin, folder, Plugin(**request["dataset"]["plugin"]))
    return Outcome("ok", cost=cost | {"parameters": _parameters(symmetry)})


def seed_all(seed: int, device: str) -> None:
    """Seed what torch draws from; torch.manual_seed also asks every accelerator, which takes milliseconds."""
    if device == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


def _task(track: Track, method: Method, meter: Meter) -> Task:
    def shown(samples: Samples) -> Samples:
        return samples if "labels" in method.uses else samples.unlabelled()

    train, valid = shown(track.samples("train")), shown(track.samples("valid"))
    if {"truth", "pairs"} & method.uses and track.truth is None:
        raise BenchError("this track has no known truth", "choose another oracle or action")
    return Task(
        train=train,
        valid=valid,
        action=track.action,
        seed=track.seed("discover"),
        oracle=track.oracle if "oracle" in method.uses else None,
        pairs=partial(_pairs, track, train) if "pairs" in method.uses else None,
        truth=track.truth if "truth" in method.uses else None,
        effort=track.effort,
        progress=meter.progress,
    )


def _pairs(track: Track, train: Samples, fraction: float, coefficient: float | None = None) -> Pairs:
    """Labelled pairs along the truth of the data, encoded in the view."""
    truth = track.data_truth
    assert truth is not None
    count = max(1, round(fraction * len(train)))
    t = _coefficients(count, truth.K, coefficient, track.seed("pairs")).to(train.x)
    x = (train if track.in_data else track.data("train")).x[:count]
    with torch.no_grad():
        parts = zip(torch.split(x, CHUNK), torch.split(t, CHUNK), strict=True)
        moved = torch.cat([track.view.encode(truth.transform(part, along)) for part, along in parts])
    return Pairs(train.x[:count], moved, t)


def _coefficients(count: int, K: int, coefficient: float | None, seed: int) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    if coefficient is None:
        return (2 * torch.rand(count, K, generator=draw) - 1) * torch.pi
    one = torch.randint(max(K, 1), (count,), generator=draw)
    return coefficient * torch.eye(max(K, 1), K)[one]


def _parameters(symmetry: Symmetry) -> int:
    return sum(value.numel() for name, value in symmetry.state_dict().items() if name != "scores")
