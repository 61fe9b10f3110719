"""Jet oracles against fastjet, where it is installed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bench.oracles import jet_oracles
from bench.oracles.kinematics import Cylinder
from bench.oracles.substructure import Subjettiness

from .transformed import jets

fastjet = pytest.importorskip("fastjet")
RADIUS = 1.5


def pseudojets(jet: torch.Tensor) -> list:
    return [fastjet.PseudoJet(px, py, pz, E) for E, px, py, pz in jet.tolist() if E]


@pytest.fixture(scope="module", params=[0.0, 1.0])
def x(request):
    return jets(40, 14, 4, request.param)


def test_mass_pt_rapidity_and_azimuth(x):
    oracles, at = jet_oracles(), Cylinder.of(x)
    mass, size = oracles["mass"](x)[:, 0], oracles["pt"](x)[:, 0]
    for row, jet in enumerate(x):
        parts = pseudojets(jet)
        whole = parts[0]
        for part in parts[1:]:
            whole = whole + part
        assert mass[row].item() == pytest.approx(whole.m(), rel=1e-8)
        assert size[row].item() == pytest.approx(whole.pt(), rel=1e-10)
        for number, part in enumerate(parts):
            assert at.rapidity[row, number].item() == pytest.approx(part.rap(), abs=1e-9)
            assert at.azimuth[row, number].item() == pytest.approx(whole.delta_phi_to(part), abs=1e-9)


def test_girth_of_pairs_of_prongs_is_their_distance(x):
    """Of two constituents girth is 2 z (1 - z) dR."""
    pairs = x[:, :2]
    girth = jet_oracles()["girth"](pairs)[:, 0]
    for row, jet in enumerate(pairs):
        a, b = pseudojets(jet)
        expected = 2 * a.pt() * b.pt() / (a.pt() + b.pt()) ** 2 * a.delta_R(b)
        assert girth[row].item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("function", "column"), [("c2", 0), ("d2", 1)])
def test_correlators(x, function, column):
    ak = pytest.importorskip("awkward")
    values = jet_oracles()["c2_d2"](x)[:, column]
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, 10.0)
    for row, jet in enumerate(x):
        kept = jet[jet[:, 0] > 0].numpy()
        E, px, py, pz = kept.T
        array = ak.Array({"px": px, "py": py, "pz": pz, "E": E}, with_name="Momentum4D")
        sequence = fastjet.ClusterSequence(array, definition)
        found = sequence.exclusive_jets_energy_correlator(njets=1, beta=1, func=function)
        assert values[row].item() == pytest.approx(float(np.ravel(ak.to_numpy(found))[0]), rel=1e-6)


def test_axes_are_at_least_as_good_as_those_of_winner_take_all(x):
    """tau_n of the axes of exclusive kT with the winner-take-all scheme, which are directions of constituents too."""
    definition = fastjet.JetDefinition(fastjet.kt_algorithm, RADIUS, fastjet.WTA_pt_scheme)
    ours = Subjettiness()(x)[:, 0]
    theirs = []
    for jet in x:
        parts = pseudojets(jet)
        sequence = fastjet.ClusterSequence(parts, definition)
        tau = [
            sum(part.pt() * min(axis.delta_R(part) for axis in sequence.exclusive_jets(n)) for part in parts)
            for n in (1, 2)
        ]
        theirs.append((tau[0], tau[1]))
    best = [best_tau(jet) for jet in x]
    for row, ((one, two), (best_one, best_two)) in enumerate(zip(theirs, best, strict=True)):
        assert best_one <= one * (1 + 1e-9)
        assert best_two <= two * (1 + 1e-9)
        assert ours[row].item() == pytest.approx(best_two / best_one, rel=1e-9)
    ratio = np.array([b[1] / b[0] for b in best]) / np.array([two / one for one, two in theirs])
    assert abs(math.log(np.median(ratio))) < 0.1


def best_tau(jet: torch.Tensor) -> tuple[float, float]:
    """tau_1 and tau_2, axes over all constituents, with fastjet's distances."""
    parts = pseudojets(jet)
    radii = [[part.delta_R(axis) for part in parts] for axis in parts]
    weights = [part.pt() for part in parts]
    one = min(np.dot(weights, row) for row in radii)
    two = min(np.dot(weights, np.minimum(a, b)) for a in radii for b in radii)
    return one, two
