"""Oracles whose value moves with the sample: carried by the action's target, or by the derivative of the map."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.contracts import Combination, Equivariant, Field, Linear, MatrixSymmetry, Symmetry, Tangent


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Stretch(Equivariant):
    """x |x|: it turns with x."""

    def forward(self, x):
        return x * x.norm(dim=1, keepdim=True)


class Swirl(Tangent):
    """|x|^2 (-x_2, x_1): rotations keep it."""

    def forward(self, x):
        return x.square().sum(1, keepdim=True) * torch.stack([-x[:, 1], x[:, 0]], 1)


TURN = torch.tensor([[[0.0, -1], [1, 0]]]).double()
SHEAR = torch.tensor([[[0.0, 1], [0, 0]]]).double()
ACTION = Linear((2,), target=Linear((2,)))


@pytest.mark.parametrize("phi", [Stretch(), Swirl()])
@settings(max_examples=20)
@given(seed=st.integers(0, 2**20))
def test_a_rotation_carries_the_value_along_and_a_shear_does_not(phi, seed):
    x, t = draw(seed, 6, 2), draw(seed + 1, 6, 1)
    turn, shear = MatrixSymmetry.of(ACTION, TURN), MatrixSymmetry.of(ACTION, SHEAR)
    assert phi.violation(turn, x, t).abs().max() < 1e-9 * (1 + x.norm() ** 3)
    assert phi.violation(shear, x, t).abs().max() > 0
    torch.testing.assert_close(phi(turn.transform(x, t)), phi.carried(turn, x, t))


@settings(max_examples=20)
@given(seed=st.integers(0, 2**20))
def test_a_matrix_carries_a_tangent_vector_as_the_target_does(seed):
    x, t = draw(seed, 6, 2), draw(seed + 1, 6, 2)
    both = MatrixSymmetry.of(ACTION, draw(seed + 2, 2, 2, 2))
    torch.testing.assert_close(Swirl().carried(both, x, t), both.transform_target(Swirl()(x), t))


class Swing(Symmetry):
    """x_1' = x_2, x_2' = -sin x_1."""

    def velocity(self, x):
        return torch.stack([x[:, 1], -x[:, 0].sin()], 1)[None]


class Own(Tangent):
    """The velocity of a field."""

    def forward(self, x):
        return Swing(Field((2,)), 1).velocity(x)[0]


def test_every_flow_carries_its_own_velocity_along():
    x, t = draw(3, 20, 2), 0.5 * draw(4, 20, 1)
    assert Own().violation(Swing(Field((2,)), 1), x, t).abs().max() < 1e-5
    assert Own().violation(MatrixSymmetry.of(ACTION, TURN), x, t).abs().max() > 0.01


def test_the_target_of_a_combination_moves_as_the_combination_does():
    x, y = draw(5, 4, 2), draw(6, 4, 2)
    both = MatrixSymmetry.of(ACTION, torch.cat([TURN, SHEAR]))
    mixed = Combination(both, draw(7, 1, 2))
    t = draw(8, 4, 1)
    torch.testing.assert_close(mixed.transform_target(y, t), both.transform_target(y, t @ mixed.c))
    torch.testing.assert_close(mixed.transform(x, t), both.transform(x, t @ mixed.c))
