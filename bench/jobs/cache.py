"""The content-addressed cache: what jobs left behind, by identity, and small memos."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.records.record import Status
from bench.records.store import write_atomically

__all__ = ["Cache", "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Arguments:
        figures: what it found: validation figures, scores, a description.
        cost: cpu_s, wall_s, peak_rss_mb, steps, parameters.
    """

    status: Status
    reason: str | None = None
    log_tail: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    cost: dict[str, float | int | None] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Outcome | None:
        """The outcome that a worker wrote; None if it did not come to that."""
        try:
            return cls(**json.loads((folder / "outcome.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        write_atomically(folder / "outcome.json", json.dumps(asdict(self), indent=1))


class Cache:
    """jobs/<identity>/ holds what a job that went well left; tmp/ what is being made; memo/ small answers."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, identity: str) -> Path:
        return self.root / "jobs" / identity[:2] / identity

    def outcome(self, identity: str) -> Outcome | None:
        return Outcome.read(self.folder(identity))

    def scratch(self) -> Path:
        """A new folder to work in."""
        folder = self.root / "tmp" / f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        folder.mkdir(parents=True)
        return folder

    def keep(self, scratch: Path, identity: str) -> Path:
        """Give a finished folder its place, all at once; an older one there gives way."""
        target = self.folder(identity)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            self.drop(target)
        os.replace(scratch, target)
        return target

    def drop(self, folder: Path) -> None:
        """Remove a folder; what stands under its name at any moment is whole or gone."""
        if folder.exists():
            grave = self.root / "tmp" / f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
            grave.parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder, grave)
            shutil.rmtree(grave, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what killed processes left half done."""
        for folder in (self.root / "tmp").glob("*-*"):
            if not _alive(int(folder.name.partition("-")[0])):
                shutil.rmtree(folder, ignore_errors=True)

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


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
