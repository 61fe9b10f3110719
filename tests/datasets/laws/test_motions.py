"""Motions against closed forms, Hamilton's equations by automatic differentiation, and scipy's integrator."""

from __future__ import annotations

import math

import pytest
import torch
from bench.datasets.laws._gravity import acceleration, energy
from bench.datasets.laws.double_pendulum import TEMPERATURE, DoublePendulum
from bench.datasets.laws.kepler import Kepler
from bench.datasets.laws.oscillator import Oscillator
from bench.datasets.laws.schwarzschild import CoMetric, Metric, Rain, RainTime, Schwarzschild
from bench.datasets.laws.three_body import ThreeBody
from bench.datasets.laws.two_body import TwoBody
from scipy.integrate import solve_ivp
from scipy.stats import kstest

from bench.contracts import NoSymmetry

BODIES = [TwoBody(), ThreeBody(orbit="circular"), ThreeBody(orbit="general"), TwoBody(arc="half", time=1.0)]


def gradient(phi, x):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(phi(x).sum(), x)[0]


def hamilton(phi, x):
    """(dH/dp, -dH/dq)."""
    dq, dp = gradient(phi, x).chunk(2, 1)
    return torch.cat([dp, -dq], 1)


@pytest.mark.parametrize("dataset", BODIES)
def test_a_step_conserves_energy_momentum_and_spin(dataset):
    test = dataset.load("test", 0)
    q, p = test.x.reshape(len(test), -1, 2, 2).unbind(2)
    later, faster = test.y.reshape(len(test), -1, 2, 2).unbind(2)
    assert (energy(test.y) - energy(test.x)).abs().max() < 1e-7
    assert (energy(test.y) - energy(test.x)).abs().quantile(0.99) < 1e-8
    for total in (q, p, later, faster):
        assert total.sum(1).abs().max() < 1e-12
    spin, after = ((a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]).sum(1) for a, b in ((q, p), (later, faster)))
    torch.testing.assert_close(spin, after, rtol=0, atol=1e-7)


