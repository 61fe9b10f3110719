"""Laws of the oracles."""

from __future__ import annotations

import pytest
import torch
from bench.datasets._rotation import ROTATION

from bench.contracts import BenchError, ImageAffine, MatrixSymmetry, Oracle, Samples
from bench.oracles import Classifier, RadialProfile, Stacked
from bench.oracles.classifier import Blur

SHAPE = (1, 16, 16)


def blobs(count: int, seed: int = 0) -> Samples:
    """Two blobs, at equal distances from the centre or not: the class is a matter of the radii alone."""
    draw = torch.Generator().manual_seed(seed)
    y = torch.randint(2, (count,), generator=draw)
    grid = ImageAffine(SHAPE).grid(torch.zeros(()))[..., :2]
    angles = 6.2832 * torch.rand(2, count, generator=draw)
    x = torch.zeros(count, 16, 16)
    for angle, radius in zip(angles, (0.4 + 0 * y, 0.4 + 0.3 * y), strict=True):
        centre = radius[:, None] * torch.stack([angle.cos(), angle.sin()], -1)
        x += torch.exp(-20 * (grid - centre[:, None, None]).square().sum(-1))
    return Samples(x[:, None] / 2, y)


def oracles() -> list[Oracle]:
    profile = RadialProfile(SHAPE)
    stacked = Stacked([Classifier(SHAPE, 3), profile], (3, profile.components))
    return [Classifier(SHAPE, 3, quarter_turns=True, blur=0.6), profile, stacked]


@pytest.mark.parametrize("oracle", oracles(), ids=lambda oracle: type(oracle).__name__)
def test_every_oracle_has_directional_derivatives(oracle):
    phi, x, h = oracle.double().eval(), blobs(4).x.double(), 1e-5
    towards = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    _, slope = torch.func.jvp(phi, (x,), (towards,))
    assert torch.allclose(slope, (phi(x + h * towards) - phi(x - h * towards)) / (2 * h), atol=1e-6)
    assert torch.allclose(torch.func.vmap(lambda one: phi(one[None])[0])(x), phi(x), atol=1e-10)


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 125, 125), (3, 20, 31), (7,)])
def test_logits_sum_to_zero(shape):
    logits = Classifier(shape, 4)(torch.rand(5, *shape))
    assert logits.shape == (5, 4)
    assert torch.allclose(logits.sum(-1), torch.zeros(5), atol=1e-6)


def test_a_classifier_learns_and_is_reloaded_to_the_bit():
    train, valid = blobs(2000), blobs(500, seed=1)
    oracle = Classifier(SHAPE, 2)
    figures = oracle.fit(train, valid, seed=0, effort=0.05)
    assert figures["accuracy"] > 0.9
    assert not oracle.training
    again = Classifier(SHAPE, 2)
    again.load_state_dict(oracle.state_dict())
    assert torch.equal(again.eval()(valid.x), oracle(valid.x))
    assert figures["accuracy"] == (oracle(valid.x).argmax(-1) == valid.y).double().mean().item()


def test_a_blur_widens_a_point_by_its_deviation():
    point = torch.zeros(1, 2, 21, 21)
    point[:, :, 10, 10] = 1
    spread = Blur(2, 1.0)(point)
    offsets = torch.arange(-10, 11)
    assert torch.allclose(spread.sum((2, 3)), torch.ones(1, 2))
    assert (spread[0, 0].sum(0) * offsets**2).sum().sqrt() == pytest.approx(1.0, rel=0.15)  # cut at two deviations


def test_vectors_are_classified_too():
    x = torch.randn(1000, 5, generator=torch.Generator().manual_seed(0))
    samples = Samples(x, (x.square().sum(-1) > 5).long())
    assert Classifier((5,), 2).fit(samples[:800], samples[800:], seed=0, effort=0.1)["accuracy"] > 0.9


def test_one_seed_is_one_oracle_to_the_bit():
    train, valid = blobs(300), blobs(100, seed=1)
    states = []
    for seed in (0, 0, 1):
        oracle = oracles()[2]
        oracle.fit(train, valid, seed=seed, effort=0.005)
        states.append(oracle.state_dict())
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])
    assert not torch.equal(states[0]["mean"], states[2]["mean"])


def test_a_classifier_needs_labels():
    with pytest.raises(BenchError, match="needs labels"):
        Classifier(SHAPE, 2).fit(blobs(10).unlabelled(), blobs(10), seed=0)


@pytest.mark.parametrize("powers", [(1,), (1, 2)])
def test_the_profile_has_the_components_that_it_announces(powers):
    profile = RadialProfile((3, 20, 31), powers=powers)
    x = torch.rand(4, 3, 20, 31)
    assert profile(x).shape == (4, profile.components)
    means = RadialProfile((3, 20, 31), powers=(1,))(x)
    assert torch.allclose(profile(x)[:, : means.shape[1]], means, atol=1e-6)


def test_rings_share_out_the_plane():
    rings = RadialProfile((3, 28, 28)).weights
    assert torch.allclose(rings.sum((1, 2)), torch.ones(len(rings)))
    assert (rings >= 0).all()
    constant = RadialProfile((3, 28, 28))(torch.ones(2, 3, 28, 28))
    assert torch.allclose(constant, torch.ones_like(constant))


def test_the_profile_keeps_rotations_and_nothing_else_affine():
    phi, x = RadialProfile(SHAPE).double(), blobs(200).x.double()
    action = ImageAffine(SHAPE)
    identity = torch.eye(3, dtype=torch.float64)
    others = torch.stack([
        torch.outer(identity[0], identity[2]), torch.outer(identity[1], identity[2]),
        torch.diag(torch.tensor([1.0, 1, 0])).double(), torch.diag(torch.tensor([1.0, -1, 0])).double(),
        torch.outer(identity[0], identity[1]) + torch.outer(identity[1], identity[0]),
    ])  # fmt: skip
    truth = MatrixSymmetry.of(action, torch.cat([ROTATION[None].double(), others]))
    velocities = truth.velocity(x)
    slopes = torch.stack([torch.func.jvp(phi, (x,), (v,))[1] for v in velocities])
    speed = slopes.square().mean((1, 2)) / velocities.flatten(1).square().mean(1)
    assert speed[0] < 3e-3 * speed[1:].min()


def test_the_profile_is_invariant_under_finite_rotations_of_a_smooth_image():
    phi, x = RadialProfile(SHAPE), blobs(100).x
    truth = MatrixSymmetry.of(ImageAffine(SHAPE), ROTATION[None])
    for angle in (0.3, 1.0, 2.5):
        change = phi.violation(truth, x, torch.full((len(x), 1), angle))
        assert change.norm() < 0.02 * phi(x).norm()


def test_stacked_is_standardised_on_training():
    train, valid = blobs(500), blobs(100, seed=1)
    oracle = oracles()[2]
    figures = oracle.fit(train, valid, seed=0, effort=0.01)
    values = oracle(train.x)
    assert set(figures) == {"accuracy", "cross_entropy"}
    assert torch.allclose(values.mean(0), torch.zeros(values.shape[1]), atol=1e-4)
    assert values.std(0).max() < 1.0001
    assert values.std(0)[:3].min() > 0.5
