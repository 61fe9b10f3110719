"""What the data sets of calorimeter images share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from bench.contracts import Action, BenchError, Dataset, ImageAffine, Oracle, Samples, Split, Symmetry
from bench.data import split_rows
from bench.oracles import PhysicsOracle, Transformation, image_oracles, truth_of

from .images import CRYSTAL, Preparation, Scaling
from .sparse import SparseImages

__all__ = ["CalorimeterImages"]

LEAST, MOST = 8, 128
MEASURED = 1000
JET = 3
AXES: Mapping[Transformation, int] = {"reflect_eta": 2, "reflect_phi": 3}
"""What a reflection reverses."""


@dataclass(frozen=True)
class CalorimeterImages(Dataset):
    """Images of energy deposits: channels, rows along eta, columns along phi, in GeV.

    Arguments:
        images: how many are used, chosen at random, always the same; fewer where there are fewer.
        mirrored: train on each image in all mirror images that the sample has; of jets, which have both, in four.
        channels: which channels, in this order; empty: all.
        crop: side of the window about the central crystal that is kept, in crystals, 128 at most; null: what suits.
        size: side of the image after sum-pooling, in pixels, from 8 to the crop; null: what suits. Where a pixel's
            border cuts a crystal, its energy is shared by area; crop=125 size=125 cuts none.
        scaling: none, sqrt or log.
        standardise: divide each channel by its deviation, which leaves empty pixels at zero.
        restore_hcal: show the whole tower's energy in each of its 25 crystals; published is a 25th.
        threshold: pixels that are nearer to zero than this, in GeV, become zero before pooling.
        negatives: keep pixels below zero, which are noise around an empty cell.
    """

    images: int = 12_000
    mirrored: bool = True
    channels: tuple[int, ...] = ()
    crop: int | None = None
    size: int | None = None
    scaling: Scaling = "sqrt"
    standardise: bool = False
    restore_hcal: bool = False
    threshold: float = 1e-3
    negatives: bool = False

    track: ClassVar[tuple[str, str, str]]
    names: ClassVar[Sequence[str]] = ("track pT", "ECAL", "HCAL")

    def __post_init__(self) -> None:
        crop, size = self.window()
        if not LEAST <= size <= crop <= MOST:
            what = f"crop = {crop}, size = {size}; allowed are {LEAST} <= size <= crop <= {MOST}"
            raise BenchError(what, "for example crop=64 size=32")
        if self.scaling not in ("none", "sqrt", "log"):
            raise BenchError(f"scaling = {self.scaling!r}; allowed are 'none', 'sqrt' and 'log'", "choose one of them")
        if self.images < 10:
            raise BenchError(f"images = {self.images}; expected at least 10", "for example images=12000")

    @abstractmethod
    def stores(self) -> list[SparseImages]:
        """The files with the images."""

    @abstractmethod
    def usual(self) -> tuple[int, int]:
        """The crop and the size that suit."""

    def window(self) -> tuple[int, int]:
        """The side of the window that is kept, in crystals, and that of the image, in pixels."""
        crop, size = self.usual()
        return crop if self.crop is None else self.crop, size if self.size is None else self.size

    @abstractmethod
    def depth(self) -> int:
        """The number of channels in the files."""

    def load(self, split: Split, seed: int) -> Samples:
        """The prepared images of a split and their labels."""
        stores = self.stores()
        counts = [len(store) for store in stores]
        chosen = self._chosen(stores)
        rows = chosen[split_rows(len(chosen), split, seed)]
        place = np.full(sum(counts), -1)
        place[rows] = np.arange(len(rows))
        preparation = self._preparation()
        flips = self._flips() if self.mirrored and split == "train" else [()]
        x = torch.empty((len(flips) * len(rows), *preparation.shape))
        out = x[: len(rows)].numpy()
        labels = np.concatenate([store.y for store in stores])[rows]
        for store, part in zip(stores, np.split(place, np.cumsum(counts)[:-1]), strict=True):
            preparation.read(store, part, out)
        if self.standardise:
            out /= self._deviations(stores[0])[:, None, None]
        for copy, axes in zip(torch.split(x, len(rows))[1:], flips[1:], strict=True):
            copy[:] = x[: len(rows)].flip(axes)
        return Samples(x, torch.from_numpy(labels).long().repeat(len(flips)))

    def plain(self) -> CalorimeterImages:
        """Without mirror images."""
        return replace(self, mirrored=False)

    def reflections(self) -> frozenset[Transformation]:
        """Those that leave the sample as it is."""
        return frozenset(AXES)

    def _flips(self) -> list[tuple[int, ...]]:
        """The axes that each mirror image is reversed along, the image itself first."""
        axes = sorted(AXES[name] for name in self.reflections())
        return [chosen for number in range(len(axes) + 1) for chosen in combinations(axes, number)]

    def eligible(self, stores: Sequence[SparseImages]) -> NDArray[Any]:
        """Which of all images may be used, by default all: (N,)."""
        return np.ones(sum(len(store) for store in stores), bool)

    def _chosen(self, stores: Sequence[SparseImages]) -> NDArray[Any]:
        """The rows that are used of all, ascending."""
        rows = np.flatnonzero(self.eligible(stores))
        return np.sort(np.random.default_rng(0).permutation(rows)[: self.images])

    def _deviations(self, store: SparseImages) -> NDArray[Any]:
        """The deviation of each channel's pixels over the first images of a file, (C,)."""
        preparation = self._preparation()
        place = np.arange(len(store))
        place[MEASURED:] = -1
        first = np.empty((min(MEASURED, len(store)), *preparation.shape), np.float32)
        preparation.read(store, place, first)
        deviations: NDArray[Any] = first.std((0, 2, 3))
        return deviations.clip(min=1e-6)

    def _preparation(self) -> Preparation:
        depth = self.depth()
        channels = tuple(self.channels) or tuple(range(depth))
        if not all(0 <= c < depth for c in channels) or len(set(channels)) < len(channels):
            what = f"channels = {list(channels)}; allowed are different numbers from 0 to {depth - 1}"
            raise BenchError(what, "as in channels=[1]")
        return Preparation(channels, self.restore_hcal, self.threshold, self.negatives, *self.window(), self.scaling)

    def actions(self) -> Mapping[str, Action]:
        """Affine maps of the (phi, eta) plane."""
        return {"image_affine": self._affine()}

    def oracles(self) -> Mapping[str, Oracle]:
        """Formulas of jets, of the pixels as they are given: in GeV with scaling none, else sums of sqrt E or log E.

        To undo the scaling first would square what interpolation does to a pixel, and no formula would be kept.
        """
        return {**self._physics()}

    def truth(self, action: str, law: str) -> Symmetry | None:
        """What a formula keeps; of a classifier nothing is known. The sample has reflections and no rotation."""
        if action != "image_affine":
            return None
        if law == "sample":
            return truth_of(self._affine(), self.reflections())
        formula = self._physics().get(law)
        return None if formula is None else truth_of(self._affine(), formula.invariances)

    def _physics(self) -> dict[str, PhysicsOracle]:
        crop, size = self.window()
        return image_oracles(CRYSTAL * crop / size) if self.depth() == JET else {}

    def _affine(self) -> Action:
        return ImageAffine(self._preparation().shape)
