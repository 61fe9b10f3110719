"""The store under results/: one file a record, results/<dataset>/<method or model>/<slot>.json, written atomically."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import BenchError
from bench.records.record import Record

__all__ = ["Store", "alive", "replacing", "sweep", "write_atomically"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write a file, beside its place, to which it is moved when the block ends well; else it is removed."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Write a file such that a reader sees the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def sweep(folder: Path) -> None:
    """Remove what writers that were killed left half written in a folder."""
    for part in folder.glob(".*.part"):
        if not alive(part.name.split(".")[-2]):
            part.unlink(missing_ok=True)


def alive(pid: str) -> bool:
    """Whether a process of this machine has that number."""
    import psutil

    return pid.isdecimal() and psutil.pid_exists(int(pid))


class Store:
    """The records in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, dataset: str, folder: str, slot: str) -> Path:
        return self.root / dataset / folder / f"{slot}.json"

    def read(self, dataset: str, folder: str, slot: str) -> Record | None:
        """The record in a slot; None if there is none. BenchError, naming the file, if it cannot be read."""
        path = self.path(dataset, folder, slot)
        return self.load(path) if path.exists() else None

    def write(self, record: Record) -> Path:
        path = self.path(record.spec["dataset"], record.spec.get("model") or record.spec["method"], record.slot)
        write_atomically(path, record.to_json())
        return path

    def sweep(self) -> None:
        """Remove what killed processes left half written."""
        for folder in self.root.glob("*/*"):
            sweep(folder)

    def paths(self) -> list[Path]:
        """The files of all records, sorted."""
        return sorted(self.root.glob("*/*/*.json"))

    def discard(self, dataset: str, folder: str, slot: str) -> None:
        """Remove the record in a slot, if there is one."""
        self.path(dataset, folder, slot).unlink(missing_ok=True)

    def __iter__(self) -> Iterator[Record]:
        """All records, in the order of their paths."""
        return map(self.load, self.paths())

    def load(self, path: Path) -> Record:
        """The record in a file. BenchError, naming the file, if it cannot be read."""
        try:
            return Record.from_json(path.read_text(encoding="utf-8"))
        except (BenchError, UnicodeDecodeError) as error:
            raise BenchError(f"{path}: {error}") from None
