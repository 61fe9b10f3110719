"""Actions: group laws, and velocities that are the derivative of the motion."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.contracts import Field, FourVector, ImageAffine, Linear, rms_speed

TURN = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
AFFINE = torch.eye(9).reshape(9, 3, 3)[:6]
seeds = st.integers(0, 2**20)


def draw(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("action", [Linear((2,)), Linear((6,), 3), Linear((6,)), FourVector((3, 4))], ids=repr)
class TestMatrices:
    @settings(max_examples=20, deadline=None)
    @given(seed=seeds)
    def test_group_law(self, action, seed):
        g, h = (draw(seed + k, 5, action.n, action.n) for k in (0, 1))
        x = draw(seed + 2, 5, *action.shape)
        torch.testing.assert_close(action.act(g, action.act(h, x)), action.act(g @ h, x))
        torch.testing.assert_close(action.act(torch.eye(action.n).double().expand(5, -1, -1), x), x)

    @settings(max_examples=20, deadline=None)
    @given(seed=seeds)
    def test_the_velocity_is_the_derivative_of_the_motion(self, action, seed):
        A, x = draw(seed, 3, action.n, action.n), draw(seed + 1, 5, *action.shape)
        velocity = action.velocity(A, x)
        torch.testing.assert_close(velocity, super(Linear, action).velocity(A, x))
        for a, v in zip(A, velocity, strict=True):
            step = 1e-5 * a
            ahead, behind = (action.act(torch.linalg.matrix_exp(s * step).expand(5, -1, -1), x) for s in (1, -1))
            torch.testing.assert_close((ahead - behind) / 2e-5, v, rtol=1e-6, atol=1e-6)

    @settings(max_examples=20, deadline=None)
    @given(seed=seeds)
    def test_the_matrix_on_the_flattened_sample_is_the_velocity_and_keeps_brackets(self, action, seed):
        A, x = draw(seed, 2, action.n, action.n), draw(seed + 1, 5, *action.shape)
        matrices = action.matrix(A)
        moved = torch.einsum("kij,bj->kbi", matrices, x.flatten(1))
        torch.testing.assert_close(moved, action.velocity(A, x).flatten(2))
        a, b = matrices
        bracket = A[0] @ A[1] - A[1] @ A[0]
        torch.testing.assert_close(a @ b - b @ a, action.matrix(bracket[None])[0])

    def test_candidates_span_the_algebra(self, action):
        x = draw(1, 60, *action.shape)
        candidates = action.candidates(x)
        assert torch.linalg.matrix_rank(candidates.matrices().flatten(1)) == candidates.K == action.n**2


def test_blocks_must_divide_the_sample():
    with pytest.raises(ValueError, match="blocks of 4 do not divide a sample of shape"):
        Linear((6,), 4)


@pytest.mark.parametrize("action", [Field((3,)), ImageAffine((1, 8, 8))], ids=repr)
def test_what_is_no_matrix_says_so(action):
    with pytest.raises(TypeError, match=f"the action {action.kind} is no matrix"):
        action.matrix(torch.zeros(1, action.n, action.n))


def test_a_boost_keeps_the_invariant_mass():
    action, rapidity = FourVector((2, 4)), 0.7
    boost = torch.zeros(4, 4, dtype=torch.float64)
    boost[0, 3] = boost[3, 0] = rapidity
    p = draw(5, 9, 2, 4)
    moved = action.act(torch.linalg.matrix_exp(boost).expand(9, -1, -1), p)
    metric = torch.tensor([1.0, -1, -1, -1], dtype=torch.float64)
    torch.testing.assert_close((moved.square() * metric).sum(-1), (p.square() * metric).sum(-1))
    torch.testing.assert_close(moved[..., 0], math.cosh(rapidity) * p[..., 0] + math.sinh(rapidity) * p[..., 3])


def blob(points):
    """A smooth image, known everywhere: two Gaussians of different widths, (..., 2) -> (...)."""
    first = (points - torch.tensor([0.2, -0.1])).square().sum(-1) / 0.05
    second = (points - torch.tensor([-0.25, 0.3])).square().sum(-1) / 0.03
    return torch.exp(-first) + 0.5 * torch.exp(-second)


@pytest.fixture(params=[(1, 48, 48), (1, 40, 56)], ids=str)
def image(request):
    action = ImageAffine(request.param)
    return action, blob(action.grid(torch.zeros(1))[..., :2])[None, None]


@pytest.mark.parametrize("k", range(6))
def test_image_velocity_against_exact_resampling(image, k):
    """d/dt of the exact x(exp(-tA) p): central differences in space err by h^2, here under 5 % of the speed."""
    action, x = image
    points = action.grid(torch.zeros(1))
    ahead, behind = (blob((points @ torch.linalg.matrix_exp(-t * AFFINE[k]).T)[..., :2]) for t in (1e-3, -1e-3))
    exact = (ahead - behind) / 2e-3
    found = action.velocity(AFFINE[k : k + 1], x)[0, 0, 0]
    assert (found - exact).norm() < 0.05 * exact.norm()


@pytest.mark.parametrize("k", range(6))
def test_image_motion_against_exact_resampling(image, k):
    action, x = image
    g = torch.linalg.matrix_exp(0.15 * AFFINE[k])
    exact = blob((action.grid(torch.zeros(1)) @ torch.linalg.inv(g).T)[..., :2])
    assert (action.act(g[None], x)[0, 0] - exact).norm() < 0.01 * exact.norm()


def test_a_quarter_turn_of_a_square_image_is_exact():
    action, x = ImageAffine((1, 9, 9)), torch.rand(4, 1, 9, 9, generator=torch.Generator().manual_seed(1))
    g = torch.linalg.matrix_exp(math.pi / 2 * TURN).expand(4, -1, -1)
    torch.testing.assert_close(action.act(g, x), torch.rot90(x, -1, (2, 3)), atol=1e-5, rtol=0)


def test_image_velocity_is_linear_in_the_generator(image):
    action, x = image
    c = torch.randn(4, 6, generator=torch.Generator().manual_seed(2))
    mixed = action.velocity(torch.einsum("jk,kab->jab", c, AFFINE), x)
    expected = torch.einsum("jk,k...->j...", c, action.velocity(AFFINE, x))
    torch.testing.assert_close(mixed, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("action", [Linear((4,)), FourVector((2, 4)), Field((3,)), ImageAffine((1, 12, 12))], ids=repr)
def test_random_fields_have_unit_speed_and_follow_their_seed(action):
    x = torch.randn(200, *action.shape, generator=torch.Generator().manual_seed(0))
    first, again, other = (action.random(3, x, seed) for seed in (1, 1, 2))
    torch.testing.assert_close(rms_speed(first, x), torch.ones(3))
    torch.testing.assert_close(first.velocity(x), again.velocity(x))
    assert not torch.allclose(first.velocity(x), other.velocity(x), atol=0.1)
