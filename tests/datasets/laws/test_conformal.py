"""The truth of jets up to scale: so(1, 3) and scaling, computed from the oracle on the packaged sample."""

from __future__ import annotations

import torch
from bench.datasets.top_tagging import TopTagging


def test_lorentz_and_scale_are_all_that_the_shares_of_a_mass_keep(law):
    dataset = TopTagging(constituents=8, jets=1000)
    x = dataset.load("train", 0).x[:200].flatten(1)
    phi, action = dataset.oracles()["product_shares"], dataset.actions()["four_vector"]
    truth = dataset.truth("four_vector", "product_shares")
    found, values = law.null_space(lambda one: phi(one.reshape(-1, 8, 4)), action, x)
    assert len(truth.generators) == len(found) == 7
    assert values[7] > 1e-6
    assert law.angle(found, truth, x.reshape(-1, 8, 4)) < 1e-6


def test_no_matrix_takes_the_shares_out_of_bounds():
    """A pole where a jet's mass vanishes would make every mean square of its changes one of a few jets."""
    dataset = TopTagging(constituents=8, jets=1000)
    x, phi = dataset.load("train", 0).x[:200], dataset.oracles()["product_shares"]
    draw = torch.Generator().manual_seed(0)
    for _ in range(50):
        matrix = torch.randn(4, 4, generator=draw, dtype=torch.float64).to(x)
        assert phi(x @ matrix.T).abs().max() <= 8 * (1 + 1e-9)
