"""Every truth is what is computed from the law: the null space over the whole algebra, in float64."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
import torch
from bench.datasets.laws.discrete_rotation import DiscreteRotation
from bench.datasets.laws.double_pendulum import DoublePendulum
from bench.datasets.laws.kepler import Kepler
from bench.datasets.laws.oscillator import Oscillator
from bench.datasets.laws.schwarzschild import Schwarzschild
from bench.datasets.laws.three_body import ThreeBody
from bench.datasets.laws.two_body import TwoBody
from bench.datasets.laws.vectors import LAWS, Vectors

from bench.contracts import BenchError, HeldOut, MatrixSymmetry
from bench.metrics._cosets import outside
from bench.metrics._space import Space
from bench.representations.identity import IdentityView

DIMENSIONS = {
    "euclidean": lambda n: n * (n - 1) // 2,
    "minkowski": lambda n: n * (n - 1) // 2,
    "squeeze": lambda n: 1 + n * (n - 2),
    "subspace": lambda n: (n - 1) * (n - 2) // 2 + n,
    "symplectic": lambda n: n * (n + 1) // 2,
    "two_forms": lambda n: sum(m * (m - 1) // 2 for m in (n // 2, n - n // 2)),
    "polynomial": lambda n: 1 + (n - 1) * (n - 2) // 2,
}
COMPONENTS = {
    "euclidean": 2, "minkowski": 4, "squeeze": 8, "subspace": 4, "symplectic": 1, "two_forms": 4, "polynomial": 2,
}  # fmt: skip
SIZES = [(law, n) for law in LAWS for n in (2, 3, 4, 7, 10) if law != "symplectic" or n % 2 == 0]
BODIES = {"two": TwoBody(), "circular": ThreeBody(orbit="circular"), "general": ThreeBody(orbit="general", samples=100)}
FIELDS = {"oscillator": Oscillator(d=2), "kepler": Kepler(), "pendulum": DoublePendulum(), "hole": Schwarzschild()}


def states(dataset, count):
    return dataset.load("train", 5).x[:count]


def agree(law, dataset, action, name, x):
    truth = dataset.truth(action, name)
    found, values = law.null_space(dataset.oracles()[name], dataset.actions()[action], x)
    assert len(found) == truth.K, values[: truth.K + 2]
    assert law.angle(found, truth, x) < 1e-6
    assert (values[truth.K :] > 1e-3).all()


@pytest.mark.parametrize(("name", "n"), SIZES)
def test_vectors(law, name, n):
    dataset = Vectors(law=name, n=n, samples=300)
    agree(law, dataset, "linear", "law", states(dataset, 300))
    for named in ("law", "labels"):
        assert len(dataset.truth("linear", named).velocity(torch.ones(1, n))) == DIMENSIONS[name](n)


@pytest.mark.parametrize(("name", "n"), SIZES)
def test_vectors_list_elements_that_keep_the_law(name, n):
    dataset = Vectors(law=name, n=n, samples=300)
    phi, truth, x = dataset.oracles()["law"], dataset.truth("linear", "law"), states(dataset, 300)
    assert COMPONENTS[name] // (2 if (name, n) == ("squeeze", 2) else 1) - 1 == truth.M
    t = 0.3 * torch.randn(len(x), truth.K, generator=torch.Generator().manual_seed(1)).double()
    for j in range(truth.M):
        torch.testing.assert_close(phi(truth.transform(truth.element(x, j), t)), phi(x))


@pytest.mark.parametrize("name", [name for name, count in COMPONENTS.items() if count > 1])
def test_no_two_elements_of_vectors_lie_in_one_component(name):
    dataset = Vectors(law=name, n=3, samples=300)
    action, truth = dataset.actions()["linear"], dataset.truth("linear", "law")
    space = Space(HeldOut(dataset.load("test", 0), dataset.load("train", 0), action, IdentityView(action.shape), 0))
    alone = MatrixSymmetry.of(action, truth.generators)
    listed = [torch.eye(3).double(), *truth.elements]
    for g, h in combinations(listed, 2):
        assert outside(MatrixSymmetry.of(action, truth.generators[:0], (g @ h)[None]), alone, space) > 0.1


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("action", ["blocks", "linear"])
@pytest.mark.parametrize("oracle", ["dynamics", "invariants"])
def test_bodies(law, name, action, oracle):
    agree(law, BODIES[name], action, oracle, states(BODIES[name], 100))


@pytest.mark.parametrize(("dataset", "oracle"), [
    *((Oscillator(d=d), oracle) for d in (1, 2, 3) for oracle in ("dynamics", "conserved")),
    *((dataset, oracle) for dataset in (Kepler(), DoublePendulum()) for oracle in ("dynamics", "conserved")),
])  # fmt: skip
def test_matrices_of_the_motions(law, dataset, oracle):
    agree(law, dataset, "linear", oracle, states(dataset, 100))


@pytest.mark.parametrize("name", FIELDS)
def test_fields_keep_their_laws_and_random_ones_do_not(name):
    dataset = FIELDS[name]
    x = states(dataset, 10)
    for oracle, phi in dataset.oracles().items():
        truth = dataset.truth("field", oracle)
        t = 0.1 * torch.randn(len(x), truth.K, generator=torch.Generator().manual_seed(3)).double()
        assert phi.violation(truth, x, t).abs().max() < 1e-6, oracle
        other = dataset.actions()["field"].random(1, x, 3)
        assert phi.violation(other, x, 0.1 * torch.ones(len(x), 1).double()).abs().max() > 1e-3, oracle


@pytest.mark.parametrize("k", [2, 3, 7, 12])
def test_discrete_rotation(law, k):
    dataset = DiscreteRotation(k=k)
    phi, truth, x = dataset.oracles()["law"], dataset.truth("linear", "law"), states(dataset, 300)
    assert not truth.K
    assert len(truth.elements) == k - 1
    for j in range(k - 1):
        torch.testing.assert_close(phi(truth.element(x, j)), phi(x))
    agree(law, dataset, "linear", "law", x)
    for part in (8, 2):
        turn = torch.eye(3).double()
        angle = torch.tensor(2 * math.pi / k / part).double()
        turn[:2, :2] = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).reshape(2, 2)
        assert (phi(x @ turn.T) - phi(x)).abs().max() > 0.1
    for mirror in torch.eye(3).double():
        assert (phi(x * (1 - 2 * mirror)) - phi(x)).abs().max() > 0.1


@pytest.mark.parametrize("oracle", ["dynamics", "conserved"])
def test_the_pendulum_has_finite_symmetries_alone(oracle):
    dataset = DoublePendulum()
    phi, truth, x = dataset.oracles()[oracle], dataset.truth("linear", oracle), states(dataset, 50)
    assert not truth.K
    assert len(truth.elements) == (1 if oracle == "dynamics" else 3)
    for j, g in enumerate(truth.elements):
        carried = phi(x) @ g.T if oracle == "dynamics" else phi(x)
        torch.testing.assert_close(phi(truth.element(x, j)), carried)


@pytest.mark.parametrize(("dataset", "wrong"), [
    (Vectors, {"law": "cubic"}), (Vectors, {"n": 1}), (Vectors, {"n": 11}), (Vectors, {"law": "symplectic", "n": 3}),
    (Vectors, {"samples": 3}), (DiscreteRotation, {"k": 1}), (TwoBody, {"arc": "third"}), (TwoBody, {"time": 0}),
    (ThreeBody, {"orbit": "figure"}), (Oscillator, {"d": 4}),
])  # fmt: skip
def test_what_is_not_allowed_is_named(dataset, wrong):
    name, value = list(wrong.items())[-1]
    with pytest.raises(BenchError, match=rf"^{name} = .*{value}.*;"):
        dataset(**wrong)


@pytest.mark.parametrize("dataset", [Vectors(law="two_forms"), TwoBody(samples=50), Kepler(), Schwarzschild()])
def test_samples_are_seeded_and_labelled_by_the_law(dataset):
    first, again, other = dataset.load("test", 1), dataset.load("test", 1), dataset.load("test", 2)
    assert torch.equal(first.x, again.x)
    assert torch.equal(first.y, again.y)
    assert not (first.x[:, None, 1] == other.x[None, :50, 1]).any()
    assert not (first.x[:, None, 1] == dataset.load("valid", 1).x[None, :50, 1]).any()
    assert first.x.dtype == first.y.dtype == torch.float64
    law = "law" if "law" in dataset.oracles() else "dynamics"
    torch.testing.assert_close(first.y, dataset.oracles()[law](first.x))
    assert dataset.truth("none of them", law) is None
    assert dataset.truth(next(iter(dataset.actions())), "none of them") is None
