"""LieGAN: its parts by laws, and whole games with closed-form answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from bench.datasets.rotated_digits import RotatedDigits
from bench.methods._adversarial import Features
from bench.methods._image_features import ImageFeatures
from bench.methods.liegan import LieGAN
from bench.methods.liegan.finite import generator_of, order
from bench.methods.liegan.generators import Generators, drawn, exponential
from bench.methods.liegan.proposals import Penalties, Proposals, promote
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import expm
from torch import Tensor
from torch.nn import functional as F

from bench.contracts import BenchError, ImageAffine, Linear, MatrixSymmetry, Samples, Symmetry, Task

SMALL = {"restarts": 2, "width": 32, "steps": 250, "batch": 128, "rate": 0.03}
TURN = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
NO_PENALTY = Penalties(0, 0, 0, False)


def gaussian(count: int, seed: int, n: int = 2) -> Tensor:
    return torch.randn(count, n, generator=torch.Generator().manual_seed(seed))


def task(label, action: Linear | None = None, sample=lambda x: x) -> Task:
    """Labels y = label(x) of normal points in the plane, or of what `sample` makes of them."""
    train, valid = (sample(gaussian(count, seed)) for seed, count in enumerate((3000, 1500)))
    return Task(Samples(train, label(train)), Samples(valid, label(valid)), action or Linear((2,)), seed=0)


def squared(x: Tensor) -> Tensor:
    return x.square().sum(1, keepdim=True)


def half_plane(x: Tensor) -> Tensor:
    return torch.cat([x[:, :1], x[:, 1:].abs()], 1)


def cosine(symmetry: Symmetry, k: int = 0) -> float:
    """|cos| between a generator and the rotation."""
    found = symmetry.matrices()
    assert found is not None
    return abs((found[k] * TURN).sum() / found[k].norm() / TURN.norm()).item()


@settings(max_examples=30)
@given(arrays(np.float64, (3, 4, 4), elements=st.floats(-2, 2)))
def test_exponential_is_scipys(matrices: np.ndarray) -> None:
    found = exponential(torch.from_numpy(matrices))
    torch.testing.assert_close(found, torch.from_numpy(expm(matrices)), rtol=1e-6, atol=1e-6)


def test_coefficients_follow_their_law() -> None:
    draw = torch.Generator().manual_seed(0)
    assert drawn("normal", 0.5, (20_000,), draw).std().item() == pytest.approx(0.5, rel=0.03)
    uniform = drawn("uniform", 2, (20_000,), draw)
    assert uniform.abs().max() <= 2
    assert uniform.std().item() == pytest.approx(4 / math.sqrt(12), rel=0.03)
    assert set(drawn("integers", 3, (1000,), draw).tolist()) == {-3, -2, -1, 1, 2, 3}


def test_generators_at_unit_speed_are_orthonormal_whatever_the_parameters() -> None:
    space = torch.linalg.qr(gaussian(9, 0, 9))[0].reshape(9, 3, 3)
    generators = Generators(space, 2, 4, unit=True, size=1.0, draw=torch.Generator().manual_seed(1))
    generators.raw.data *= 1e-3
    L = generators.matrices().flatten(2)
    torch.testing.assert_close(L @ L.mT, torch.eye(4).expand(2, 4, 4), atol=1e-5, rtol=0)


@given(st.integers(2, 20), st.data())
def test_the_group_of_an_element_off_by_a_little_is_found(k: int, data: st.DataObject) -> None:
    """h near a power of a rotation by 2 pi / k, in skewed coordinates: the generator is that rotation."""
    power = data.draw(st.sampled_from([j for j in range(1, k) if math.gcd(j, k) == 1]))
    off = data.draw(st.floats(-1e-3, 1e-3))
    skew = torch.tensor([[1.0, 0.4], [0.0, 1.0]], dtype=torch.float64)
    angle = torch.tensor(2 * math.pi * power / k + off, dtype=torch.float64)
    h = skew @ torch.linalg.matrix_exp(angle * TURN.double()) @ skew.inverse()
    x = gaussian(200, 0)
    assert order(Linear((2,)), h, x.double()) == k
    found = generator_of(Linear((2,)), h, x)
    torch.testing.assert_close(torch.linalg.matrix_power(found, k), torch.eye(2).double(), atol=1e-9, rtol=0)
    angles = torch.linalg.eigvals(found).angle().abs()
    torch.testing.assert_close(angles, torch.full((2,), 2 * math.pi / k, dtype=torch.float64), atol=1e-9, rtol=0)


@pytest.mark.parametrize("h", [torch.linalg.matrix_exp(TURN), torch.diag(torch.tensor([1.1, 0.9]))])
def test_an_element_without_order_stays(h: Tensor) -> None:
    torch.testing.assert_close(generator_of(Linear((2,)), h, gaussian(200, 0)), h.double())


def test_a_fraction_of_the_angle_is_promoted() -> None:
    """Points on a square and an angle of 30 degrees: of its multiples only the third keeps the square."""
    square = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]]).repeat(50, 1)
    draw = torch.Generator().manual_seed(0)
    generators = Generators(TURN[None], 2, 1, unit=False, size=1.0, draw=draw)
    generators.raw.data = torch.tensor([math.pi / 6, math.pi / 2]).reshape(2, 1, 1)
    proposals = Proposals(
        Linear((2,)), generators, lambda shape: drawn("integers", 3, shape, draw), Features(Samples(square)), NO_PENALTY
    )
    corners = Features(Samples(square))(square[:4], None)
    promote(lambda x: 3 - 10 * torch.cdist(x, corners).amin(-1), proposals, Samples(square), 3)  # type: ignore[arg-type]
    assert generators.raw[0].item() == pytest.approx(math.pi / 2)
    assert generators.raw[1].item() / (math.pi / 2) % 4 == pytest.approx(1, abs=1e-5) or generators.raw[1].item() > 1.6


@pytest.mark.parametrize("coefficients", ["normal", "uniform"])
def test_finds_what_the_law_keeps(coefficients: str) -> None:
    found = LieGAN(coefficients=coefficients, **SMALL).discover(task(squared))  # type: ignore[arg-type]
    assert isinstance(found, MatrixSymmetry)
    assert cosine(found) > 0.995
    assert found.scores.item() < 0.05
    again = MatrixSymmetry(found.action, **found.config())
    again.load_state_dict(found.state_dict())
    torch.testing.assert_close(again.generators, found.generators)


def test_the_target_moves_along() -> None:
    """y = A x with A a turn and a stretch: an equivariant law, of rotations and scaling alone; p(x) has no scaling."""
    A = torch.tensor([[1.0, -0.5], [0.5, 1.0]])
    moving, still = Linear((2,), target=Linear((2,))), Linear((2,))
    assert cosine(LieGAN(**SMALL).discover(task(lambda x: x @ A.T, moving))) > 0.995
    assert LieGAN(**SMALL).discover(task(lambda x: x @ A.T, still)).K == 0


def test_half_of_the_circle_makes_free_generators_collapse_and_others_be_refused() -> None:
    half = task(squared, sample=half_plane)
    assert LieGAN(unit=False, **SMALL).discover(half).K == 0
    anyway = LieGAN(most=1, **SMALL).discover(half)
    assert anyway.K == 1
    assert anyway.scores.item() > LieGAN.most


def test_a_channel_too_many_stands_alone_and_is_told_apart() -> None:
    found = LieGAN(K=2, most=2, **SMALL | {"steps": 400}).discover(task(squared))
    assert found.scores[0] < LieGAN.most < found.scores[1]
    assert cosine(found) > 0.97


def test_a_finite_group_is_one_exact_element() -> None:
    """Im (x1 + i x2)^3 is kept by C_3 alone, and normal points by all rotations."""

    def petals(x: Tensor) -> Tensor:
        cube = torch.complex(x[:, 0], x[:, 1]) ** 3 / (1 + squared(x)[:, 0])
        return torch.stack([cube.real, cube.imag], 1)

    found = LieGAN(coefficients="integers", **SMALL | {"restarts": 6, "steps": 400}).discover(task(petals))
    assert (found.K, found.M) == (0, 1)
    assert isinstance(found, MatrixSymmetry)
    angles = torch.linalg.eigvals(found.elements[0]).angle().abs()
    torch.testing.assert_close(angles, torch.full((2,), 2 * math.pi / 3), atol=1e-4, rtol=0)


def test_penalties_are_what_they_say() -> None:
    draw = torch.Generator().manual_seed(0)
    space = torch.eye(4).reshape(4, 2, 2)
    generators = Generators(space, 1, 2, unit=False, size=1.0, draw=draw)
    generators.raw.data = torch.tensor([[[2.0, 0, 0, 0], [1, 1, 0, 0]]])
    x = gaussian(50, 0)
    proposals = Proposals(Linear((2,)), generators, torch.zeros, Features(Samples(x)), Penalties(0, 1, 0, False))
    still = proposals.still(Samples(x))
    assert proposals.penalty(Samples(x), still).item() == pytest.approx(1 + (math.sqrt(2) - 1) ** 2)
    proposals.weights = Penalties(0, 0, 3, False)
    assert proposals.penalty(Samples(x), still).item() == pytest.approx(3 / 2)
    proposals.weights = Penalties(2, 0, 0, False)
    assert proposals.penalty(Samples(x), still).item() == pytest.approx(2)


def test_to_fourier_amplitudes_a_shift_is_no_movement() -> None:
    action = ImageAffine((1, 8, 8))
    images = torch.rand(200, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    features = ImageFeatures(Samples(images), 0.0)
    generators = Generators(torch.zeros(1, 3, 3), 1, 1, unit=False, size=1.0, draw=torch.Generator())
    proposals = Proposals(action, generators, torch.zeros, features, Penalties(1, 0, 0, True))
    mean, order = images.mean(0), torch.randperm(64, generator=torch.Generator().manual_seed(0))
    shifted = features((images - mean).roll(3, -1) + mean, None)[None]
    mixed = features((images - mean).flatten(1)[:, order].reshape(images.shape) + mean, None)[None]
    assert proposals.penalty(Samples(images), shifted).item() == pytest.approx(1, abs=1e-5)
    assert proposals.penalty(Samples(images), mixed).item() < 0.95


def test_finds_the_rotation_of_images() -> None:
    digits = RotatedDigits(digits=(0, 1, 2), rotation="uniform")
    images = digits.load("train", 0), digits.load("valid", 0)
    found = LieGAN(**SMALL | {"most": 0.05}).discover(Task(*images, digits.actions()["image_affine"], seed=0))
    matrices = found.matrices()
    assert matrices is not None
    turn = F.pad(TURN, (0, 1, 0, 1))
    assert abs((matrices[0] * turn).sum() / matrices[0].norm() / turn.norm()) > 0.99


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"K": 0}, "K = 0"), ({"K": 2, "coefficients": "integers"}, "K = 2"), ({"detail": -1.0}, "detail = -1.0")],
)
def test_wrong_parameters_are_told(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(BenchError, match=told):
        LieGAN(**wrong)  # type: ignore[arg-type]


def test_more_channels_than_the_action_has() -> None:
    with pytest.raises(BenchError, match="the action has 4 independent fields"):
        LieGAN(K=5, **SMALL).discover(task(squared))
