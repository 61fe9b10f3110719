"""The folders that the environment names: BENCH_DATA, BENCH_CACHE, BENCH_RESULTS."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_root", "data_folders", "results_root"]


def cache_root() -> Path:
    """Artifacts, trained representations and downloads: BENCH_CACHE, else the user's cache folder."""
    if given := os.environ.get("BENCH_CACHE"):
        return Path(given).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("symmetry-bench")


def data_folders() -> list[Path]:
    """The folders of BENCH_DATA, searched for data files before any download."""
    return [Path(folder).expanduser() for folder in os.environ.get("BENCH_DATA", "").split(os.pathsep) if folder]


def results_root() -> Path:
    """The records: BENCH_RESULTS, else ./results."""
    return Path(os.environ.get("BENCH_RESULTS", "results"))
