"""Data files by name, in the folders that a user has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.paths import cache_root, data_folders

__all__ = ["complete", "find_files"]

UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".tmp", ".aria2")


def find_files(folder: str, patterns: Sequence[str], hint: str) -> list[Path]:
    """The files that match one of the patterns, from the first place that has any.

    Arguments:
        folder: the subfolder, searched in each folder of BENCH_DATA and then in the cache.
        hint: where the files can be had.

    Raises:
        BenchError: there are none, or one of them is still being downloaded.
    """
    for place in [*(root / folder for root in data_folders()), cache_root() / "data" / folder]:
        with_parts = sorted({path for pattern in patterns for path in place.glob(pattern + "*")})
        for part in with_parts:
            if part.suffix in UNFINISHED:
                raise _unfinished(part)
        if found := sorted({path for pattern in patterns for path in place.glob(pattern)}):
            return found
    raise BenchError(f"no file {' or '.join(patterns)} in {folder}/ of any folder of BENCH_DATA", hint)


def complete(path: Path) -> Path:
    """The path, if there is a file that is not still being downloaded; BenchError if there is none."""
    for suffix in UNFINISHED:
        part = path.with_name(path.name + suffix)
        if part.exists():
            raise _unfinished(part)
    if not path.is_file():
        raise BenchError(f"{path}: no such file", "fetch it, or correct the path")
    return path


def _unfinished(part: Path) -> BenchError:
    return BenchError(f"{part}: still being downloaded; expected the whole file", "wait until it is complete")
