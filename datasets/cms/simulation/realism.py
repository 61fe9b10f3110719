"""Simulated jets beside real ones: `python -m bench.datasets.cms.simulation.realism REAL.h5 FILE... --out DIR`.

Prints a table of figures and draws profiles and average images; needs matplotlib.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ..sparse import SparseImages
from .grid import SIDE, STEP

__all__ = ["figures", "real_images", "uncertainty"]

Array = NDArray[Any]
CHANNELS = ("tracks", "ECAL", "HCAL")
EDGES = (0.0, 0.1, 0.2, 0.4, 0.7, 2.0)
CONE, MIN_PT = 0.4, 70.0
DRAWS = 200
ROW, COLUMN = (axis - (SIDE - 1) / 2 for axis in np.mgrid[:SIDE, :SIDE])
DISTANCE = np.hypot(ROW, COLUMN) * STEP


def figures(images: Array) -> dict[str, float]:
    """Of each channel of images (N, 3, 125, 125): what jets look like, averaged over them.

    Share of pixels that are not zero, in per cent; share of these that are negative; <d_eta^2> / <d_phi^2> of the
    positive energy within R = 0.4; shares of the positive energy in rings around the centre.
    """
    found = {}
    for name, channel in zip(CHANNELS, images.transpose(1, 0, 2, 3), strict=True):
        positive = np.maximum(channel, 0).sum(0, dtype=np.float64)
        filled = np.count_nonzero(channel)
        core = positive * (DISTANCE < CONE)
        found[f"{name}, not zero, %"] = 100 * filled / channel.size
        if name != "tracks":
            found[f"{name}, negative of these, %"] = 100 * np.count_nonzero(channel < 0) / filled
        found[f"{name}, eta over phi width"] = (core * ROW**2).sum() / (core * COLUMN**2).sum()
        for low, high in pairwise(EDGES):
            ring = (low <= DISTANCE) & (high > DISTANCE)
            found[f"{name}, energy in {low:g} to {high:g}, %"] = 100 * positive[ring].sum() / positive.sum()
    return found


def uncertainty(images: Array, seed: int = 0) -> dict[str, float]:
    """Standard deviation of the figures over bootstrap samples of the images."""
    draw = np.random.default_rng(seed)
    drawn = [figures(images[draw.integers(len(images), size=len(images))]) for _ in range(DRAWS)]
    return {name: float(np.std([one[name] for one in drawn])) for name in drawn[0]}


def real_images(path: Path) -> Array:
    """The jets with pT > 70 GeV in a file of dense images."""
    with h5py.File(path, "r") as file:
        chosen: Array = file["X_jets"][()][file["pt"][()] > MIN_PT]
    return chosen


def _stored(path: Path) -> Array:
    stored = SparseImages(path)
    flat = np.zeros((len(stored), int(np.prod(stored.shape))), np.float32)
    for rows, cells in stored.blocks():
        flat[rows.start + cells.image(), cells.cell.astype(np.int64)] = cells.value
    return flat.reshape(-1, *stored.shape)


def _table(real: Array, simulated: Mapping[str, Array]) -> str:
    """Figures of the real jets with their uncertainty, and of the simulated ones with the ratio to these."""
    found, error = figures(real), uncertainty(real)
    others = {name: figures(images) for name, images in simulated.items()}
    lines = [
        "| | real | " + " | ".join(f"{name} | ratio" for name in others) + " |",
        "|---" * (2 + 2 * len(others)) + "|",
    ]
    for name, value in found.items():
        cells = [f"{value:.2f} ± {error[name]:.2f}"]
        for other in others.values():
            cells += [f"{other[name]:.2f}", f"{other[name] / value:.2f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _draw_profiles(samples: Mapping[str, Array], path: Path) -> None:
    """Mean energy density around the centre, per channel."""
    from matplotlib import pyplot as plt

    plt.rcParams["svg.hashsalt"] = "realism"
    edges = np.linspace(0, 1.05, 22)
    ring = np.digitize(DISTANCE, edges) - 1
    inside = ring < len(edges) - 1
    cells = np.bincount(ring[inside], minlength=len(edges) - 1)
    figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
    for number, (axis, name) in enumerate(zip(axes, CHANNELS, strict=True)):
        for label, images in samples.items():
            mean = np.maximum(images[:, number], 0).mean(0)
            density = np.bincount(ring[inside], mean[inside], len(edges) - 1) / cells
            axis.step(edges[:-1], density, where="post", label=label)
        axis.set(title=name, yscale="log", xlabel="distance from the centre", ylabel="GeV per pixel")
    axes[0].legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _draw_examples(samples: Mapping[str, Array], path: Path, each: int = 4) -> None:
    """Some jets of every sample: tracks red, ECAL green, HCAL blue, on logarithmic scales."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(len(samples), each, figsize=(2 * each, 2 * len(samples)), layout="constrained")
    for row, (label, images) in zip(axes, samples.items(), strict=True):
        row[0].set_ylabel(label, fontsize=8)
        for axis, image in zip(row, images[:each], strict=True):
            energy = np.maximum(image, 0) * np.array([1.0, 1.0, 25.0])[:, None, None]
            axis.imshow(np.clip(np.log1p(3 * energy) / np.log1p(30), 0, 1).transpose(1, 2, 0), origin="lower")
            axis.set(xticks=[], yticks=[])
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table and draw the pictures."""
    parser = argparse.ArgumentParser(prog="python -m bench.datasets.cms.simulation.realism")
    parser.add_argument("real", type=Path, help="real jets, dense HDF5")
    parser.add_argument("simulated", type=Path, nargs="+", help="sparse files of bench data build")
    parser.add_argument("--out", type=Path, required=True, help="folder of the pictures")
    asked = parser.parse_args(arguments)
    real = real_images(asked.real)
    simulated = {path.stem.replace("_", " "): _stored(path) for path in asked.simulated}
    print(_table(real, simulated))
    _draw_profiles({"real": real, **simulated}, asked.out / "simulation_profiles.svg")
    _draw_examples({"real": real, **simulated}, asked.out / "simulation_jets.png")


if __name__ == "__main__":
    main()
