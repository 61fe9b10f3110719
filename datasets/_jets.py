"""What the data sets of jets as four-vectors share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.contracts import (
    Action,
    BenchError,
    Dataset,
    FourVector,
    Oracle,
    Progress,
    Samples,
    Split,
    Symmetry,
    silent,
)
from bench.oracles import Classifier, PhysicsOracle, Transformation, jet_oracles, truth_of
from bench.oracles.kinematics import Cylinder
from bench.oracles.shares import ProductShares

__all__ = ["JetLogits", "Jets", "four_vectors", "on_shell"]

SAMPLE = frozenset[Transformation]({"rotation_z", "reflect_phi", "reflect_eta"})
MASSLESS = 1e-5
Array = NDArray[Any]


@dataclass(frozen=True)
class Jets(Dataset):
    """Jets as their leading constituents: (N, 4) = E, px, py, pz in GeV, float64, zero where there is none.

    Arguments:
        jets: how many are used of each file; fewer where there are fewer.
        constituents: how many leading constituents are kept.
    """

    jets: int = 20_000
    constituents: int = 30

    track: ClassVar[tuple[str, str, str]] = ("identity", "mass", "four_vector")

    def __post_init__(self) -> None:
        if self.jets < 10 or self.constituents < 2:
            what = f"jets = {self.jets}, constituents = {self.constituents}; allowed are at least 10 and 2"
            raise BenchError(what, "for example jets=20000 constituents=30")

    @abstractmethod
    def momenta(self, split: Split, seed: int) -> tuple[Array, Array]:
        """The constituents (N, constituents, 4) of a split in GeV, and the labels (N,)."""

    @abstractmethod
    def most(self) -> int:
        """How many constituents the files have."""

    def load(self, split: Split, seed: int) -> Samples:
        """The jets of a split and their labels."""
        p, y = self.momenta(split, seed)
        return Samples(torch.from_numpy(on_shell(p)), torch.from_numpy(y).long())

    def actions(self) -> Mapping[str, Action]:
        """The same matrix on every constituent."""
        return {"four_vector": FourVector((self.kept(), 4))}

    def kept(self) -> int:
        """The number of constituents of a sample."""
        return min(self.constituents, self.most())

    def oracles(self) -> Mapping[str, Oracle]:
        """`logits` of a classifier, and formulas."""
        return {"logits": JetLogits(self.kept()), **self._physics()}

    def truth(self, action: str, law: str) -> Symmetry | None:
        """What a formula keeps; of a classifier nothing is known.

        The sample is selected in pT and eta: of the Lorentz group, it has the rotations about the beam, and with them
        the reflections.
        """
        if action != "four_vector":
            return None
        if law == "sample":
            return truth_of(self.actions()[action], SAMPLE)
        formula = self._physics().get(law)
        return None if formula is None else truth_of(self.actions()[action], formula.invariances)

    def _physics(self) -> dict[str, PhysicsOracle]:
        return {**jet_oracles(), "product_shares": ProductShares()}


class JetLogits(Oracle):
    """The logits of a classifier of (ln(1 + pT / GeV), y - y_jet, phi - phi_jet) of each constituent.

    Arguments:
        constituents: how many there are in a jet.
    """

    def __init__(self, constituents: int) -> None:
        super().__init__()
        self.classifier = Classifier((3 * constituents,), 2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.classifier(self._features(x))
        return out

    def fit(
        self, train: Samples, valid: Samples, *, seed: int, effort: float = 1.0, progress: Progress = silent
    ) -> dict[str, float]:
        """As the classifier's."""
        seen = [samples.with_x(self._features(samples.x)) for samples in (train, valid)]
        return self.classifier.fit(*seen, seed=seed, effort=effort, progress=progress)

    @staticmethod
    def _features(x: Tensor) -> Tensor:
        at, jet = Cylinder.of(x), Cylinder.of(x.sum(1, keepdim=True))
        there = x[..., 0] != 0
        features = torch.stack([at.pt.log1p(), at.rapidity - jet.rapidity, at.azimuth], -1)
        return torch.where(there[..., None], features, 0.0).flatten(1)


def four_vectors(pt: Array, y: Array, phi: Array, mass: Array) -> Array:
    """(E, px, py, pz) = (mT cosh y, pT cos phi, pT sin phi, mT sinh y), mT^2 = pT^2 + m^2; 0 where pT is: (..., 4)."""
    transverse = np.where(pt > 0, np.hypot(pt, mass), 0)
    return np.stack([transverse * np.cosh(y), pt * np.cos(phi), pt * np.sin(phi), transverse * np.sinh(y)], -1)


def on_shell(p: Array) -> Array:
    """The momenta in float64, E = |p| where the file's precision leaves no other mass: (..., 4).

    Raises:
        BenchError: a momentum that is not finite.
    """
    if not np.isfinite(p).all():
        raise BenchError("expected finite momenta, got NaN or infinity", "the file is damaged; fetch it again")
    p = p.astype(np.float64)
    size = np.linalg.norm(p[..., 1:], axis=-1)
    p[..., 0] = np.where(np.abs(p[..., 0] - size) < MASSLESS * size, size, p[..., 0])
    return p
