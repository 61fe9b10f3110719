"""Matrices on vectors and on images: truth, chance, changes of basis and of coordinates."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bench.contracts import HeldOut, ImageAffine, Linear, MatrixSymmetry, NoSymmetry, Samples
from bench.metrics import oracle_preservation
from bench.metrics._chance import Spans, effective_samples
from bench.metrics._space import space_of
from bench.metrics.generator_similarity import GeneratorSimilarity
from bench.metrics.oracle_preservation import OraclePreservation
from bench.oracles.profile import RadialProfile
from bench.representations.identity import IdentityView

OP, DP, SIM = "oracle_preservation", "distribution_preservation", "generator_similarity"


@pytest.fixture(scope="module")
def track(case: SimpleNamespace) -> SimpleNamespace:
    action = Linear((3,))
    test = case.held_out(action, case.gaussian(4000, 3, 1), case.gaussian(2000, 3, 2))
    truth = case.Rotation(action, case.rotations(3))
    oracle = case.Formula(lambda x: x.square().sum(1, keepdim=True))
    return SimpleNamespace(action=action, test=test, truth=truth, oracle=oracle)


def similarity(symmetry: MatrixSymmetry, track: SimpleNamespace) -> dict[str, float | None]:
    return GeneratorSimilarity().score(symmetry=symmetry, truth=track.truth, test=track.test)


def test_so3_wins_everywhere(case: SimpleNamespace, track: SimpleNamespace) -> None:
    s = case.scores(track.truth, track.truth, track.oracle, track.test)
    assert s[OP] > 0.999
    assert s[f"{OP}.worst_direction"] > 0.999
    assert s[DP] > 0.9
    assert s[SIM] == pytest.approx(1)
    assert s[f"{SIM}.grassmann"] == pytest.approx(0, abs=1e-6)
    assert s[f"{SIM}.closure"] == pytest.approx(0, abs=1e-6)
    assert s["orbit_similarity"] is None


def test_similarity_is_adjusted_for_chance(track: SimpleNamespace) -> None:
    everything = track.action.candidates(track.test.reference.x)
    s = similarity(everything, track)
    assert (s[SIM], s[f"{SIM}.recall"], s[f"{SIM}.K"], s[f"{SIM}.J"]) == (0, pytest.approx(1), 9, 3)
    found = [similarity(track.action.random(3, track.test.reference.x, seed), track)[SIM] for seed in range(40)]
    assert abs(sum(found) / 40) < 0.08
    assert similarity(MatrixSymmetry.of(track.action, torch.zeros(0, 3, 3)), track)[SIM] == 0


def test_two_of_three_generators(case: SimpleNamespace, track: SimpleNamespace) -> None:
    s = similarity(case.Rotation(track.action, case.rotations(3)[:2]), track)
    assert s[SIM] == pytest.approx((2 - 6 / 9) / (2.5 - 6 / 9), abs=1e-6)
    assert s[f"{SIM}.grassmann"] == pytest.approx(math.pi / 2, abs=1e-6)


def test_a_spurious_generator_counts_at_any_scale(case: SimpleNamespace, track: SimpleNamespace) -> None:
    spurious = torch.diag(torch.tensor([1.0, 0, 0]))[None]
    small, large = (
        similarity(case.Rotation(track.action, torch.cat([case.rotations(3), scale * spurious])), track)[SIM]
        for scale in (1e-4, 1.0)
    )
    assert small == pytest.approx(large, abs=1e-6)
    assert small < 0.9


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=5)
def test_no_score_depends_on_the_basis_of_the_generators(case: SimpleNamespace, track: SimpleNamespace, seed: int):
    draw = torch.Generator().manual_seed(seed)
    L = track.action.random(2, track.test.reference.x, 3).matrices()
    turn = torch.linalg.qr(torch.randn(2, 2, generator=draw)).Q @ torch.diag(torch.tensor([0.3, 4.0]))
    one, other = (MatrixSymmetry.of(track.action, G) for G in (L, torch.einsum("jk,kab->jab", turn, L)))
    for metric in (OraclePreservation(), GeneratorSimilarity()):
        a, b = (metric.score(symmetry=s, truth=track.truth, oracle=track.oracle, test=track.test) for s in (one, other))
        assert a == pytest.approx(b, abs=5e-3)


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=5)
def test_similarity_does_not_depend_on_the_coordinates(case: SimpleNamespace, track: SimpleNamespace, seed: int):
    draw = torch.Generator().manual_seed(seed)
    M = torch.randn(3, 3, generator=draw) + 2 * torch.eye(3)
    if torch.linalg.cond(M) > 20:
        return
    found = track.action.random(2, track.test.reference.x, 3).matrices()

    def at(change: Tensor) -> float | None:
        inverse = torch.linalg.inv(change)
        test = case.held_out(track.action, track.test.samples.x @ change.T, track.test.reference.x @ change.T)
        moved, truth = (MatrixSymmetry.of(track.action, change @ L @ inverse) for L in (found, case.rotations(3)))
        return GeneratorSimilarity().score(symmetry=moved, truth=truth, test=test)[SIM]

    assert at(M) == pytest.approx(at(torch.eye(3)), abs=2e-3)


def test_the_standard_error_is_that_of_other_test_samples(case: SimpleNamespace, track: SimpleNamespace, monkeypatch):
    monkeypatch.setattr(oracle_preservation, "ROWS", 256)
    symmetry, found = track.action.random(1, track.test.reference.x, 3), []
    for k in range(24):
        test = case.held_out(track.action, case.gaussian(256, 3, 100 + k), track.test.reference.x)
        found.append(OraclePreservation().score(symmetry=symmetry, truth=None, oracle=track.oracle, test=test))
    spread = torch.tensor([s[OP] for s in found]).std().item()
    assert 0.6 < spread / (sum(s[f"{OP}.se"] for s in found) / 24) < 1.5


def test_weights_keep_long_tails_from_deciding(case: SimpleNamespace) -> None:
    """Simulation of section 2's weights: log-normal momenta, and a truth that stands still on a line."""
    action = Linear((3,))
    x = case.gaussian(4000, 3, 0)
    heavy = x * torch.exp(1.5 * case.gaussian(4000, 1, 1))
    for samples, truth in ((heavy, case.rotations(3)), (x, case.rotations(3, (0, 1)))):
        test = case.held_out(action, samples, samples)
        spans = Spans(test, case.Rotation(action, truth))
        speeds = spans.action.square().sum((0, 2))
        weighted = effective_samples(spans.weights * speeds)
        assert weighted > 0.3 * len(speeds)
        if samples is heavy:
            assert effective_samples(speeds) < 0.1 * weighted


