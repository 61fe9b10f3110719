"""Law data sets: drawing and labelling samples, and an oracle that is an integration, differentiated."""

from __future__ import annotations

import pytest
import torch
from bench.datasets.laws.controls import Controls
from bench.datasets.laws.schwarzschild import Schwarzschild
from bench.datasets.laws.three_body import ThreeBody
from bench.datasets.laws.two_body import TwoBody
from bench.datasets.laws.vectors import Vectors

torch.set_num_threads(1)


@pytest.mark.parametrize("dataset", [Vectors(), TwoBody(), ThreeBody(), ThreeBody(orbit="circular"), Controls()])
def test_ten_thousand_samples(benchmark, dataset):
    assert len(benchmark(dataset.load, "train", 0)) == 10_000


@pytest.mark.parametrize("dataset", [TwoBody(), ThreeBody(orbit="circular")])
def test_a_step_and_its_derivative(benchmark, dataset):
    phi, x = dataset.oracles()["dynamics"], dataset.load("test", 0).x[:1000]
    assert benchmark(torch.func.jvp, phi, (x,), (x,))[1].isfinite().all()


def test_a_tensor_carried_along_random_fields(benchmark):
    dataset = Schwarzschild()
    phi, x = dataset.oracles()["space"], dataset.load("test", 0).x[:256]
    fields = dataset.actions()["field"].candidates(x)
    assert benchmark(phi.violation, fields, x, 0.01 * torch.ones(256, fields.K).to(x)).isfinite().all()
