"""Identity: the hash of all that a result depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from bench.errors import BenchError
from bench.jobs.cache import Cache
from bench.jobs.specs import digest

__all__ = ["PROTOCOL", "files_hash"]

PROTOCOL = 1
"""Raised when the harness itself changes what a result means: contracts, budgets, seeds, splits."""


def files_hash(files: Iterable[str], cache: Cache) -> str:
    """One hash of the contents of files; each is read once, then known by path, size, time of change and inode."""
    return digest([[Path(file).name, _file_hash(Path(file), cache)] for file in files])


def _file_hash(file: Path, cache: Cache) -> str:
    try:
        about = file.stat()
    except OSError as error:
        raise BenchError(f"{file}: {error.strerror}", "put it back") from None
    key = digest([str(file.resolve()), about.st_size, about.st_mtime_ns, about.st_ino])

    def read() -> str:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()

    return str(cache.memo(f"file-{key}", read))
