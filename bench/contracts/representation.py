"""Representation: a recipe for a view x <-> z of a dataset, trained once and shared by all methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bench.contracts.action import Action
from bench.contracts.samples import Progress, Samples, silent
from bench.contracts.symmetry import Symmetry

__all__ = ["Induced", "Representation", "View"]


class View(nn.Module, ABC):
    """Encoder and decoder x <-> z. `shape` is the shape of one z."""

    shape: tuple[int, ...]

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """z = E(x): (B, *s) -> (B, *shape)."""

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """x^ = D(z): (B, *shape) -> (B, *s)."""


class Representation(ABC):
    """A frozen dataclass whose fields are the hyper-parameters of a view."""

    @abstractmethod
    def build(self, shape: Sequence[int]) -> View:
        """An untrained view of samples of this shape; a state_dict from `fit` completes it."""

    @abstractmethod
    def fit(
        self, train: Samples, valid: Samples, *, seed: int, effort: float = 1.0, progress: Progress = silent
    ) -> tuple[View, dict[str, float]]:
        """The trained view, and its validation figures."""


class Induced(Symmetry):
    """A symmetry of the data as it acts in a view: z' = dE(D(z)) v_k(D(z)), the identity at t = 0.

    E(s D(z)) itself is no action: at t = 0 it is the reconstruction.

    Arguments:
        action: the action in the view.
        view: the track's view.
        data_truth: the symmetry in data space.
    """

    asks = frozenset({"view", "data_truth"})

    def __init__(self, action: Action, view: View, data_truth: Symmetry) -> None:
        super().__init__(action, data_truth.K)
        self.view: View
        self.inner: Symmetry
        self.borrow("view", view)
        self.borrow("inner", data_truth)

    def in_data(self, z: Tensor) -> Tensor:
        """v_k(D(z)), (K, B, *s): the symmetry's velocity in data space."""
        return self.inner.velocity(self.view.decode(z))

    def velocity(self, x: Tensor) -> Tensor:
        decoded = self.view.decode(x)
        moves = self.inner.velocity(decoded)
        return torch.stack([torch.func.jvp(self.view.encode, (decoded,), (v,))[1] for v in moves])