def blobs(n: int, shape: tuple[int, int, int], seed: int) -> Tensor:
    """Smooth images with two unequal blobs, mirrored at random, in any orientation: (n, 1, H, W)."""
    draw = torch.Generator().manual_seed(seed)
    angle, radius, mirror = torch.rand(3, n, generator=draw)
    sign = torch.where(mirror > 0.5, 1.0, -1.0)
    points = ImageAffine(shape).grid(torch.zeros(()))[None, ..., :2]
    x = torch.zeros(n, *shape)
    for turn, size in ((0.0, 1.0), (2.1, 0.6)):
        a = 2 * math.pi * angle + sign * turn
        centre = (0.15 + 0.35 * radius)[:, None] * torch.stack([a.cos(), a.sin()], 1)
        x[:, 0] += size * torch.exp(-(points - centre[:, None, None]).square().sum(-1) / (2 * 0.18**2))
    return x


def test_rotations_of_smooth_images(case: SimpleNamespace) -> None:
    shape = (1, 20, 20)
    action = ImageAffine(shape)
    test = HeldOut(Samples(blobs(1500, shape, 0)), Samples(blobs(600, shape, 1)), action, IdentityView(shape), 0)
    rotation = torch.tensor([[[0.0, -1, 0], [1, 0, 0], [0, 0, 0]]])
    truth, oracle = MatrixSymmetry.of(action, rotation), RadialProfile(shape, 6)
    right = case.scores(truth, truth, oracle, test)
    assert right[OP] > 0.98
    assert right[DP] > 0.8
    assert right["joint"] > 0.8
    assert right[SIM] == pytest.approx(1)
    dilation = torch.tensor([[[1.0, 0, 0], [0, 1, 0], [0, 0, 0]]])
    wrong = case.scores(MatrixSymmetry.of(action, dilation), truth, oracle, test)
    assert wrong[OP] < 0
    assert wrong[DP] < 0.1
    assert wrong["joint"] == 0
    assert wrong[SIM] < 0.05
    for angle in (15, 45, 90, 180):
        name = f"{OP}.turned.{angle}"
        assert right[name] > 0.98
        assert right[f"{OP}.truth.turned.{angle}"] == right[name]
        assert wrong[name] < 0


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Small images whose truth is a rotation about a point off the centre."""
    for name in ("ROWS", "TURNED_ROWS"):
        monkeypatch.setattr(oracle_preservation, name, 128)
    shape = (1, 12, 12)
    x, action = blobs(400, shape, 0), ImageAffine(shape)
    test = HeldOut(Samples(x[:200]), Samples(x[200:]), action, IdentityView(shape), 0)
    A = torch.tensor([[0.0, -1, 0.2], [1, 0, -0.1], [0, 0, 0]])
    return SimpleNamespace(action=action, test=test, A=A, oracle=RadialProfile(shape, 6))


def test_angles_do_not_depend_on_the_speed_and_need_a_truth(small: SimpleNamespace) -> None:
    truth = MatrixSymmetry.of(small.action, small.A[None])

    def turned(symmetry: Any, truth: Any = truth) -> list[float]:
        s = OraclePreservation().score(symmetry=symmetry, truth=truth, oracle=small.oracle, test=small.test)
        return [value for name, value in s.items() if name.startswith(f"{OP}.turned")]

    assert turned(MatrixSymmetry.of(small.action, -8 * small.A[None])) == pytest.approx(turned(truth), abs=1e-3)
    assert turned(NoSymmetry(small.action)) == [0, 0, 0, 0]
    assert turned(truth, NoSymmetry(small.action)) == turned(truth, None) == []


def test_what_the_truth_cannot_reach_is_not_asked_of_it(small: SimpleNamespace) -> None:
    """Nearly round images: however far they turn, they do not go one deviation of the data."""
    bright = torch.rand(400, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    lopsided = blobs(400, (1, 12, 12), 0)
    x = 5 * bright * torch.stack([lopsided.rot90(turn, (2, 3)) for turn in range(4)]).sum(0) + 0.5 * lopsided
    test = HeldOut(Samples(x[:200]), Samples(x[200:]), small.action, small.test.view, 0)
    truth = MatrixSymmetry.of(small.action, torch.tensor([[[0.0, -1, 0], [1, 0, 0], [0, 0, 0]]]))
    s = OraclePreservation().score(symmetry=truth, truth=truth, oracle=small.oracle, test=test)
    assert 0.2 < s[f"{OP}.reached.1.0"] < 0.8
    assert s[OP] == pytest.approx(s[f"{OP}.truth"], abs=1e-6)


@pytest.mark.parametrize("speed", [0.3, 4.0])
def test_a_true_path_is_the_rotation_by_the_named_angle(small: SimpleNamespace, speed: float) -> None:
    """Closed form: after an angle a, each sample stands between R(a/2) x and R(-a/2) x."""
    space, truth = space_of(small.test), MatrixSymmetry.of(small.action, speed * small.A[None])
    assert oracle_preservation._frequency(truth) == pytest.approx(speed)
    trial = oracle_preservation._Trial(space, Spans(space.test, truth), small.oracle)
    angles, radius = torch.tensor([0.5, math.pi]), trial.spans.speeds(truth, torch.ones(1, 1).double()) / speed
    found = trial.after(truth, radius * angles)
    z = space.samples(200)[found.sample]
    for reached, angle in zip(found.reached(), angles, strict=True):
        turns = [torch.linalg.matrix_exp(half * small.A).expand(len(z), 3, 3) for half in (angle / 2, -angle / 2)]
        one, other = (small.action.act(turn, z) for turn in turns)
        expected = (one - other).flatten(1).square().sum(1).mean().sqrt().item()
        assert reached.item() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("wrong", [[[1.0, 0], [0, 1]], [[0.0, 1], [1, 0]], [[0.1, -1], [1, 0.1]], [[0.0, 1], [0, 0]]])
def test_what_is_no_rotation_turns_by_no_angle(wrong: list[list[float]]) -> None:
    A = torch.zeros(1, 3, 3)
    A[0, :2, :2] = torch.tensor(wrong)
    assert oracle_preservation._frequency(MatrixSymmetry.of(ImageAffine((1, 8, 8)), A)) is None


@pytest.mark.parametrize(("n", "name"), [(2, "so(2)"), (3, "so(3)")])
def test_the_algebra_found_has_a_name(case: SimpleNamespace, n: int, name: str) -> None:
    action = Linear((n,))
    turn = torch.linalg.qr(case.gaussian(n, n, 3)).Q
    found = case.Rotation(action, turn @ case.rotations(n) @ turn.T)
    facts = GeneratorSimilarity().facts(symmetry=found, truth=None, test=None)
    assert facts == {f"{SIM}.algebra": name}
    assert GeneratorSimilarity().facts(symmetry=NoSymmetry(action), truth=None, test=None) == {}
