"""Published files of calorimeter images, turned into sparse ones when they are first read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.data import Expected, Table, complete, derived, open_table
from bench.errors import BenchError

from .labels import Orientation, extent, orientation
from .sparse import Cells, SparseImages, SparseWriter, is_sparse

__all__ = ["Layout", "channels", "look", "sparse_file"]

ROWS = 32
LOOK = 4000
KEYS = ("X_jets", "X_jet", "X")
MOST_EMPTY = 0.5
RECIPE = "sparse images 1, version 1"
Array = NDArray[Any]


@dataclass(frozen=True)
class Layout:
    """What a kind of file holds.

    Arguments:
        channels: the allowed numbers of channels.
        side: of an image, in crystals.
        per_jet: the columns beside images and labels that must be there.
        oriented: whether label 1 is to be the quark, and the file's convention must be found out.
        labelled: whether there are labels at all.
    """

    channels: tuple[int, ...]
    side: int
    per_jet: tuple[str, ...] = ()
    oriented: bool = False
    labelled: bool = True

    def __str__(self) -> str:
        return f"images of {' or '.join(map(str, self.channels))} channels of {self.side} x {self.side}"


def sparse_file(path: Path, layout: Layout, source: str, quark: int | None = None) -> SparseImages:
    """The images of a file: parquet, HDF5 with channels first or last, or sparse already.

    The first time, the file is turned into a sparse one in the cache. Images without a non-zero pixel are left out.

    Arguments:
        source: "file" or "download"; a sparse file says itself where it is from.
        quark: which label the quark has; None: found out from the data.

    Raises:
        BenchError: the file is missing, damaged, still being downloaded, or not what is expected.
    """
    if is_sparse(complete(path)):
        images = SparseImages(path)
    else:
        recipe = repr((RECIPE, layout, source, quark))
        images = SparseImages(derived("cms", path, recipe, lambda part: convert(path, part, layout, source, quark)))
    if images.shape[0] not in layout.channels or images.shape[1:] != (layout.side, layout.side):
        raise BenchError(f"{path}: expected {layout}, got shape {images.shape}", "choose another dataset.kind")
    return images


def look(path: Path, layout: Layout) -> Orientation:
    """Which label is the quark in a published file, by 4000 jets from all over it.

    Raises:
        BenchError: the jets do not tell, or the file is not what is expected.
    """
    published = _Published(path, layout)
    parts = list(published.blocks(LOOK))
    extents = np.concatenate([extent(cells, published.shape) for cells, _ in parts])
    return orientation(path, extents, *(np.concatenate([block[name] for _, block in parts]) for name in ("y", "pt")))


def channels(path: Path, layout: Layout) -> int:
    """The number of channels of a file's images."""
    return SparseImages(path).shape[0] if is_sparse(path) else _Published(path, layout).shape[0]


def convert(path: Path, target: Path, layout: Layout, source: str, quark: int | None) -> None:
    """Write the images of a file as a sparse one; memory does not grow with the file."""
    published = _Published(path, layout)
    extents, labels, momenta = [], [], []
    with SparseWriter(target, published.shape, source) as writer:
        for cells, block in published.blocks():
            full = np.diff(cells.offset) > 0
            cells, block = cells.where(full), {name: values[full] for name, values in block.items()}
            writer.append(cells, block)
            if layout.oriented:
                extents.append(extent(cells, published.shape))
                labels.append(block["y"])
                momenta.append(block["pt"])
        empty = published.table.count - writer.count
        if empty >= MOST_EMPTY * published.table.count:
            raise BenchError(
                f"{path}: expected images, got {empty} of {published.table.count} without a non-zero pixel",
                "the file is damaged or not the one that is meant; fetch it again",
            )
        writer.file.attrs["empty"] = empty
        if layout.oriented:
            y = np.concatenate(labels)
            if quark is None:
                quark = orientation(path, np.concatenate(extents), y, np.concatenate(momenta)).quark
            writer.flush()
            writer.file["y"][...] = y == quark
            writer.file.attrs["quark"] = quark


class _Published:
    """A published file, read as cells.

    Arguments:
        shape: (C, H, W).
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path, self.layout = path, layout
        self.table: Table = open_table(path)
        self.key = next((key for key in KEYS if key in self.table.shapes), KEYS[0])
        found: tuple[int, ...] = self.table.shapes.get(self.key, ())
        side = layout.side
        first = len(found) == 3 and found[1:] == (side, side) and found[0] in layout.channels
        self.last = not first and len(found) == 3 and found[:2] == (side, side) and found[2] in layout.channels
        if not first and not self.last and self.key in self.table.shapes:
            hint = "the file is damaged or of another kind; choose dataset.kind accordingly"
            raise BenchError(f"{path}, {self.key}: expected {layout}, got shape {found}", hint)
        self.shape = (list(found)[2 if self.last else 0] if found else 0, side, side)

    def blocks(self, about: int | None = None) -> Iterator[tuple[Cells, dict[str, Array]]]:
        """The cells and the other columns, block by block: all rows, or about so many from all over the file.

        Raises:
            BenchError: a pixel that is not finite, or a label that is neither 0 nor 1.
        """
        named = {name for name in ("pt", "m0") if self.table.shapes.get(name) == ()}
        columns = [*sorted(named | set(self.layout.per_jet)), *(["y"] if self.layout.labelled else [])]
        expected = {name: Expected(("N",), "fiub") for name in columns}
        expected[self.key] = Expected(("N", *self.table.shapes.get(self.key, self.shape)), "fiu")
        every = max(1, self.table.count // about) if about else 1
        start = 0
        for block in self.table.blocks(expected, ROWS, every):
            dense = block.pop(self.key)
            cells = Cells.of(np.moveaxis(dense, -1, 1) if self.last else dense)
            self._check(start, cells, block)
            start += every * len(cells)
            yield cells, block

    def _check(self, start: int, cells: Cells, block: dict[str, Array]) -> None:
        if not np.isfinite(cells.value).all():
            row = start + int(cells.image()[~np.isfinite(cells.value)][0])
            raise BenchError(f"{self.path}: expected finite pixels, got NaN or infinity in row {row}", "fetch it again")
        if self.layout.labelled and not np.isin(block["y"], (0, 1)).all():
            wrong = block["y"][~np.isin(block["y"], (0, 1))][0]
            what = f"{self.path}, y: expected labels 0 and 1, got {wrong:g}"
            raise BenchError(what, "the file is not the one that is meant; fetch it again")
