"""portray: the coordinates that a symmetry was found in, over a plane of the samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.contracts import Symmetry
from bench.errors import BenchError
from bench.jobs.cache import Outcome
from bench.jobs.meter import Meter
from bench.jobs.work.lesson import discovered
from bench.jobs.work.track import Track

__all__ = ["directions", "portray"]

LINES = 41
STROKES = 4
REACH = 2.0
SHOWN = 300


def portray(request: dict[str, Any], folder: Path, meter: Meter) -> Outcome:
    """z = f(x) on a grid in the plane of two components of x, the others at their mean, and the orbits in that plane.

    The grid reaches two deviations to each side; lists are indexed by the second component, then by the first.
    """
    track = Track(request)
    symmetry, truth, samples = discovered(track), track.truth, track.samples("test").x
    coordinates = getattr(symmetry, "coordinates", None)
    axes = list(request["axes"])
    if coordinates is None or samples.dim() != 2 or max(axes) >= samples.shape[1]:
        what = f"no coordinates {axes} of samples of {tuple(samples.shape[1:])} are known"
        raise BenchError(what, "ask for a run of a method whose symmetry has `coordinates`, such as hidden_symmetry")
    mean, spread = samples.mean(0), samples.std(0)
    a, b = (mean[i] + REACH * spread[i] * torch.linspace(-1, 1, LINES).to(samples) for i in axes)
    x = mean.expand(LINES, LINES, -1).clone()
    x[:, :, axes[0]], x[:, :, axes[1]] = a, b[:, None]
    sparse = x[STROKES // 2 :: STROKES, STROKES // 2 :: STROKES]
    with torch.no_grad():
        figures = {
            "axes": axes,
            "lines": [a.tolist(), b.tolist()],
            "z": coordinates(x.flatten(0, 1)).reshape(LINES, LINES, -1)[:, :, axes].permute(2, 0, 1).tolist(),
            "samples": samples[:SHOWN, axes].T.tolist(),
            "at": sparse[:, :, axes].flatten(0, 1).T.tolist(),
            "found": directions(symmetry, sparse.flatten(0, 1), axes).T.tolist(),
            "truth": directions(truth, sparse.flatten(0, 1), axes).T.tolist() if truth is not None else None,
        }
    return Outcome("ok", figures=figures)


def directions(symmetry: Symmetry, x: Tensor, axes: list[int]) -> Tensor:
    """The direction in a plane of two components that lies in the orbits, or nearest to them: (B, D) -> (B, 2)."""
    V = symmetry.velocity(x).transpose(0, 1)
    onto = torch.linalg.pinv(V) @ V
    inside: Tensor = torch.linalg.eigh(onto[:, axes][:, :, axes]).eigenvectors[:, :, -1]
    return inside
