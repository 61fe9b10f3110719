"""Pythia, fastjet and awkward, imported when they are used."""

from __future__ import annotations

import importlib
from typing import Any

from bench.errors import BenchError

__all__ = ["package"]


def package(name: str) -> Any:
    """The module of that name; BenchError where the extra [simulation] is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise BenchError(
            f"simulating needs the package {name}, which is not installed",
            "install symmetry-bench[simulation]: pythia8mc, fastjet and awkward",
        ) from None
