"""Finite groups: are the discovered elements those of the true group?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import linprog
from scipy.sparse import eye_array, kron, vstack
from torch import Tensor

from bench.contracts import MatrixSymmetry, Symmetry
from bench.metrics._space import Space

__all__ = ["element_scores", "generated", "wasserstein"]

NUMBERS = 2**20
SAMPLES = (16, 64)
LARGEST = 64
SAME = 0.01
FAR = 1e6


def element_scores(symmetry: Symmetry, truth: Symmetry, space: Space) -> dict[str, float | None]:
    """1 - W(F, G) / W({1}, G), at least 0: F, G what the found and the true elements generate, in equal shares.

    The distance of two elements is the RMS of |f x - g x| over test samples, cut at half the least distance of two true
    elements: what is not nearer to one true element than to all others counts as none. `.distance` is the ratio without
    the cut; `.angle_error` the largest difference of a found element's angle from the nearest angle of a true one, in
    units of the least true one. Empty unless the truth is finite elements alone, as matrices; None if what was found
    has no matrices.
    """
    name = "generator_similarity.elements"
    if not isinstance(truth, MatrixSymmetry) or truth.K or not truth.M:
        return {}
    if symmetry.M and not isinstance(symmetry, MatrixSymmetry):
        return {name: None}
    map_of = _Maps(truth, space)
    found = symmetry.elements if isinstance(symmetry, MatrixSymmetry) else truth.elements[:0]
    G = generated(truth.elements, LARGEST, map_of, SAME * space.spread)
    F = generated(found.to(truth.elements), len(G), map_of, SAME * space.spread)
    cut = torch.pdist(G).min().item() / 2
    moved, still = torch.cdist(F, G), torch.cdist(G[:1], G)
    return {
        name: max(0.0, 1 - wasserstein(moved.clamp(max=cut)) / wasserstein(still.clamp(max=cut))),
        f"{name}.distance": wasserstein(moved) / wasserstein(still),
        f"{name}.angle_error": _angle_error(found.cpu(), truth.elements.cpu()),
        f"{name}.found": float(len(F)),
        f"{name}.true": float(len(G)),
    }


def _angle_error(found: Tensor, true: Tensor) -> float | None:
    """max_f min_g |angle f - angle g| / min_g angle g, (M, n, n) each; the angle is the largest of the eigenvalues'."""
    if not len(found):
        return None
    angles, wanted = (torch.linalg.eigvals(one.double()).angle().abs().amax(1) for one in (found, true))
    nearest = torch.cdist(angles[:, None], wanted[:, None]).amin(1)
    return float(nearest.max() / wanted.min())


class _Maps:
    """Elements as points whose Euclidean distance is the RMS of |f x - g x| over test samples x."""

    def __init__(self, truth: MatrixSymmetry, space: Space) -> None:
        self.action = truth.action
        self.space = space
        depth = space.reference[0].numel()
        self.x = space.samples(min(max(NUMBERS // depth, SAMPLES[0]), SAMPLES[1]))

    def __call__(self, g: Tensor) -> Tensor:
        """The point of g (n, n). One without an inverse may have no image: it moves everything to 0."""
        try:
            moved = self.action.act(g.to(self.x).expand(len(self.x), -1, -1), self.x)
        except RuntimeError:
            moved = torch.zeros_like(self.x)
        point = self.space.flat(moved).double().flatten() / len(self.x) ** 0.5
        known: Tensor = point.nan_to_num(nan=FAR).clamp(-FAR, FAR)
        return known


def generated(elements: Tensor, size: int, map_of: Callable[[Tensor], Tensor], same: float) -> Tensor:
    """The points of 1 and of the products of elements (M, n, n), shortest first, until there are `size` or no more.

    All elements are among them, even if there are more; those nearer than `same` to another one are left out.
    """
    group = [torch.eye(elements.shape[-1]).to(elements)]
    points = [map_of(group[0])]
    for word in group:
        for element in elements:
            if len(group) >= size and word is not group[0]:
                return torch.stack(points)
            point = map_of(word @ element)
            if torch.cdist(point[None], torch.stack(points)).min() > same:
                group.append(word @ element)
                points.append(point)
    return torch.stack(points)


def wasserstein(costs: Tensor) -> float:
    """The least mean cost of moving equal shares of F to equal shares of G: costs (F, G)."""
    f, g = costs.shape
    shares = vstack([kron(eye_array(f), np.ones((1, g))), kron(np.ones((1, f)), eye_array(g))])
    wanted = np.concatenate([np.full(f, 1 / f), np.full(g, 1 / g)])
    found = linprog(costs.cpu().numpy().ravel(), A_eq=shares.tocsr(), b_eq=wanted)
    return float(found.fun)
