"""Laws of augmentation: how far, along what, and what it leaves alone."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from bench.augmentation import Augmentation
from bench.contracts import Action, Field, ImageAffine, Linear, MatrixSymmetry, NoSymmetry, Symmetry, Unsuitable

TURN = torch.tensor([[0.0, -1], [1, 0]])
BOOSTS = torch.tensor([[[0.0, 1, 0], [1, 0, 0], [0, 0, 0]], [[0, 0, 1], [0, 0, 0], [1, 0, 0]]])
SPIN = torch.tensor([[0.0, 0, 0], [0, 0, -1], [0, 1, 0]])
PLANE = Linear((2,))


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def points(count: int = 2000, size: int = 2) -> Tensor:
    return torch.randn(count, size, generator=draw())


def along(matrices: Tensor, x: Tensor, reach: float = 1.0, action: Action | None = None) -> Augmentation:
    return Augmentation(MatrixSymmetry.of(action or Linear(x.shape[1:]), matrices), x, reach)


def moved(augment: Augmentation, x: Tensor, seed: int = 1) -> Tensor:
    return augment(x, torch.zeros(len(x)), draw(seed))[0]


def gone(augment: Augmentation, x: Tensor) -> float:
    """How far the samples move, in their deviations."""
    deviation = (x - x.mean(0)).flatten(1).square().sum(1).mean().sqrt()
    return ((moved(augment, x) - x).flatten(1).square().sum(1).mean().sqrt() / deviation).item()


def angles(x: Tensor, y: Tensor) -> Tensor:
    """By which x (N, 2) has been turned into y, in (-pi, pi]."""
    return torch.atan2(x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0], (x * y).sum(1))


def is_uniform(angle: Tensor) -> bool:
    """Kolmogorov's distance from the uniform distribution on (-pi, pi], at one in a thousand."""
    expected = torch.linspace(-math.pi, math.pi, len(angle))
    return (angle.sort().values - expected).abs().max().item() / (2 * math.pi) < 1.95 / math.sqrt(len(angle))


@pytest.mark.parametrize("scale", [1.0, -0.01, 30.0])
@pytest.mark.parametrize("centre", [0.0, 5.0])
def test_a_rotation_covers_the_circle_uniformly(scale, centre):
    x = points() * torch.tensor([1.0, 0.2]) + torch.tensor([centre, 0])  # also samples on one side of the circle
    y = moved(along(scale * TURN[None], x), x)
    assert torch.allclose(y.norm(dim=1), x.norm(dim=1), rtol=1e-4)
    assert is_uniform(angles(x, y))


def test_the_slowest_of_several_frequencies_goes_all_the_way_round():
    x = points(size=4)
    y = moved(along(torch.block_diag(TURN, 3 * TURN)[None], x), x)
    assert is_uniform(angles(x[:, :2], y[:, :2]))
    assert is_uniform(angles(x[:, 2:], y[:, 2:]))


def test_an_inexact_rotation_goes_all_the_way_round_and_a_spiral_does_not():
    x = points()
    assert is_uniform(angles(x, moved(along(TURN[None] + 0.05 * torch.eye(2), x), x)))
    assert angles(x, moved(along(TURN[None] + 0.5 * torch.eye(2), x), x)).abs().max() < 1


