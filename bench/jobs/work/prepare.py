"""prepare: train a representation, or an oracle, once for all methods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from bench.errors import BenchError
from bench.jobs.artifacts import save_state
from bench.jobs.cache import Outcome
from bench.jobs.meter import Meter
from bench.jobs.work.track import Track, encode_to

__all__ = ["prepare_oracle", "prepare_view"]


def prepare_view(request: dict[str, Any], folder: Path, meter: Meter) -> Outcome:
    """Train the representation and encode the three splits, a file each: no worker needs to open the test split."""
    track = Track(request)
    train, valid = track.data("train"), track.data("valid")
    (view, figures), cost = meter.measure(
        lambda: track.representation.fit(
            train, valid, seed=track.seed("representation"), effort=track.effort, progress=meter.progress
        )
    )
    view.eval()
    _check_finite(view)
    save_state(view, folder / "view.safetensors")
    encode_to(folder, view, train, "train")
    encode_to(folder, view, valid, "valid")
    encode_to(folder, view, track.data("test"), "test")
    return Outcome("ok", figures=figures, cost=cost)


def prepare_oracle(request: dict[str, Any], folder: Path, meter: Meter) -> Outcome:
    """Train the oracle."""
    track = Track(request)
    train, valid = track.data("train"), track.data("valid")
    oracle = track.dataset.oracles()[request["oracle"]].to(track.device)
    figures, cost = meter.measure(
        lambda: oracle.fit(train, valid, seed=track.seed("oracle"), effort=track.effort, progress=meter.progress)
    )
    _check_finite(oracle)
    save_state(oracle, folder / "oracle.safetensors")
    return Outcome("ok", figures=figures, cost=cost)


def _check_finite(module: torch.nn.Module) -> None:
    for name, value in module.state_dict().items():
        if not torch.isfinite(value).all():
            raise BenchError(f"{type(module).__name__} has non-finite values in '{name}'", "the training diverged")
