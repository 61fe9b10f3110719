"""Metrics of predictors: prediction and invariance."""

import math

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from bench.contracts import HeldOut, Linear, MatrixSymmetry, NoSymmetry, Problem, Samples
from bench.metrics.invariance import Invariance
from bench.metrics.prediction import Prediction
from bench.representations.identity import Identity

TURN = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]])


class Of(nn.Module):
    """A function as a predictor."""

    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        return self.f(x)


def points(count=2000, seed=0):
    return torch.randn(count, 2, generator=torch.Generator().manual_seed(seed))


def given(f, y, action=None, anomaly=False, normal=0, truth=None):
    x = points(len(y))
    action = action or Linear((2,))
    samples = Samples(x, y)
    test = HeldOut(samples, samples, action, Identity().build((2,)), 0)
    truth = MatrixSymmetry.of(action, TURN) if truth is None else truth
    problem = Problem.of(samples, action, anomaly, normal)
    return {"predictor": Of(f), "problem": problem, "test": test, "truth": truth}


def two(score):
    return torch.stack([torch.zeros_like(score), score], 1)


def test_two_classes_are_judged_by_the_area_under_the_curve():
    y = (points()[:, 0] + 0.7 * points(seed=1)[:, 0] > 0).long()
    scores = Prediction().score(**given(lambda x: two(x[:, 0]), y))
    assert scores["prediction"] == pytest.approx(roc_auc_score(y, points()[:, 0]))
    draws = [torch.randint(2000, (2000,), generator=torch.Generator().manual_seed(s)) for s in range(100)]
    spread = torch.tensor([roc_auc_score(y[i], points()[i, 0]) for i in draws]).std()
    assert scores["prediction.se"] == pytest.approx(spread.item(), rel=0.25)  # the bootstrap's error


def test_a_constant_predictor_is_chance():
    y = (points()[:, 0] > 0).long()
    assert Prediction().score(**given(lambda x: torch.zeros(len(x), 2), y))["prediction"] == 0.5
    y3 = torch.arange(2000) % 4
    scores = Prediction().score(**given(lambda x: torch.zeros(len(x), 4), y3))
    assert scores["prediction"] == 0.25
    assert scores["prediction.cross_entropy"] == pytest.approx(math.log(4))
    target = points(seed=2)
    mean = target.mean(0)
    assert Prediction().score(**given(lambda x: mean.expand(len(x), -1), target))["prediction"] == pytest.approx(0)


def test_digits_count_the_decimals_of_a_target():
    scores = Prediction().score(**given(lambda x: 1.01 * x, points()))
    assert scores["prediction"] == pytest.approx(4, abs=1e-2)
    assert scores["prediction.mse"] == pytest.approx(1e-4 * points().square().mean().item(), rel=1e-3)
    assert Prediction().score(**given(lambda x: x, points()))["prediction"] == 300  # the floor of the logarithm


def test_anomalies_are_what_is_not_normal():
    y = (points()[:, 0] > 0).long()
    for normal, area in ((0, 1.0), (1, 0.0)):
        found = Prediction().score(**given(lambda x: x[:, 0], y, anomaly=True, normal=normal))
        assert found["prediction"] == area


def test_an_invariant_predictor_has_no_error_and_its_orbit_is_its_accuracy():
    y = (points().norm(dim=1) > 1.2).long()
    scores = Invariance().score(**given(lambda x: two(x.norm(dim=1) - 1), y))
    assert scores["invariance.error"] < 1e-5
    assert scores["invariance.local"] < 1e-5
    assert scores["invariance.agreement"] == 1
    accuracy = ((points()[:256].norm(dim=1) > 1) == y[:256]).double().mean().item()
    assert scores["invariance.orbit"] == pytest.approx(accuracy)
    assert scores["invariance.worst"] == pytest.approx(accuracy)


def test_a_predictor_of_one_coordinate_has_the_error_of_its_closed_form():
    """E (x_1 - (g x)_1)^2 / E x_1^2 = 2 over the circle, and E (L x_1)^2 = E x_2^2."""
    y = (points()[:, 0] > 0).long()
    scores = Invariance().score(**given(lambda x: two(x[:, 0]), y))
    assert scores["invariance.error"] == pytest.approx(math.sqrt(2), rel=0.1)
    x = points()[:256]
    rate = x[:, 1].square().mean() / x[:, 0].var()
    assert scores["invariance.local"] == pytest.approx(rate.sqrt().item(), rel=0.01)
    assert scores["invariance.orbit"] == pytest.approx(0.5, abs=0.03)
    assert scores["invariance.worst"] < 0.01


def test_a_target_that_moves_is_compared_with_the_moved_prediction():
    action = Linear((2,), target=Linear((2,)))
    scores = Invariance().score(**given(lambda x: 3 * x, points(), action))
    assert scores["invariance.error"] < 1e-5
    assert scores["invariance.local"] < 1e-5
    still = Invariance().score(**given(lambda x: 3 * x, points()))
    assert still["invariance.error"] == pytest.approx(math.sqrt(2), rel=0.1)


def test_finite_elements_are_orbits_too():
    flip = MatrixSymmetry.of(Linear((2,)), torch.zeros(0, 2, 2), -torch.eye(2)[None])
    y = (points()[:, 0] > 0).long()
    scores = Invariance().score(**given(lambda x: two(x[:, 0]), y, truth=flip))
    assert scores["invariance.orbit"] == pytest.approx(0.5, abs=0.03)
    assert scores["invariance.local"] is None
    even = Invariance().score(**given(lambda x: two(x[:, 0].abs()), y, truth=flip))
    assert even["invariance.error"] < 1e-6


def test_without_a_truth_there_is_nothing_to_compare_with():
    y = (points()[:, 0] > 0).long()
    scores = Invariance().score(**given(lambda x: two(x[:, 0]), y, truth=NoSymmetry(Linear((2,)))))
    assert set(scores.values()) == {None}
