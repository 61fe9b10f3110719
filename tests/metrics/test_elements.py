"""Finite groups: closed forms of the elements' score."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance
from torch import Tensor

from bench.contracts import Field, ImageAffine, Linear, MatrixSymmetry, NoSymmetry
from bench.metrics._elements import wasserstein
from bench.metrics.generator_similarity import GeneratorSimilarity
from bench.metrics.oracle_preservation import OraclePreservation

SCORE = "generator_similarity.elements"
PLANE = Linear((2,))
NONE = torch.zeros(0, 2, 2)


def turn(angle: float, n: int = 2) -> Tensor:
    g = torch.eye(n)
    g[:2, :2] = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return g


def cyclic(k: int, n: int = 2) -> Tensor:
    return torch.stack([turn(2 * math.pi * j / k, n) for j in range(1, k)])


def finite(*elements: Tensor, action=PLANE) -> MatrixSymmetry:
    n = action.n
    return MatrixSymmetry.of(action, torch.zeros(0, n, n), torch.stack(elements) if elements else torch.zeros(0, n, n))


@pytest.fixture(scope="module")
def test(case: SimpleNamespace):
    return case.held_out(PLANE, case.gaussian(200, 2, 0), case.gaussian(200, 2, 1))


def scores(found, truth, test) -> dict[str, float | None]:
    return GeneratorSimilarity().score(symmetry=found, truth=truth, test=test)


@pytest.mark.parametrize("k", [2, 3, 4, 8, 12])
def test_the_true_elements_in_any_order_or_a_generator_of_them_score_one(test, k: int) -> None:
    truth = finite(*cyclic(k))
    for found in (truth, finite(*cyclic(k).flip(0)), finite(turn(2 * math.pi / k)), finite(*cyclic(k), torch.eye(2))):
        s = scores(found, truth, test)
        assert s[SCORE] == pytest.approx(1, abs=1e-4)
        assert s[f"{SCORE}.distance"] == pytest.approx(0, abs=1e-4)
        assert (s[f"{SCORE}.found"], s[f"{SCORE}.true"]) == (k, k)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_the_identity_an_eighth_of_the_angle_and_wrong_groups_score_nothing(test, k: int) -> None:
    truth, reflection = finite(*cyclic(k)), torch.diag(torch.tensor([1.0, -1.0]))
    wrong = [NoSymmetry(PLANE), finite(), finite(torch.eye(2)), finite(turn(2 * math.pi / k / 8)), finite(reflection)]
    wrong += [finite(0 * torch.eye(2)), finite(1e30 * torch.eye(2)), finite(0.1 * torch.eye(2))]
    for found in wrong:
        assert scores(found, truth, test)[SCORE] == pytest.approx(0, abs=1e-6)
    assert scores(finite(), truth, test)[f"{SCORE}.distance"] == pytest.approx(1)
    eighth = scores(finite(turn(2 * math.pi / 12 / 8)), finite(*cyclic(12)), test)
    assert eighth[SCORE] < 1 / 8, "powers up to the eleventh, 41 degrees, come near one more true element"


@given(st.floats(-0.2, 0.2))
@settings(deadline=None, max_examples=20)
def test_a_wrong_angle_costs_its_chord(case: SimpleNamespace, error: float) -> None:
    """C_2 found as {1, R(pi + a)}: W = |2 sin(a/2)| / 2 of |x|, the cut half of |2x|, so 1 - 2 |sin(a/2)|."""
    x = case.gaussian(100, 2, 0)
    exact = case.held_out(PLANE, x, x @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T))).T)
    s = scores(finite(turn(math.pi + error)), finite(*cyclic(2)), exact)
    assert s[SCORE] == pytest.approx(1 - 2 * abs(math.sin(error / 2)), abs=0.011)
    assert s[f"{SCORE}.distance"] == pytest.approx(abs(math.sin(error / 2)), abs=0.011)


def test_a_subgroup_and_a_larger_group_score_between(test) -> None:
    """W of C_2 to C_4 is half a share of the cut, the identity's three quarters."""
    truth = finite(*cyclic(4))
    assert scores(finite(*cyclic(2)), truth, test)[SCORE] == pytest.approx(1 / 3, abs=1e-4)
    assert 0 < scores(finite(*cyclic(8)), truth, test)[SCORE] < 0.5


