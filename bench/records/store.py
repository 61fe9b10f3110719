"""The store under results/: one file a record, results/<dataset>/<method>/<slot>.json, written atomically."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.errors import BenchError
from bench.records.record import Record

__all__ = ["Store", "write_atomically"]


def write_atomically(path: Path, text: str) -> None:
    """Write a file such that a reader sees the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class Store:
    """The records in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, dataset: str, method: str, slot: str) -> Path:
        return self.root / dataset / method / f"{slot}.json"

    def read(self, dataset: str, method: str, slot: str) -> Record | None:
        """The record in a slot; None if there is none. BenchError, naming the file, if it cannot be read."""
        return self._read(self.path(dataset, method, slot))

    def write(self, record: Record) -> Path:
        path = self.path(record.spec["dataset"], record.spec["method"], record.slot)
        write_atomically(path, record.to_json())
        return path

    def paths(self) -> list[Path]:
        """The files of all records, sorted."""
        return sorted(self.root.glob("*/*/*.json"))

    def discard(self, dataset: str, method: str, slot: str) -> None:
        """Remove the record in a slot, if there is one."""
        self.path(dataset, method, slot).unlink(missing_ok=True)

    def __iter__(self) -> Iterator[Record]:
        """All records, in the order of their paths."""
        for path in self.paths():
            record = self._read(path)
            if record is not None:
                yield record

    def _read(self, path: Path) -> Record | None:
        try:
            return Record.from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (BenchError, UnicodeDecodeError) as error:
            raise BenchError(f"{path}: {error}") from None
