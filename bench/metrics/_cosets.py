"""Finite elements beside generators: how far is what was found from the true group?"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import logm
from scipy.optimize import least_squares
from torch import Tensor

from bench.contracts import MatrixSymmetry, Symmetry
from bench.metrics._space import Space

__all__ = ["outside"]

MOST = 16
SAMPLES = 32
STILL = 0.01


def outside(symmetry: Symmetry, truth: Symmetry, space: Space) -> float | None:
    """E_f min_h d(f, h) / d(f, 1), h in the true group exp(sum_k t_k L_k) g, g = 1 or a true element: 0 for members.

    d is the RMS of |f x - h x| over 32 test samples; the minimum over t is sought from 0 and from the logarithm of
    f g^-1. Elements that move samples by less than 0.01 of their deviation do not count. None if none is left, or
    without matrices.
    """
    if not (isinstance(symmetry, MatrixSymmetry) and isinstance(truth, MatrixSymmetry)) or not symmetry.M:
        return None
    group = _Group(truth, space)
    one = torch.eye(truth.action.n).double()
    cosets = [one, *truth.elements[:MOST].double().cpu()]
    ratios = []
    for f in symmetry.elements[:MOST].double().cpu():
        far = np.linalg.norm(group.moved(f) - group.moved(one))
        if far > STILL * space.spread:
            ratios.append(min(group.distance(f, g) for g in cosets) / far)
    return float(np.mean(ratios)) if ratios else None


class _Group:
    """exp(sum_k t_k L_k) g for the true generators L."""

    def __init__(self, truth: MatrixSymmetry, space: Space) -> None:
        self.truth = truth
        self.space = space
        self.x = space.samples(SAMPLES)
        self.L = truth.generators.double().cpu()

    def moved(self, g: Tensor) -> NDArray[np.float64]:
        """Where g takes the samples, as a vector whose distances are d."""
        there = self.truth.action.act(g.to(self.x).expand(len(self.x), -1, -1), self.x)
        point: NDArray[np.float64] = self.space.flat(there).double().flatten().cpu().numpy() / len(self.x) ** 0.5
        return point

    def distance(self, f: Tensor, g: Tensor) -> float:
        """min_t d(f, exp(t L) g)."""
        goal = self.moved(f)

        def apart(t: NDArray[np.float64]) -> NDArray[np.float64]:
            h = torch.linalg.matrix_exp(torch.einsum("k,kij->ij", torch.from_numpy(t), self.L)) @ g
            return self.moved(h) - goal

        turn = torch.as_tensor(logm((f @ torch.linalg.pinv(g)).numpy()).real)
        logarithm = torch.linalg.lstsq(self.L.flatten(1).T, turn.flatten()[:, None]).solution[:, 0].numpy()
        return min(float(np.linalg.norm(least_squares(apart, start).fun)) for start in (0 * logarithm, logarithm))
