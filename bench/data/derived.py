"""Files made once from data files, in the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from bench.paths import cache_root
from bench.records.store import replacing, sweep

__all__ = ["derived"]


def derived(folder: str, origin: Path, recipe: str, make: Callable[[Path], None]) -> Path:
    """What `make` writes from a data file, in the cache; made where it is not there yet, whole or not at all.

    Arguments:
        folder: the subfolder of the cache's data folder.
        origin: the data file, known by path, size, time of change and inode.
        recipe: what is made of it; another recipe is another file.
        make: writes the file at the path that it is given.
    """
    about = origin.stat()
    state = repr((str(origin.resolve()), about.st_size, about.st_mtime_ns, about.st_ino, recipe))
    name = f"{origin.name.partition('.')[0]}-{hashlib.sha256(state.encode()).hexdigest()[:16]}"
    path = cache_root() / "data" / folder / name
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent)
    with replacing(path) as part:
        make(part)
    return path
