"""Coordinates that a symmetry was found in: their lines over a plane of the samples, and the orbits there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.plots.canvas import canvas, check_matplotlib

__all__ = ["draw"]

LEVELS = 15
LINES = ("#1f5fa8", "#5a9e6f")
FOUND, TRUTH = "#b8651b", "#bbbbbb"


def draw(portrait: Mapping[str, Any], title: str, target: Path) -> None:
    """Draw what the job `portray` has found to a file whose ending names the format.

    Lines are those of constant z_i for the two components of the plane; strokes the directions of the orbits.
    Raises BenchError without matplotlib, or for a format that it does not know.
    """
    check_matplotlib()
    from matplotlib.lines import Line2D

    names = [f"$z_{i}$ constant" for i in portrait["axes"]]
    with canvas(6.4, 5.2, target) as figure:
        axis = figure.subplots()
        axis.plot(*portrait["samples"], ".", ms=2, color="#dddddd", zorder=0)
        for z, colour in zip(portrait["z"], LINES, strict=True):
            axis.contour(*portrait["lines"], z, LEVELS, colors=colour, linewidths=0.8, linestyles="solid")
        handles = [Line2D([], [], color=colour, lw=1, label=name) for colour, name in zip(LINES, names, strict=True)]
        for directions, colour, width, name in (
            (portrait["truth"], TRUTH, 0.012, "true orbits"), (portrait["found"], FOUND, 0.004, "orbits found"),
        ):  # fmt: skip
            if directions is not None:
                axis.quiver(
                    *portrait["at"], *directions, color=colour, width=width, angles="xy", pivot="middle", scale=18,
                    headlength=0, headaxislength=0, headwidth=0, zorder=3,
                )  # fmt: skip
                handles.append(Line2D([], [], color=colour, lw=1 + 250 * width, label=name))
        axis.set_xlabel(f"$x_{portrait['axes'][0]}$")
        axis.set_ylabel(f"$x_{portrait['axes'][1]}$")
        axis.set_title(title, loc="left", fontsize=10)
        figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
