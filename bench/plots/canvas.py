"""What every picture is drawn on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.errors import BenchError

__all__ = ["canvas", "check_matplotlib"]


def check_matplotlib() -> None:
    """BenchError without it."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise BenchError("a picture needs matplotlib", "pip install 'symmetry-bench[plots]'") from None


@contextmanager
def canvas(width: float, height: float, target: Path) -> Iterator[Any]:
    """A figure, in inches, that is saved when the block ends: the same bytes each time.

    Raises BenchError without matplotlib, or for a format that it does not know.
    """
    check_matplotlib()
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "symmetry-bench", "font.size": 9}):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        save(figure, target)


def save(figure: Any, target: Path) -> None:
    """The same bytes each time: without the date."""
    target.parent.mkdir(parents=True, exist_ok=True)
    dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    try:
        figure.savefig(target, dpi=150, metadata=dates.get(target.suffix.lower(), {}))
    except ValueError as error:
        raise BenchError(f"{target}: {error}", "name it .svg, .png or .pdf") from None
