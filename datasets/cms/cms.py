"""CMS end-to-end images: jets and electron windows, the packaged sample or the published files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from bench.contracts import BenchError, Oracle
from bench.data import complete, find_files
from bench.oracles import Classifier, Transformation

from ._images import CalorimeterImages
from .files import Layout, channels, look, sparse_file
from .sparse import SparseImages, is_sparse

__all__ = ["CMS"]

BLUR = 1.0


@dataclass(frozen=True)
class Kind:
    """What is known of a kind of sample.

    Arguments:
        packaged: name of the sample that comes with the suite; "": none.
        patterns: names of the published files.
        share: where the published files are.
        window: the crop and the size that suit.
        reflections: which leave the sample as it is.
    """

    layout: Layout
    packaged: str
    patterns: tuple[str, ...]
    share: str
    window: tuple[int, int]
    reflections: frozenset[Transformation] = frozenset({"reflect_eta", "reflect_phi"})


KINDS = {
    "quark_gluon": Kind(
        Layout((3,), 125, per_jet=("pt", "m0"), oriented=True),
        "quark_gluon.h5",
        ("QCDToGGQQ_IMGjet_RH1all_jet0_run?_n*.test.snappy.parquet", "quark-gluon_data-set_n139306.hdf5"),
        "https://cernbox.cern.ch/s/oolDBdQegsITFcv",
        (48, 24),
    ),
    "electron_photon": Kind(
        Layout((2,), 32),
        "electron_photon.h5",
        ("SingleElectronPt50_IMGCROPS_n249k_RHv1.hdf5", "SinglePhotonPt50_IMGCROPS_n249k_RHv1.hdf5"),
        "the CERNBox shares that https://ml4sci.org names",
        (32, 32),
        frozenset({"reflect_eta"}),
    ),
    "boosted_top": Kind(
        Layout((3, 8, 13), 125),
        "",
        ("*[Bb]oosted*[Tt]op*.parquet", "*[Bb]oosted*[Tt]op*.hdf5", "Boosted_Jets_Sample-*.snappy.parquet"),
        "the CERNBox shares that https://ml4sci.org names",
        (96, 32),
    ),
}


@dataclass(frozen=True)
class CMS(CalorimeterImages):
    """CMS end-to-end images: track pT, ECAL and HCAL energy around a jet; label 1 is the quark, electron or top.

    By default the sample that comes with the suite, simulated for it. With `source=file` the published files, parquet
    or HDF5, in the cms folder of a BENCH_DATA folder or named in `paths`. Their descriptions contradict each other in
    which label is the quark: it is found out from the jets, since gluons make wider ones with more cells.

    Arguments:
        kind: quark_gluon, electron_photon or boosted_top.
        source: simulated, file or download. Nothing stands in for what is asked for and not there.
        paths: the files, where they are not in BENCH_DATA.
        quark: which label of the published files is the quark, 0 or 1, where their jets do not tell.
    """

    kind: Literal["quark_gluon", "electron_photon", "boosted_top"] = "quark_gluon"
    source: Literal["simulated", "file", "download"] = "simulated"
    paths: tuple[str, ...] = ()
    quark: int | None = None

    track: ClassVar[tuple[str, str, str]] = ("vae", "logits", "field")
    paper: ClassVar[str] = "https://arxiv.org/abs/1902.08276"
    builder: ClassVar[str] = "bench.datasets.cms.simulation.build:ImageBuilder"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BenchError(f"kind = {self.kind!r}; allowed are {', '.join(KINDS)}", "choose one of them")
        super().__post_init__()
        if self.source not in ("simulated", "file", "download"):
            what = f"source = {self.source!r}; allowed are simulated, file and download"
            raise BenchError(what, "choose one of them")
        if self.quark not in (None, 0, 1):
            raise BenchError(f"quark = {self.quark}; allowed are 0, 1 and null", "null finds it out")
        if self.paths and self.source != "file":
            raise BenchError(f"paths are given and source = {self.source!r}", "add --set dataset.source=file")

    def files(self) -> Sequence[Path]:
        """The packaged sample, or the published files."""
        kind = KINDS[self.kind]
        if self.source == "download":
            what = f"the published files of {self.kind} cannot be fetched unasked: they have no known checksum"
            raise BenchError(what, f"get them at {kind.share}, put them into cms/ of a BENCH_DATA folder, source=file")
        if self.source == "simulated":
            if not kind.packaged:
                raise BenchError(f"no sample of {self.kind} comes with the suite", "get the files and set source=file")
            return [complete(Path(__file__).parent / "data" / kind.packaged)]
        if self.paths:
            return [complete(Path(path).expanduser()) for path in self.paths]
        return find_files("cms", kind.patterns, f"get them at {kind.share}, or say where they are: dataset.paths")

    def facts(self) -> Mapping[str, str]:
        """The source, and which label of published files is the quark."""
        files = self.files()
        sources = {SparseImages(path).source if is_sparse(path) else self.source for path in files}
        facts = {"source": " and ".join(sorted(sources))}
        published = [path for path in files if not is_sparse(path)]
        if KINDS[self.kind].layout.oriented and published:
            facts["labels"] = self._labels(published)
        return facts

    def _labels(self, published: Sequence[Path]) -> str:
        if self.quark is not None:
            return f"label {self.quark} of the files is the quark, as was asked for"
        found = {path: look(path, KINDS[self.kind].layout) for path in published}
        _agreed({path: orientation.quark for path, orientation in found.items()})
        return str(next(iter(found.values())))

    def stores(self) -> list[SparseImages]:
        """The files, as sparse images; published ones are turned into these when they are first read."""
        stores = [sparse_file(path, KINDS[self.kind].layout, self.source, self.quark) for path in self.files()]
        _agreed({store.path: int(store.attrs["quark"]) for store in stores if "quark" in store.attrs})
        labels = np.unique(np.concatenate([store.y for store in stores]))
        if labels.tolist() != [0, 1]:
            names = ", ".join(path.name for path in self.files())
            what = f"{names}: expected samples with labels 0 and 1, got {', '.join(map(str, labels)) or 'none'}"
            raise BenchError(what, "add the file with the other class, as in dataset.paths")
        return stores

    def depth(self) -> int:
        """3 for jets and 2 for windows; of boosted tops, what the first file has."""
        layout = KINDS[self.kind].layout
        return layout.channels[0] if len(layout.channels) == 1 else channels(self.files()[0], layout)

    def usual(self) -> tuple[int, int]:
        """The cone in which jets were found, R = 0.4, or 0.8 of boosted tops, and all of a window."""
        return KINDS[self.kind].window

    def reflections(self) -> frozenset[Transformation]:
        """Both of jets; electrons, all of one charge, are bent to one side in phi."""
        return KINDS[self.kind].reflections

    def oracles(self) -> Mapping[str, Oracle]:
        """`logits` of a classifier, and formulas."""
        shape = self._affine().shape
        return {"logits": Classifier(shape, 2, blur=BLUR), **super().oracles()}


def _agreed(quarks: Mapping[Path, int]) -> None:
    """Raises BenchError if label 1 is the quark in one file and the gluon in another."""
    for wrong in (path for path, quark in quarks.items() if quark != next(iter(quarks.values()))):
        first = next(iter(quarks))
        raise BenchError(
            f"mixed label conventions: label {quarks[first]} is the quark in {first.name} and label {quarks[wrong]} in "
            f"{wrong.name}; expected one convention",
            "use the files one by one",
        )
