"""The claim rule: what is claimed of laws with, without and nearly with a symmetry, and how often that is wrong."""

from __future__ import annotations

import pytest
import torch
from bench.datasets.laws.controls import Controls
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.contracts import HeldOut, Linear, MatrixSymmetry, NoSymmetry, Samples
from bench.metrics._claims import Moving, _Law, threshold
from bench.metrics._space import Phi, space_of
from bench.metrics.false_discovery import FalseDiscovery, _Directions
from bench.representations.identity import IdentityView

NAME = "false_discovery"


@pytest.fixture(scope="module")
def plain():
    """Normal vectors in R^4 under gl(4), fitting and held-out samples, and tau."""
    data = Controls(samples=2000)
    action = data.actions()["linear"]
    test = HeldOut(data.load("test", 0), data.load("train", 0), action, IdentityView((4,)), 0)
    space = space_of(test)
    basis = action.candidates(space.reference)
    fit, held = Moving(space, space.reference[:512], basis), Moving(space, space.samples(512), basis)
    return test, space, fit, held, threshold(fit, held, 1, 0)


def least(plain, tasks, **parameters):
    """The upper limits of rho of the best direction of gl(4), one for each task."""
    _, space, fit, held, _ = plain
    laws = (Controls(task=task, **parameters).oracles()["law"] for task in range(tasks))
    found = (_Directions(fit, held, Phi(space, law), fit.basis, 0) for law in laws)
    return torch.stack([one.upper.min() for one in found])


def test_few_laws_without_a_symmetry_are_claimed_to_have_one(plain):
    """5 % at most, by the rule; 6 of 40 have a probability of 1.4 % then."""
    claims = least(plain, 40, kind="none") < plain[-1]
    assert claims.sum() < 6


def test_a_symmetry_is_claimed_where_it_is_strong_and_not_where_it_is_weak(plain):
    rates = [
        (least(plain, 10, kind="broken", strength=strength) < plain[-1]).double().mean().item()
        for strength in (0.5, 0.95, 1.0)
    ]
    assert rates[0] < 0.2
    assert rates[1:] == [1.0, 1.0]


def test_an_ignored_direction_is_claimed_and_counts_as_true(plain):
    data = Controls(kind="irrelevant", task=3)
    test = plain[0]
    truth = data.truth("linear", "law")
    scores = FalseDiscovery().score(symmetry=truth, truth=truth, oracle=data.oracles()["law"], test=test)
    assert scores[NAME] == 0
    assert scores[f"{NAME}.claimed"] == scores[f"{NAME}.own"] == truth.K == 4
    assert scores[f"{NAME}.rho"] < 1e-12


def test_all_of_the_action_is_no_claim_of_more_than_the_truth(plain, case):
    test = plain[0]
    truth = case.Rotation(test.action, case.rotations(4).double())
    oracle = case.Formula(lambda x: x.square().sum(1, keepdim=True))
    everything = test.action.candidates(test.samples.x)
    scores = FalseDiscovery().score(symmetry=everything, truth=truth, oracle=oracle, test=test)
    assert (scores[NAME], scores[f"{NAME}.claimed"]) == (0, 6)
    assert (scores[f"{NAME}.own"], scores[f"{NAME}.own_false"]) == (16, 10)
    none = FalseDiscovery().score(symmetry=NoSymmetry(test.action), truth=truth, oracle=oracle, test=test)
    assert (none[NAME], none[f"{NAME}.claimed"], none[f"{NAME}.rho"]) == (0, 0, None)


def test_where_no_truth_is_known_claims_are_counted_and_not_judged(plain, case):
    test = plain[0]
    turn = case.Rotation(test.action, case.rotations(4).double())
    oracle = case.Formula(lambda x: x.square().sum(1, keepdim=True))
    scores = FalseDiscovery().score(symmetry=turn, truth=None, oracle=oracle, test=test)
    assert (scores[NAME], scores[f"{NAME}.own_false"], scores[f"{NAME}.claimed"]) == (None, None, 6)


@settings(max_examples=8)
@given(seed=st.integers(0, 2**31))
def test_claims_know_no_basis_of_the_generators(plain, case, seed):
    _, space, fit, held, _ = plain
    phi = Phi(space, Controls(task=5).oracles()["law"])
    L = case.rotations(4).double()
    mix = torch.randn(6, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 3 * torch.eye(6)
    assume(torch.linalg.cond(mix) < 30)  # directions that nearly coincide are one
    found = [_Directions(fit, held, phi, MatrixSymmetry.of(fit.basis.action, one), 0).upper.sort().values
             for one in (L, torch.einsum("ij,jab->iab", mix, L))]  # fmt: skip
    torch.testing.assert_close(*found, rtol=1e-6, atol=1e-9)


@settings(max_examples=4)
@given(seed=st.integers(0, 2**31))
def test_claims_know_no_coordinates(plain, case, seed):
    """The same law and samples in other coordinates, x = T x': the same rho of every direction, and the same tau."""
    test, space, fit, held, tau = plain
    turn = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)).Q
    T = turn @ torch.tensor([0.5, 0.8, 1.0, 1.5], dtype=torch.float64).diag()
    law = Controls(task=5).oracles()["law"]
    other = HeldOut(Samples(test.samples.x @ torch.linalg.inv(T).T), Samples(test.reference.x @ torch.linalg.inv(T).T),
                    test.action, test.view, test.seed)  # fmt: skip
    there = space_of(other)
    basis = test.action.candidates(there.reference)
    moved = [Moving(there, z, basis) for z in (there.reference[:512], there.samples(512))]
    rho = [_Directions(one, two, Phi(where, phi), one.basis, 0).rho.sort().values
           for one, two, where, phi in ((fit, held, space, law), (*moved, there, case.Formula(lambda x: law(x @ T.T))))]
    torch.testing.assert_close(*rho, rtol=1e-6, atol=1e-9)
    assert 0.5 < threshold(*moved, 1, 0) / tau < 2


@pytest.mark.parametrize("m", [1, 3])
def test_a_random_law_has_the_slope_of_its_hermite_polynomials(m):
    law = _Law(m, 3, torch.Generator().manual_seed(4))
    u = torch.randn(20, 3, dtype=torch.float64, requires_grad=True)
    hermite = {2: lambda v: v**2 - 1, 3: lambda v: v**3 - 3 * v}
    phi = sum(torch.einsum("nmj,mj->nm", hermite[d](torch.einsum("nd,mjd->nmj", u, a)), c) for d, a, c in law.parts)
    slopes = torch.stack([torch.autograd.grad(one.sum(), u, retain_graph=True)[0] for one in phi.unbind(1)], 1)
    torch.testing.assert_close(law.slope(u.detach()), slopes)
    big = torch.randn(100_000, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    d, a, c = law.parts[0]
    part = torch.einsum("nmj,mj->nm", hermite[d](torch.einsum("nd,mjd->nmj", big, a)), c)
    assert part.var(0) == pytest.approx(torch.ones(m), abs=0.1)


def test_a_law_on_blocks_has_a_threshold_of_its_own(case):
    """More samples' directions than the action has: what nearly keeps a random law is rarer, and tau is cut at 0.05."""
    action = Linear((12,), 2)
    test = case.held_out(action, case.gaussian(1000, 12, 1), case.gaussian(1000, 12, 2))
    space = space_of(test)
    fit, held = (Moving(space, z, action.candidates(z)) for z in (space.reference[:512], space.samples(512)))
    assert threshold(fit, held, 1, 0) == pytest.approx(0.05)