@pytest.mark.parametrize("dataset", BODIES)
def test_a_step_is_what_an_adaptive_integrator_of_order_8_finds(dataset):
    def velocity(_, state):
        q, p = torch.from_numpy(state).reshape(1, -1, 2, 2).unbind(2)
        return torch.stack([p, acceleration(q)], 2).flatten().numpy()

    test = dataset.load("test", 0)
    for x, y in zip(test.x[:5], test.y[:5], strict=True):
        found = solve_ivp(velocity, (0, dataset.time), x.numpy(), "DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
        torch.testing.assert_close(y, torch.from_numpy(found), rtol=0, atol=1e-6)


def test_forces_are_those_of_newton_and_the_slope_of_the_energy():
    q = torch.tensor([[[0.0, 0], [2, 0], [0, 1]]]).double()
    expected = torch.tensor([[0.25, 1], [-0.25 - 2 / 5**1.5, 1 / 5**1.5], [2 / 5**1.5, -1 - 1 / 5**1.5]]).double()
    torch.testing.assert_close(acceleration(q)[0], expected)
    x = ThreeBody(orbit="circular").load("test", 0).x[:50]
    slope = gradient(energy, x).reshape(50, 3, 2, 2)[:, :, 0]
    torch.testing.assert_close(acceleration(x.reshape(50, 3, 2, 2)[:, :, 0]), -slope)


@pytest.mark.parametrize("dataset", [TwoBody(), ThreeBody(orbit="circular"), ThreeBody(orbit="general")])
def test_the_law_turns_and_half_a_circle_does_not(dataset):
    angles = torch.atan2(*dataset.load("test", 3).x[:, :2].T.flip(0)).numpy()
    assert kstest(angles, "uniform", (-math.pi, 2 * math.pi)).pvalue > 1e-3
    half = type(dataset)(**{**vars(dataset), "arc": "half"})
    angles = torch.atan2(*half.load("test", 3).x[:, :2].T.flip(0)).numpy()
    assert ((angles + 0.5) % (2 * math.pi) < math.pi + 1).all()
    assert half.truth("blocks", "dynamics").K == dataset.truth("blocks", "sample").K == 1
    assert isinstance(half.truth("blocks", "sample"), NoSymmetry)


@pytest.mark.parametrize("dataset", [Oscillator(d=2), DoublePendulum()])
def test_velocities_are_those_of_hamilton(dataset):
    test = dataset.load("test", 0)[:200]
    torch.testing.assert_close(test.y, hamilton(dataset.oracles()["conserved"], test.x))


def test_the_pendulum_is_in_equilibrium():
    """E x_i dH/dx_j = T delta_ij for momenta, and E dH/dt = 0 for any function's rate, here a_1 p_2 and p_1^2."""
    test = DoublePendulum(samples=60_000).load("train", 0)
    slopes = gradient(DoublePendulum().oracles()["conserved"], test.x)
    shares = test.x[:, 2:].T @ slopes[:, 2:] / len(test)
    torch.testing.assert_close(shares, TEMPERATURE * torch.eye(2).double(), rtol=0, atol=0.01)
    x, y = test.x, test.y
    for rate in (x[:, 0] * y[:, 3] + y[:, 0] * x[:, 3], 2 * x[:, 2] * y[:, 2], x[:, 0] * y[:, 1] + y[:, 0] * x[:, 1]):
        assert rate.mean().abs() < 5 * rate.std() / len(test) ** 0.5


def test_kepler_orbits_have_the_elements_that_were_drawn():
    test = Kepler().load("test", 0)
    q, p = test.x.chunk(2, 1)
    found, spin = Kepler().oracles()["conserved"](test.x).T
    size, parameter = -1 / (2 * found), spin.square()
    e = (1 - parameter / size).clamp(min=0).sqrt()
    for values, low, high in ((size, 0.5, 1.5), (e, 0, 0.5)):
        assert kstest(values.numpy(), "uniform", (low, high - low)).pvalue > 1e-3
    assert (spin > 0).all()
    torch.testing.assert_close(test.y, hamilton(lambda x: Kepler().oracles()["conserved"](x)[:, :1], test.x))
    anomaly = torch.atan2((q * p).sum(1) / size.sqrt(), 1 - q.norm(dim=1) / size)
    mean = anomaly - (q * p).sum(1) / size.sqrt()
    assert kstest(mean.numpy(), "uniform", (-math.pi, 2 * math.pi)).pvalue > 1e-3


def test_the_rain_is_that_of_gullstrand_and_painleve():
    x = Schwarzschild().load("test", 0).x[:100]
    g, h = (phi(x).reshape(-1, 4, 4) for phi in (Metric(), CoMetric()))
    u = Rain()(x)
    lower = torch.einsum("bij,bj->bi", g, u)
    torch.testing.assert_close((lower * u).sum(1), -torch.ones(100).double())
    torch.testing.assert_close(gradient(RainTime(), x), -lower)
    torch.testing.assert_close(h, torch.linalg.inv(g) + u[:, :, None] * u[:, None])
    J = torch.eye(4).double().repeat(100, 1, 1)
    J[:, 0] = gradient(RainTime(), x)
    flat = torch.diag(torch.tensor([0.0, 1, 1, 1]).double()).expand(100, 4, 4)
    torch.testing.assert_close(J @ h @ J.mT, flat)
    r = x[:, 1:].norm(dim=1)
    torch.testing.assert_close(torch.linalg.det(g) / -1.0, torch.ones(100).double())
    assert (r > 6 - 1e-9).all()


def test_translations_commute_and_flow_as_their_velocity_says():
    dataset = Schwarzschild()
    truth, x = dataset.truth("field", "space"), dataset.load("test", 0).x[:20]
    s, t = (0.5 * torch.randn(20, 3, generator=torch.Generator().manual_seed(k)).double() for k in (0, 1))
    together = truth.transform(x, s + t)
    torch.testing.assert_close(truth.transform(truth.transform(x, s), t), together)
    torch.testing.assert_close(super(type(truth), truth).transform(x, t), truth.transform(x, t), rtol=1e-6, atol=1e-6)
