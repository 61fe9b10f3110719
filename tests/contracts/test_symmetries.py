"""Symmetries: flow laws, linear combination, discrete elements."""

from __future__ import annotations

import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.contracts import (
    BenchError,
    Combination,
    Field,
    FourVector,
    ImageAffine,
    Linear,
    MatrixSymmetry,
    NoSymmetry,
    Oracle,
    RandomFields,
    Samples,
    Symmetry,
    unit_speed,
)  # fmt: skip

seeds = st.integers(0, 2**20)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def draw(seed, *shape):
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def matrices(seed, K=2):
    action = Linear((6,), 3)
    return MatrixSymmetry.of(action, draw(seed, K, 3, 3)), draw(seed + 1, 5, 6)


def fields(seed, K=2):
    x = draw(seed, 40, 3)
    return RandomFields.over(Field((3,)), x, K, seed), x[:5]


class Numerical(Symmetry):
    """The same fields, flowed by Runge-Kutta."""

    rk4_steps = 40

    def __init__(self, inner):
        super().__init__(inner.action, inner.K)
        self.inner = inner

    def velocity(self, x):
        return self.inner.velocity(x)


def fine(seed):
    symmetry, x = fields(seed)
    return Numerical(symmetry), x


@settings(max_examples=15, deadline=None)
@given(seed=seeds, s=st.floats(-0.5, 0.5), t=st.floats(-0.5, 0.5))
@pytest.mark.parametrize(("make", "tolerance"), [(matrices, 1e-9), (fine, 1e-5), (fields, 3e-3)])
def test_parallel_flows_add_and_the_way_back_is_the_way(make, tolerance, seed, s, t):
    symmetry, x = make(seed)
    along = draw(seed + 2, 1, symmetry.K).expand(len(x), -1)
    along = along / along.norm(dim=1, keepdim=True)

    def flow(x, t):
        return symmetry.transform(x, t * along)

    torch.testing.assert_close(flow(flow(x, s), t), flow(x, s + t), atol=tolerance, rtol=tolerance)
    torch.testing.assert_close(flow(flow(x, t), -t), x, atol=tolerance, rtol=tolerance)
    torch.testing.assert_close(flow(x, 0.0), x)


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_runge_kutta_agrees_with_the_matrix_exponential(seed):
    symmetry, x = matrices(seed)
    t = draw(seed + 2, 5, 2) / 3
    torch.testing.assert_close(Numerical(symmetry).transform(x, t), symmetry.transform(x, t), atol=1e-4, rtol=1e-4)


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
@pytest.mark.parametrize("make", [matrices, fields])
def test_along_and_combine_are_linear(make, seed):
    symmetry, x = make(seed)
    c, t = draw(seed + 2, 3, symmetry.K), draw(seed + 3, len(x), 3)
    mixed = torch.einsum("jk,kb...->jb...", c, symmetry.velocity(x))
    nested = Combination(Combination(symmetry, torch.eye(2)), c)
    for combined in (symmetry.combine(c), Combination(symmetry, c), nested):
        assert combined.K == 3
        torch.testing.assert_close(combined.velocity(x), mixed)
        torch.testing.assert_close(combined.along(x, t), torch.einsum("bj,jb...->b...", t, mixed))
        torch.testing.assert_close(combined.transform(x, t / 9), symmetry.transform(x, t @ c / 9))
    single = symmetry.combine(c[:1])
    torch.testing.assert_close(single.along(x, t[:, :1]), t[:, :1] * mixed[0])


def test_the_matrices_of_a_combination():
    symmetry, _ = matrices(4)
    c = draw(5, 3, 2)
    torch.testing.assert_close(Combination(symmetry, c).matrices(), symmetry.combine(c).matrices())
    assert Combination(fields(4)[0], c).matrices() is None


@settings(max_examples=15, deadline=None)
@given(seed=seeds, angle=st.floats(-math.pi, math.pi))
def test_a_rotation_in_closed_form(seed, angle):
    symmetry = MatrixSymmetry.of(Linear((2,)), torch.tensor([[[0.0, -1.0], [1.0, 0.0]]]).double())
    x = draw(seed, 7, 2)
    turned = torch.stack([x[:, 0] * math.cos(angle) - x[:, 1] * math.sin(angle),
                          x[:, 0] * math.sin(angle) + x[:, 1] * math.cos(angle)], 1)  # fmt: skip
    torch.testing.assert_close(symmetry.transform(x, torch.full((7, 1), angle, dtype=torch.float64)), turned)