def test_reflections_of_images_are_told_from_rotations(case: SimpleNamespace) -> None:
    action = ImageAffine((1, 8, 8))
    x = torch.rand(150, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    test = case.held_out(action, x[:80], x[80:])
    flips = [torch.diag(torch.tensor(signs)) for signs in ((-1.0, 1, 1), (1.0, -1, 1))]
    truth = finite(*flips, action=action)
    assert scores(finite(*flips, flips[0] @ flips[1], action=action), truth, test)[SCORE] == pytest.approx(1, abs=1e-3)
    assert scores(finite(turn(math.pi, 3), action=action), truth, test)[SCORE] == pytest.approx(1 / 3, abs=1e-3)
    assert scores(finite(turn(0.3, 3), action=action), truth, test)[SCORE] < 0.05
    assert scores(finite(torch.zeros(3, 3), action=action), truth, test)[SCORE] < 0.05


def test_the_score_does_not_depend_on_the_coordinates(case: SimpleNamespace) -> None:
    M = torch.tensor([[2.0, 1.0], [0.0, 0.5]])
    back = torch.linalg.inv(M)
    x, reference = case.gaussian(200, 2, 0), case.gaussian(200, 2, 1)
    found = [turn(1.7), turn(3.0)]
    here = scores(finite(*found), finite(*cyclic(4)), case.held_out(PLANE, x, reference))
    moved = case.held_out(PLANE, x @ M.T, reference @ M.T)
    there = scores(finite(*(M @ g @ back for g in found)), finite(*(M @ g @ back for g in cyclic(4))), moved)
    assert here == pytest.approx(there, abs=1e-4)


def test_it_does_not_apply_without_finite_elements_alone(case: SimpleNamespace, test) -> None:
    both = MatrixSymmetry.of(PLANE, case.rotations(2), cyclic(2))
    for truth in (None, finite(), both, case.Rotation(PLANE, case.rotations(2))):
        assert SCORE not in scores(finite(*cyclic(2)), truth, test)
    field = case.held_out(Field((2,)), test.samples.x, test.reference.x)
    assert SCORE not in scores(NoSymmetry(Field((2,))), NoSymmetry(Field((2,))), field)


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_the_transport_is_that_of_scipy_on_a_line(f: int, g: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    a, b = draw.normal(size=f), draw.normal(size=g)
    costs = torch.from_numpy(np.abs(a[:, None] - b[None]))
    assert wasserstein(costs) == pytest.approx(wasserstein_distance(a, b), abs=1e-9)


@pytest.mark.parametrize("off", [0.0, 0.01, -0.3])
def test_the_angle_is_compared_with_the_nearest_true_one(test, off: float) -> None:
    truth = finite(*cyclic(7))
    for power in (1, 3):
        s = scores(finite(turn(2 * math.pi * (power + off) / 7)), truth, test)
        assert s[f"{SCORE}.angle_error"] == pytest.approx(abs(off), abs=1e-5)
    assert scores(finite(), truth, test)[f"{SCORE}.angle_error"] is None


def test_elements_keep_the_oracle_or_not_at_their_own_displacement(case: SimpleNamespace, test) -> None:
    """cos 4 theta is kept by a quarter turn, and changed by an eighth as by anything else that far."""
    oracle = case.Formula(lambda x: (torch.view_as_complex(x).sgn() ** 4).real[:, None])
    quarter, eighth, still = (
        OraclePreservation().score(symmetry=one, truth=finite(*cyclic(4)), oracle=oracle, test=test)
        for one in (finite(turn(math.pi / 2)), finite(turn(math.pi / 4)), finite(torch.eye(2)))
    )
    name = "oracle_preservation"
    assert quarter[name] == quarter[f"{name}.elements"] == pytest.approx(1, abs=1e-6)
    assert eighth[name] < 0.3
    assert still[name] == 0


def test_beside_generators_an_element_is_right_if_it_lies_in_the_true_group(case: SimpleNamespace) -> None:
    """SO(3) with reflections; a stretch of one axis by 2 is outside by its least distance from the group."""
    action = Linear((3,))
    test = case.held_out(action, case.gaussian(500, 3, 0), case.gaussian(500, 3, 1))
    mirror = torch.diag(torch.tensor([-1.0, 1, 1]))
    rotation = torch.linalg.matrix_exp(torch.einsum("k,kij->ij", torch.tensor([2.0, -0.7, 1.1]), case.rotations(3)))
    alone = MatrixSymmetry.of(action, case.rotations(3))
    whole = MatrixSymmetry.of(action, case.rotations(3), mirror[None])
    name = f"{SCORE}.outside"
    for found in (rotation, turn(math.pi - 0.1, 3), mirror @ rotation):
        assert scores(finite(found, action=action), whole, test)[name] == pytest.approx(0, abs=1e-4)
    assert scores(finite(mirror @ rotation, action=action), alone, test)[name] > 0.3
    stretch = torch.diag(torch.tensor([2.0, 1, 1]))
    assert scores(finite(stretch, action=action), whole, test)[name] == pytest.approx(1, abs=0.05)
    assert scores(finite(torch.eye(3), action=action), whole, test)[name] is None
