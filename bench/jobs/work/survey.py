"""survey: what is in a dataset, in figures, and which reflections and rotations its sample has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.contracts import Dataset, Samples, Split
from bench.data.symmetry_check import symmetry_check
from bench.jobs.cache import Outcome
from bench.jobs.meter import Meter
from bench.jobs.work.parameters import instance
from bench.metrics._detector import Detector
from bench.plugins import Plugin

__all__ = ["figures", "survey", "symmetries"]

SPLITS: tuple[Split, ...] = ("train", "valid", "test")
LEAST, MOST = 50, 1500
PERMUTATIONS = 20
MOMENTA: Mapping[str, Callable[[Tensor], Tensor]] = {
    "reflection of the beam": lambda x: x * x.new_tensor([1, 1, 1, -1]),
    "reflection of py": lambda x: x * x.new_tensor([1, 1, -1, 1]),
    "quarter turn about the beam": lambda x: x[..., [0, 2, 1, 3]] * x.new_tensor([1, -1, 1, 1]),
    "quarter turn of the beam": lambda x: x[..., [0, 3, 2, 1]] * x.new_tensor([1, -1, 1, 1]),
}


def survey(request: dict[str, Any], folder: Path, meter: Meter) -> Outcome:
    """Files, facts, the figures of every split at seed 0, and the symmetries of the samples."""
    dataset: Dataset = instance(Plugin(**request["plugin"]), request["params"])
    splits = {}
    for done, split in enumerate(SPLITS):
        meter.progress(done, len(SPLITS))
        samples = dataset.load(split, 0)
        splits[split] = figures(samples)
    return Outcome(
        "ok",
        figures={
            "files": [str(file) for file in dataset.files()],
            "facts": dict(dataset.facts()),
            "splits": splits,
            "symmetries": symmetries(some(dataset.plain())),
        },
    )


def figures(samples: Samples) -> dict[str, Any]:
    """Number, shape, number of each label; of each channel the share of non-zero and negative values, and the range.

    Channels are the first axis of images (C, H, W) and the last of anything else.
    """
    x = samples.x
    channels = x.transpose(0, 1).flatten(1) if x.dim() == 4 else x.flatten(0, -2).T
    labels = {} if samples.y is None or samples.y.is_floating_point() else _counts(samples.y)
    return {
        "number": len(x),
        "shape": list(x.shape[1:]),
        "labels": labels,
        "channels": [
            {
                "nonzero": float((channel != 0).double().mean()),
                "negative": float((channel < 0).double().mean()),
                "least": float(channel.min()),
                "mean": float(channel.double().mean()),
                "largest": float(channel.max()),
            }
            for channel in channels
        ],
    }


def _counts(y: Tensor) -> dict[str, int]:
    return {str(value): count for value, count in sorted(Counter(y.flatten().tolist()).items())}


def some(dataset: Dataset) -> Tensor:
    """1500 samples of all splits, the test split first, or fewer if there are fewer."""
    parts: list[Tensor] = []
    for split in reversed(SPLITS):
        if sum(map(len, parts)) < MOST:
            parts.append(dataset.load(split, 0).x)
    return torch.cat(parts)[:MOST]


def symmetries(x: Tensor) -> dict[str, list[float]]:
    """Which is real? For some transformations the AUC of a classifier that tells moved samples from others, and what it
    is by chance: mean and standard error.

    Arguments:
        x: images (N, C, H, W), judged by a convolutional network, or momenta E, px, py, pz (N, P, 4), by the detector
            of the metrics; nothing is known of other samples, nor of fewer than 50.
    """
    if len(x) < LEAST:
        return {}
    if x.dim() == 4:
        return {name: [verdict.auc, 0.5, verdict.error] for name, verdict in symmetry_check(x).items()}
    return {name: _detected(x, move) for name, move in MOMENTA.items()} if x.shape[2:] == (4,) else {}


def _detected(x: Tensor, move: Callable[[Tensor], Tensor]) -> list[float]:
    """The detector's AUC for one half of the samples against the other half moved, and its null distribution."""
    one, other = x[::2], x[1::2][: len(x[::2])]
    points, moved = one.flatten(1).float(), move(other).flatten(1).float()
    aucs = Detector(torch.cat([points, moved])).aucs(points, moved, PERMUTATIONS)
    return [float(aucs[0]), float(aucs[1:].mean()), float(aucs[1:].std())]