@pytest.mark.parametrize("reach", [0.0, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("centre", [0.0, 5.0])
@pytest.mark.parametrize(
    "matrix",
    [[[1.0, 0], [0, -1]], [[0.0, 1], [1, 0]], [[0.0, 1], [0, 0]], [[1.0, 0], [0, 1]]],
    ids=["squeeze", "boost", "shear", "dilation"],
)
def test_what_does_not_turn_stays_within_reach(matrix, centre, reach):
    x = points() + torch.tensor([centre, 0])
    found = gone(along(torch.tensor(matrix)[None], x, reach), x)
    assert 0.2 * reach <= found <= 1.05 * reach


def test_lorentz_transformations_near_light_like_ones_do_not_turn():
    x = points(size=3)
    group = torch.cat([SPIN[None], BOOSTS])
    assert gone(along(group, x), x) < 2.1  # a half turn is two deviations
    squeezed = SPIN + 0.999 * BOOSTS[0]  # eigenvalues are imaginary, orbits reach 1000 times as far
    assert gone(along(squeezed[None], x), x) < 1.05


def test_images_turn_about_their_middle_and_do_not_leave_the_frame():
    x = torch.zeros(100, 1, 16, 16)
    x[:, :, 6:11, 5:13] = torch.rand(100, 1, 5, 8, generator=draw())
    x, image = x.abs(), ImageAffine((1, 16, 16))
    turn, shift, far = torch.zeros(3, 3, 3)
    turn[:2, :2], shift[0, 2], far[:2, :2] = TURN, 1.0, TURN
    far[0, 2] = 4.0  # a rotation about a point outside
    for matrix, longest in ((turn, math.pi), (shift, 0.5), (far, 0.2)):
        augment = along(matrix[None], x, action=image)
        angle = augment.times * augment.directions[:, 0].abs()
        assert angle.item() == pytest.approx(math.pi) if matrix is turn else 0.01 < angle.item() < longest
        assert moved(augment, x).flatten(1).norm(dim=1).min() > 0.3 * x.flatten(1).norm(dim=1).min()


def test_the_basis_and_its_lengths_do_not_matter():
    x, seen = points(4000, 3), torch.tensor([[1.0, 0, 0]]).repeat(4000, 1)
    basis = torch.stack([SPIN, SPIN.roll((1, 1), (0, 1)), SPIN.roll((2, 2), (0, 1))])
    mixing = torch.tensor([[5.0, 0.1, 0], [0, 0.01, 0], [0.3, 0.2, 1]])
    means = []
    for A in (basis, torch.einsum("ij,jab->iab", mixing, basis)):
        y = moved(along(A, x), seen)
        assert y.mean(0)[1:].abs().max() < 0.15
        means.append(y.mean(0)[0])
    # the mean of cos(angle) + (1 - cos(angle)) axis_1^2 is 1/3 for isotropic axes and uniform angles
    assert torch.stack(means).tolist() == pytest.approx([1 / 3, 1 / 3], abs=0.1)


def test_a_field_of_zero_adds_nothing():
    x = points()
    one = moved(along(TURN[None], x), x)
    assert torch.allclose(one, moved(along(torch.stack([TURN, 0 * TURN]), x), x), atol=1e-5)
    assert torch.equal(moved(along(0 * TURN[None], x), x), x)


def test_nothing_found_is_the_identity():
    x, y = points(), torch.arange(2000)
    for symmetry in (NoSymmetry(PLANE), MatrixSymmetry.of(PLANE, torch.zeros(0, 2, 2))):
        x_moved, y_moved = Augmentation(symmetry, x)(x, y, draw())
        assert torch.equal(x_moved, x)
        assert torch.equal(y_moved, y)


def test_targets_move_with_the_samples():
    def law(x: Tensor) -> Tensor:
        return x.square().sum(1, keepdim=True) * x

    x = points()
    for matrix in (TURN, TURN - 0.01 * TURN):
        x_moved, y_moved = along(matrix[None], x, action=Linear((2,), target=PLANE))(x, law(x), draw())
        assert (x_moved - x).norm(dim=1).mean() > 1
        assert torch.allclose(y_moved, law(x_moved), atol=1e-3)
    stays = along(TURN[None], x)(x, law(x), draw())[1]
    assert torch.equal(stays, law(x))


class Explosion(Symmetry):
    """v(x) = |x|^2 x: gone to infinity at t = 1 / (2 |x|^2)."""

    def velocity(self, x: Tensor) -> Tensor:
        return (x.square().sum(1, keepdim=True) * x)[None]


def test_fields_that_run_away_give_numbers_within_reach():
    x = points() + torch.tensor([20.0, 0]) * (torch.arange(2000) == 1999)[:, None]  # one outlier
    y = moved(Augmentation(Explosion(Field((2,)), 1), x), x)
    assert y.isfinite().all()
    assert y.norm() < 3 * x.norm()
    assert (y - x)[:-1].norm(dim=1).max() > 0.1


def test_fields_that_do_not_say_how_targets_move_are_refused():
    action = Field((2,), target=Field((2,)))
    fields = action.random(1, points(), 0)
    for symmetry in (fields, Explosion(action, 1).combine(torch.ones(1, 1))):
        with pytest.raises(Unsuitable, match="does not say how"):
            Augmentation(symmetry, points())


def test_finite_elements_are_drawn_uniformly_with_the_identity():
    quarter = torch.stack([torch.linalg.matrix_power(TURN, k) for k in (1, 2, 3)])
    x = torch.tensor([[1.0, 0]]).repeat(8000, 1)
    y = moved(Augmentation(MatrixSymmetry.of(PLANE, torch.zeros(0, 2, 2), quarter), x), x)
    turns = (angles(x, y) / (math.pi / 2)).round().long() % 4
    assert torch.bincount(turns, minlength=4).tolist() == pytest.approx([2000] * 4, abs=150)
    assert torch.allclose(angles(x, y), angles(x, y).div(math.pi / 2).round() * math.pi / 2, atol=1e-5)
    still = MatrixSymmetry.of(Linear((2,), target=PLANE), torch.zeros(0, 2, 2), quarter)
    assert torch.equal(moved(Augmentation(still, x), x), x)


def test_a_seed_gives_the_same_moves():
    x, y = points(size=3), torch.zeros(2000)
    group = MatrixSymmetry.of(Linear((3,)), torch.cat([SPIN[None], BOOSTS]))
    first, again, other = (Augmentation(group, x, seed=seed)(x, y, draw(5))[0] for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    assert not torch.allclose(first, Augmentation(group, x, seed=3)(x, y, draw(6))[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_samples_keep_their_type(dtype):
    x = points().to(dtype)
    assert moved(along(TURN[None], x), x).dtype == dtype
