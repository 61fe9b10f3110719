"""What a physics oracle is invariant under, and the truth that follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from bench.contracts.action import Action
from bench.contracts.oracle import Oracle
from bench.contracts.symmetry import MatrixSymmetry, NoSymmetry, Symmetry

__all__ = ["LORENTZ", "REFLECTIONS", "TRANSFORMATIONS", "PhysicsOracle", "Transformation", "truth_of"]

Transformation: TypeAlias = Literal[
    "rotation_x", "rotation_y", "rotation_z", "boost_x", "boost_y", "boost_z", "scale", "scale_along",
    "any_energy", "any_pz", "reflect_phi", "reflect_eta", "permutation", "axis_rotation", "in_plane_rotation",
    "quarter_turn",
]  # fmt: skip

TRANSFORMATIONS: tuple[Transformation, ...] = get_args(Transformation)
"""All of them.

rotation_x, rotation_y, rotation_z: of all momenta about an axis; about z it shifts every phi by the same angle.
boost_x, boost_y, boost_z: Lorentz boosts; along z, the beam, it shifts every rapidity by the same amount.
scale: all momenta, or pixels, times a positive number.
scale_along: E and pz times the same positive number: rapidities and transverse momenta stay.
any_energy, any_pz: E, or pz, of each constituent replaced by a linear function of its momentum: it is not read.
reflect_phi, reflect_eta: py -> -py, pz -> -pz; of an image, its columns, its rows in reverse.
permutation: of the constituents.
axis_rotation: of each jet about its own three-momentum.
in_plane_rotation: of each jet about its centre in the (rapidity, phi) plane, pT and masses kept; of an image, about its
    centre, exact in the plane and on a grid as good as the interpolation is.
quarter_turn: of a square image, by 90 degrees.
"""

LORENTZ: frozenset[Transformation] = frozenset(
    {"rotation_x", "rotation_y", "rotation_z", "boost_x", "boost_y", "boost_z"}
)
REFLECTIONS: frozenset[Transformation] = frozenset({"reflect_phi", "reflect_eta"})

Matrices: TypeAlias = Mapping[Transformation, Tensor]


class PhysicsOracle(Oracle):
    """A formula without parameters, in the precision of its argument.

    Attributes:
        invariances: exactly the transformations that keep it, of all that there are for its kind of sample.
    """

    invariances: frozenset[Transformation]


def truth_of(action: Action, invariances: Iterable[Transformation]) -> Symmetry | None:
    """The generators of an action, and its finite elements, that are among the invariances of a law or of a sample.

    None for an action other than `four_vector` and `image_affine`; K = M = 0 if nothing holds.
    """
    if action.kind == "four_vector":
        continuous, finite = _four_vector_generators(), _four_vector_elements()
    elif action.kind == "image_affine":
        continuous, finite = _image_generators(action), _image_elements(action)
    else:
        return None
    kept = set(invariances)
    none = torch.zeros(0, action.n, action.n)
    generators = torch.cat([none, *(matrices for name, matrices in continuous.items() if name in kept)])
    elements = torch.cat([none, *(matrices for name, matrices in finite.items() if name in kept)])
    if not len(generators) and not len(elements):
        return NoSymmetry(action)
    return MatrixSymmetry.of(action, _independent(generators), elements)


def _independent(matrices: Tensor) -> Tensor:
    """Those (K, n, n) that are no linear combination of the ones before."""
    rows = matrices.flatten(1)
    ranks = [0, *(int(torch.linalg.matrix_rank(rows[: k + 1])) for k in range(len(rows)))]
    return matrices[[k for k in range(len(rows)) if ranks[k + 1] > ranks[k]]]


def _four_vector_generators() -> Matrices:
    """Of gl(4), on (E, px, py, pz)."""

    def unit(i: int, j: int) -> Tensor:
        matrix = torch.zeros(4, 4)
        matrix[i, j] = 1
        return matrix

    return {
        "rotation_x": (unit(3, 2) - unit(2, 3))[None],
        "rotation_y": (unit(1, 3) - unit(3, 1))[None],
        "rotation_z": (unit(2, 1) - unit(1, 2))[None],
        "boost_x": (unit(0, 1) + unit(1, 0))[None],
        "boost_y": (unit(0, 2) + unit(2, 0))[None],
        "boost_z": (unit(0, 3) + unit(3, 0))[None],
        "scale": torch.eye(4)[None],
        "scale_along": (unit(0, 0) + unit(3, 3))[None],
        "any_energy": torch.stack([unit(0, j) for j in range(4)]),
        "any_pz": torch.stack([unit(3, j) for j in range(4)]),
    }


def _four_vector_elements() -> Matrices:
    return {
        "reflect_phi": torch.diag(torch.tensor([1.0, 1, -1, 1]))[None],
        "reflect_eta": torch.diag(torch.tensor([1.0, 1, 1, -1]))[None],
    }


def _image_generators(action: Action) -> Matrices:
    """On (column, row, 1), each from -1 to 1: a rotation of pixels is none of coordinates unless H = W."""
    height, width = action.shape[-2:]
    return {"in_plane_rotation": torch.tensor([[[0, -height / width, 0], [width / height, 0, 0], [0, 0, 0]]])}


def _image_elements(action: Action) -> Matrices:
    elements: dict[Transformation, Tensor] = {
        "reflect_phi": torch.diag(torch.tensor([-1.0, 1, 1]))[None],
        "reflect_eta": torch.diag(torch.tensor([1.0, -1, 1]))[None],
    }
    if action.shape[-2] == action.shape[-1]:
        turn = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
        elements["quarter_turn"] = torch.stack([turn, turn @ turn, turn @ turn @ turn])
    return elements