def test_finite_elements_and_targets():
    flip = torch.diag(torch.tensor([1.0, -1.0]))
    action = Linear((2,), target=Linear((2,)))
    turn = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]])
    symmetry, x = MatrixSymmetry.of(action, turn, flip[None]), draw(1, 4, 2).float()
    torch.testing.assert_close(symmetry.element(x, 0), x * torch.tensor([1.0, -1.0]))
    t = draw(2, 4, 1).float()
    torch.testing.assert_close(symmetry.transform_target(x, t), symmetry.transform(x, t))
    still = MatrixSymmetry.of(Linear((2,)), turn)
    assert still.transform_target(x, t) is x
    with pytest.raises(IndexError, match="MatrixSymmetry has 0 finite elements, no number 0"):
        super(MatrixSymmetry, still).element(x, 0)


def test_the_error_of_generators_goes_with_their_mixtures_and_is_no_tensor():
    turn = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]])
    exact, found = MatrixSymmetry.of(Linear((2,)), turn), MatrixSymmetry.of(Linear((2,)), turn, spread=0.03)
    assert (exact.spread, found.spread, found.combine(torch.ones(2, 1)).spread) == (0.0, 0.03, 0.03)
    again = MatrixSymmetry(found.action, **json.loads(json.dumps(found.config())))
    again.load_state_dict(exact.state_dict())
    assert again.spread == 0.03
    assert MatrixSymmetry(found.action, K=1, M=0).spread == 0.0


@pytest.mark.parametrize("spread", [-0.1, math.nan, math.inf])
def test_an_error_is_a_number_from_0(spread):
    with pytest.raises(BenchError, match="allowed are numbers from 0"):
        MatrixSymmetry(Linear((2,)), 1, spread=spread)


def test_finding_nothing_moves_nothing():
    x = draw(1, 4, 2)
    symmetry = NoSymmetry(Linear((2,)))
    assert symmetry.velocity(x).shape == (0, 4, 2)
    assert symmetry.transform(x, x.new_zeros(4, 0)) is x


@pytest.mark.parametrize("action", [Linear((4,)), FourVector((2, 4)), Field((3,)), ImageAffine((1, 12, 12))], ids=repr)
def test_unit_speed_keeps_directions(action):
    x = torch.randn(100, *action.shape, generator=generator(3))
    symmetry = action.candidates(x)
    before, after = (s.velocity(x).flatten(1) for s in (symmetry, unit_speed(symmetry, x)))
    cosine = torch.nn.functional.cosine_similarity(before, after, dim=1)
    torch.testing.assert_close(cosine, torch.ones(len(cosine)))


def test_the_violation_of_an_invariant_oracle_is_zero():
    class Norm(Oracle):
        def forward(self, x):
            return x.square().sum(-1, keepdim=True)

    x, t = draw(1, 6, 2), draw(2, 6, 1)
    turn, stretch = (MatrixSymmetry.of(Linear((2,)), A.double()[None]) for A in (
        torch.tensor([[0.0, -1.0], [1.0, 0.0]]), torch.eye(2)))  # fmt: skip
    torch.testing.assert_close(Norm().violation(turn, x, t), torch.zeros(6, 1).double())
    grown = x.square().sum(-1, keepdim=True) * (torch.exp(2 * t) - 1)
    torch.testing.assert_close(Norm().violation(stretch, x, t), grown)


def test_what_is_borrowed_stays_out_of_the_state():
    symmetry = NoSymmetry(Linear((2,)))
    symmetry.borrow("oracle", torch.nn.Linear(2, 2))
    assert list(symmetry.state_dict()) == ["scores"]
    assert list(symmetry.parameters()) == []


def test_labels_must_match_samples():
    with pytest.raises(ValueError, match="3 samples but 2 labels"):
        Samples(torch.zeros(3, 2), torch.zeros(2))
    assert Samples(torch.zeros(3, 2), torch.zeros(3)).unlabelled().y is None
