"""The content-addressed cache: what jobs left behind, by identity, and small memos."""

from __future__ import annotations

import errno
import json
import os
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.records.record import Status
from bench.records.store import alive, sweep, write_atomically

__all__ = ["Cache", "Outcome"]

ARTIFACTS = (".safetensors", "symmetry.json")


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Arguments:
        figures: what it found: validation figures, scores, a description; a number that is not finite is None.
        cost: cpu_s, wall_s, peak_rss_mb, steps, parameters.
        files: name -> size of what it left beside the outcome.
        device: the accelerator that it was computed on, None for the processor.
    """

    status: Status
    reason: str | None = None
    log_tail: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    cost: dict[str, float | int | None] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    device: str | None = None

    @classmethod
    def read(cls, folder: Path) -> Outcome | None:
        """The outcome that a worker wrote; None if it did not come to that."""
        try:
            text = (folder / "outcome.json").read_text()
            return cls(**json.loads(text, parse_constant=lambda _: None))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Beside the files that the job left in a folder, last; nobody reads it before the worker has ended."""
        files = {file.name: file.stat().st_size for file in folder.iterdir() if file.name.endswith(ARTIFACTS)}
        (folder / "outcome.json").write_text(json.dumps({**vars(self), "files": files}, indent=1))


class Cache:
    """jobs/<identity>/ holds what a job that went well left; tmp/ what is being made; memo/ small answers."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, identity: str) -> Path:
        return self.root / "jobs" / identity[:2] / identity

    def outcome(self, identity: str) -> Outcome | None:
        """How a job that went well ended; None if it is not known, or if a file that it left is no longer whole."""
        folder = self.folder(identity)
        outcome = Outcome.read(folder)
        whole = outcome is not None and all(_size(folder / name) == size for name, size in outcome.files.items())
        return outcome if whole else None

    def scratch(self) -> Path:
        """A new folder to work in."""
        folder = self.root / "tmp" / f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        folder.mkdir(parents=True)
        return folder

    def keep(self, scratch: Path, identity: str) -> None:
        """Give a finished folder its place, all at once; an older one there, or another process's, gives way."""
        target = self.folder(identity)
        target.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                os.replace(scratch, target)
                return
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            self.drop(target)

    def drop(self, folder: Path) -> None:
        """Remove a folder; what stands under its name at any moment is whole or gone."""
        grave = self.root / "tmp" / f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        grave.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            os.replace(folder, grave)
            shutil.rmtree(grave, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what killed processes left half done."""
        for folder in (self.root / "tmp").glob("*-*"):
            if not alive(folder.name.partition("-")[0]):
                shutil.rmtree(folder, ignore_errors=True)
        sweep(self.root / "memo")

    def memo(self, key: str, make: Callable[[], Any] | None = None) -> Any:
        """A small JSON answer by key; `make` makes it where it is not known."""
        path = self.root / "memo" / f"{key}.json"
        try:
            return json.loads(path.read_text())
        except (OSError, ValueError):
            if make is None:
                return None
        value = make()
        self.remember(key, value)
        return value

    def remember(self, key: str, value: Any) -> None:
        write_atomically(self.root / "memo" / f"{key}.json", json.dumps(value))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return -1
