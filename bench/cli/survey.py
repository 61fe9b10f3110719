"""What `bench data describe` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from bench.cli.tables import table

__all__ = ["show"]


def show(name: str, found: Mapping[str, Any]) -> None:
    """Facts, the splits, and the symmetries of the sample."""
    for key, value in found["facts"].items():
        click.echo(f"{key}: {value}")
    for file in found["files"]:
        click.echo(f"file: {file}")
    rows = []
    for split, about in found["splits"].items():
        labels = ", ".join(f"{label}: {count}" for label, count in about["labels"].items())
        for number, channel in enumerate(about["channels"]):
            first = [split, str(about["number"]), " x ".join(map(str, about["shape"])), labels]
            shares = [f"{100 * channel[key]:.3g} %" for key in ("nonzero", "negative")]
            range_ = [f"{channel[key]:.4g}" for key in ("least", "mean", "largest")]
            rows.append([*(["", "", "", ""] if number else first), str(number), *shares, *range_])
    columns = ["split", "samples", "shape", "labels", "channel", "not zero", "negative", "least", "mean", "largest"]
    table(f"Dataset {name}, seed 0", columns, rows)
    if found["symmetries"]:
        moved = [
            [move, f"{auc:.3f}", f"{mean:.3f} ± {spread:.3f}"]
            for move, (auc, mean, spread) in found["symmetries"].items()
        ]
        table("Which one is real?", ["transformation", "AUC", "by chance"], moved, "1/2: the sample has this symmetry")
