"""Physics oracles against closed forms and loops over constituents; and their derivatives where it is hard."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from bench.oracles import image_oracles, jet_oracles
from bench.oracles.jets import Multiplicity
from bench.oracles.kinematics import Cylinder
from bench.oracles.substructure import GRAPHS, EnergyFlow, Subjettiness, polynomial

from .transformed import image, jets, momenta

JET_ORACLES = jet_oracles()
IMAGE_ORACLES = image_oracles(0.05)
K4 = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
APART = ((0, 1), (0, 1), (2, 3))


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """dR of two constituents, in scalars."""
    y = [0.5 * math.log((p[0] + p[3]) / (p[0] - p[3])) for p in (a, b)]
    dphi = abs(math.atan2(a[2], a[1]) - math.atan2(b[2], b[1]))
    return math.hypot(y[0] - y[1], min(dphi, 2 * math.pi - dphi))


def pt(p: np.ndarray) -> float:
    return math.hypot(p[1], p[2])


def minkowski(a: np.ndarray, b: np.ndarray) -> float:
    return a[0] * b[0] - sum(u * v for u, v in zip(a[1:], b[1:], strict=True))


def by_loops(jet: np.ndarray) -> dict[str, float]:
    """Every scalar oracle of one jet (N, 4) without missing constituents, term by term."""
    z = [pt(p) for p in jet] / np.sum([pt(p) for p in jet])
    whole = jet.sum(0)
    pairs = itertools.combinations(range(len(jet)), 2)
    triples = itertools.combinations(range(len(jet)), 3)
    dR = [[distance(a, b) for b in jet] for a in jet]
    e2 = sum(z[i] * z[j] * dR[i][j] for i, j in pairs)
    e3 = sum(z[i] * z[j] * z[k] * dR[i][j] * dR[j][k] * dR[i][k] for i, j, k in triples)
    tau1 = min(sum(w * d for w, d in zip(z, row, strict=True)) for row in dR)
    tau2 = min(
        sum(w * min(a, b) for w, a, b in zip(z, first, second, strict=True))
        for first, second in itertools.combinations(dR, 2)
    )
    return {
        "mass": math.sqrt(minkowski(whole, whole)),
        "pair_products": sum(minkowski(a, b) ** 2 for a in jet for b in jet) ** 0.25,
        "pt": pt(whole),
        "multiplicity": sum(pt(p) ** 2 / (pt(p) ** 2 + 1) for p in jet),
        "ptd": math.sqrt(sum(w**2 for w in z)),
        "c2": e3 / e2**2,
        "d2": e3 / e2**3,
        "tau21": tau2 / tau1,
    }


@pytest.mark.parametrize("mass", [0.0, 1.0])
def test_scalar_oracles_are_their_sums(mass):
    x = jets(6, 9, 2, mass)
    values = {name: phi(x)[:, 0] for name, phi in JET_ORACLES.items()}
    values["c2"], values["d2"] = JET_ORACLES["c2_d2"](x).unbind(1)
    for row, jet in enumerate(x.numpy()):
        for name, expected in by_loops(jet[:7]).items():
            assert values[name][row].item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("graph", [*GRAPHS, K4, APART])
def test_polynomials_are_their_sums(graph):
    draw = torch.Generator().manual_seed(0)
    z, theta = torch.rand(2, 5, generator=draw).double(), torch.rand(2, 5, 5, generator=draw).double()
    theta = theta + theta.mT
    vertices = 1 + max(v for edge in graph for v in edge)
    expected = sum(
        torch.stack([z[:, i] for i in chosen] + [theta[:, chosen[a], chosen[b]] for a, b in graph]).prod(0)
        for chosen in itertools.product(range(5), repeat=vertices)
    )
    assert torch.allclose(polynomial(graph, z, theta), expected, rtol=1e-12)


def test_the_measures_of_energy_flow_are_those_of_the_paper():
    """arXiv:1712.07124: the e+e- measure of massless constituents is (2 p_i . p_j / E_i E_j)^(beta / 2)."""
    x = jets(4, 6, 0)
    line = (((0, 1),),)
    for beta in (1.0, 2.0):
        ee, hadronic = EnergyFlow(line, "e+e-", beta)(x)[:, 0], EnergyFlow(line, "hadronic", beta)(x)[:, 0]
        for row, jet in enumerate(x.numpy()):
            energy, across = sum(p[0] for p in jet), sum(map(pt, jet))
            both = list(itertools.permutations(jet, 2))
            angles = sum((2 * minkowski(a, b) / (a[0] * b[0])) ** (beta / 2) * a[0] * b[0] for a, b in both)
            assert ee[row].item() == pytest.approx(angles / energy**2, rel=1e-9)
            radii = sum(distance(a, b) ** beta * pt(a) * pt(b) for a, b in both)
            assert hadronic[row].item() == pytest.approx(radii / across**2, rel=1e-9)


def test_two_prongs():
    """pT in shares z and 1 - z at distance R: girth 2 z (1 - z) R, pTD, C2 = D2 = 0, tau_21 = 0, e2 = z (1 - z) R."""
    z, R = 0.3, 0.4
    size = torch.tensor([[100 * z, 100 * (1 - z)]], dtype=torch.float64)
    y = torch.tensor([[0.5, 0.5 + R]], dtype=torch.float64)
    x = momenta(size, y, torch.full_like(y, 3.1), torch.zeros_like(y))
    assert JET_ORACLES["girth"](x).item() == pytest.approx(2 * z * (1 - z) * R)
    assert JET_ORACLES["ptd"](x).item() == pytest.approx(math.hypot(z, 1 - z))
    assert JET_ORACLES["pt"](x).item() == pytest.approx(100)
    assert JET_ORACLES["mass"](x).item() == pytest.approx(100 * math.sqrt(z * (1 - z) * 2 * (math.cosh(R) - 1)))
    assert JET_ORACLES["energy_flow"](x)[0, 0].item() == pytest.approx(2 * z * (1 - z) * R)
    assert JET_ORACLES["tau21"](x).item() == 0
    assert JET_ORACLES["c2_d2"](x).abs().max() == 0


def test_azimuth_has_no_seam():
    x = jets(20, 8, 0)
    at, turned = Cylinder.of(x), Cylinder.of(x * torch.tensor([1, -1, -1, 1]))
    assert torch.allclose(at.azimuth, turned.azimuth, atol=1e-12)
    assert at.azimuth.abs().max() < 2


def test_two_subjets_are_never_worse_than_one():
    x = jets(200, 12, 4)
    for candidates in (2, 16):
        tau = Subjettiness(candidates)(x)
        assert ((tau >= 0) & (tau <= 1 + 1e-12)).all()


def test_a_soft_count_approaches_the_count():
    x = jets(10, 9, 4)
    assert torch.allclose(Multiplicity(1e-4)(x), torch.full((10, 1), 5.0, dtype=x.dtype), atol=1e-4)


def hard(dtype: torch.dtype) -> torch.Tensor:
    """No constituent, one, two in the same place, one along the beam, a jet of no pT, and a usual jet."""
    x = torch.zeros(6, 5, 4, dtype=torch.float64)
    one = jets(1, 5, 0)[0]
    x[1, 0] = one[0]
    x[2, 0], x[2, 1], x[2, 2] = one[0], one[0], 2 * one[1]
    x[3, 0], x[3, 1] = torch.tensor([5.0, 0, 0, 5]), one[0]
    x[4, 0], x[4, 1] = torch.tensor([5.0, 3, 0, 4]), torch.tensor([5.0, -3, 0, 4])
    x[5, :3] = one[:3]
    return x.to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", JET_ORACLES)
def test_values_and_derivatives_are_finite_where_constituents_are_missing_or_coincide(name, dtype):
    phi, x = JET_ORACLES[name], hard(dtype).requires_grad_()
    value = phi(x)
    assert value.dtype == dtype
    assert value.isfinite().all()
    (slope,) = torch.autograd.grad(value.sum(), x)
    assert slope.isfinite().all()
    _, along = torch.func.jvp(phi, (x.detach(),), (torch.ones_like(x),))
    assert along.isfinite().all()


@pytest.mark.parametrize("name", JET_ORACLES)
def test_off_the_mass_shell_too(name):
    """Any matrix may be tried on a jet."""
    draw = torch.Generator().manual_seed(0)
    x = jets(200) @ torch.randn(4, 4, generator=draw, dtype=torch.float64)
    x.requires_grad_()
    value = JET_ORACLES[name](x)
    assert value.isfinite().all()
    assert torch.autograd.grad(value.sum(), x)[0].isfinite().all()


@pytest.mark.parametrize("oracles", [JET_ORACLES, IMAGE_ORACLES], ids=["jets", "images"])
def test_derivatives_are_those_of_differences(oracles):
    x = jets(5, 6, 1) if oracles is JET_ORACLES else image(3, 9)
    towards = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype) * (x != 0)
    h = 1e-6
    for phi in oracles.values():
        _, slope = torch.func.jvp(phi, (x,), (towards,))
        assert torch.allclose(slope, (phi(x + h * towards) - phi(x - h * towards)) / (2 * h), rtol=1e-5, atol=1e-6)
        assert torch.allclose(torch.func.vmap(lambda one, phi=phi: phi(one[None])[0])(x), phi(x), atol=1e-10)
        assert torch.allclose(phi(x.float()).double(), phi(x), rtol=2e-4, atol=1e-6)
        assert not list(phi.parameters())


def test_one_pixel():
    """ET x at distance r: et = x, girth = r but for its rounding, no mass; two of them: m^2 = 2 x^2 (cosh - cos)."""
    x = torch.zeros(2, 1, 41, 41, dtype=torch.float64)
    x[:, 0, 20, 30] = 20.0
    x[1, 0, 12, 20] = 20.0
    assert IMAGE_ORACLES["et"](x)[:, 0].tolist() == pytest.approx([20, 40])
    assert IMAGE_ORACLES["girth"](x)[0].item() == pytest.approx(math.hypot(10, 1) / 20.5, rel=1 / 400)
    eta, phi = 8 * 0.05, 10 * 0.05
    mass = 20 * math.sqrt(2 * (math.cosh(eta) - math.cos(phi)))
    assert IMAGE_ORACLES["mass"](x)[:, 0].tolist() == pytest.approx([0, mass], abs=1e-6)


def test_images_without_energy():
    for fill in (0.0, -1e-3):
        x = torch.full((2, 3, 9, 9), fill, requires_grad=True)
        for phi in IMAGE_ORACLES.values():
            value = phi(x)
            assert value.isfinite().all()
            assert torch.autograd.grad(value.sum(), x)[0].isfinite().all()


def test_an_image_has_the_mass_of_its_jet():
    """The same constituents, as four-vectors and as pixels of a fine image."""
    draw = torch.Generator().manual_seed(0)
    cell, side = 0.01, 101
    at = torch.randint(-20, 21, (2, 8, 6), generator=draw)
    et = torch.rand(8, 6, generator=draw, dtype=torch.float64) * 30
    x = torch.zeros(8, 1, side, side, dtype=torch.float64)
    for jet in range(8):
        x[jet, 0].index_put_((at[0, jet] + side // 2, at[1, jet] + side // 2), et[jet], accumulate=True)
    eta, phi = at.double() * cell
    p = momenta(et, eta, phi, torch.zeros_like(et))
    assert torch.allclose(image_oracles(cell)["mass"](x), JET_ORACLES["mass"](p), rtol=1e-9)
