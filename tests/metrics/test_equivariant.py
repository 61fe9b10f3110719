"""Oracles whose values move with the sample: what counts is phi(s x) - s phi(x)."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from bench.contracts import Equivariant, InView, Linear, MatrixSymmetry, Symmetry, Tangent
from bench.contracts.actions import Field
from bench.metrics.oracle_preservation import OraclePreservation
from bench.representations.identity import IdentityView


class Pushed(Equivariant):
    """phi(x) = |x|^2 x in the plane, which turns with x, and stretches as no linear target does."""

    def forward(self, x: Tensor) -> Tensor:
        return x * x.square().sum(1, keepdim=True)


class Whirl(Tangent):
    """The vector field (-y, x) + |x|^2 (x, y): it is carried along by rotations."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([-x[:, 1], x[:, 0]], 1) + x * x.square().sum(1, keepdim=True)


class Turning(Symmetry):
    """The rotation of the plane as a field alone."""

    def __init__(self, action) -> None:
        super().__init__(action, 1)

    def velocity(self, x: Tensor) -> Tensor:
        return torch.stack([-x[:, 1], x[:, 0]], 1)[None]


class Networks(Symmetry):
    """Two fields of one network."""

    def __init__(self, action) -> None:
        super().__init__(action, 2)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layers = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.SiLU(), torch.nn.Linear(8, 4))
        self.requires_grad_(False)

    def velocity(self, x: Tensor) -> Tensor:
        return self.layers(x).unflatten(1, (2, 2)).transpose(0, 1)


@pytest.fixture
def plane(case):
    """Points that no rotation keeps, in the action on the plane and, alike, on the values."""

    def held_out(action):
        x = case.gaussian(2000, 2, 1) * torch.tensor([1.0, 2.0])
        return case.held_out(action, x, case.gaussian(1000, 2, 2) * torch.tensor([1.0, 2.0]))

    return held_out


def preserved(symmetry, truth, oracle, test):
    return OraclePreservation().score(symmetry=symmetry, truth=truth, oracle=oracle, test=test)


def test_the_true_rotation_of_an_equivariant_law_is_perfect_and_a_stretch_is_not(case, plane):
    action = Linear((2,), target=Linear((2,)))
    turn = MatrixSymmetry.of(action, case.rotations(2))
    stretch = MatrixSymmetry.of(action, torch.eye(2)[None])
    scores = preserved(turn, turn, Pushed(), plane(action))
    assert scores["oracle_preservation"] == pytest.approx(1, abs=1e-9)
    assert scores["oracle_preservation.truth"] == pytest.approx(scores["oracle_preservation"], abs=1e-3)
    assert preserved(stretch, turn, Pushed(), plane(action))["oracle_preservation"] < 0.8


def test_without_a_target_the_same_rotation_changes_the_values(case, plane):
    action = Linear((2,))
    turn = MatrixSymmetry.of(action, case.rotations(2))
    assert preserved(turn, turn, Pushed(), plane(action))["oracle_preservation"] < 0.8


def test_the_worst_direction_is_the_one_that_is_no_symmetry(case, plane):
    action = Linear((2,), target=Linear((2,)))
    both = MatrixSymmetry.of(action, torch.cat([case.rotations(2), torch.eye(2)[None]]))
    scores = preserved(both, MatrixSymmetry.of(action, case.rotations(2)), Pushed(), plane(action))
    assert scores["oracle_preservation.worst_direction"] < scores["oracle_preservation"] < 0.95


def test_a_vector_field_is_carried_by_its_rotation(plane, monkeypatch):
    monkeypatch.setattr("bench.metrics.oracle_preservation.ROWS", 128)
    action = Field((2,))
    along = action.random(1, plane(action).reference.x, 3)
    scores = preserved(along, Turning(action), Whirl(), plane(action))
    assert scores["oracle_preservation.truth"] > 0.999
    assert scores["oracle_preservation"] < 0.8


def test_fields_that_are_networks_have_a_worst_direction(plane, monkeypatch):
    """torch's SiLU has a second forward derivative only where gradients are on."""
    monkeypatch.setattr("bench.metrics.oracle_preservation.ROWS", 128)
    action = Field((2,))
    scores = preserved(Networks(action), Turning(action), Whirl(), plane(action))
    assert scores["oracle_preservation.worst_direction"] < scores["oracle_preservation"] < 0.8


def test_in_a_view_it_is_not_known_how_values_move(case, plane):
    action = Field((2,))
    found = preserved(Turning(action), None, InView(Whirl(), IdentityView((2,))), plane(action))
    assert found == {"oracle_preservation": None}
