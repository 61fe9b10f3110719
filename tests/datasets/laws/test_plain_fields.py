"""The affine fields that keep the laws of the black hole, from the laws alone."""

from __future__ import annotations

import pytest
import torch
from bench.datasets.laws.schwarzschild import Schwarzschild
from torch import Tensor

from bench.contracts import Action, Oracle, Symmetry


class Affine(Symmetry):
    """All fields x_j d/dx_i and d/dx_i; for derivatives at t = 0, where a step does for the flow."""

    def __init__(self, action: Action) -> None:
        super().__init__(action, 20)

    def velocity(self, x: Tensor) -> Tensor:
        one = torch.cat([x, torch.ones_like(x[:, :1])], 1)
        return torch.einsum("ik,bj->ijbk", torch.eye(4).to(x), one).flatten(0, 1)

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        return x + self.along(x, t)


def null_space(phi: Oracle, x: Tensor, components: slice | list[int] = slice(None)) -> Tensor:
    """The fields with L phi = 0 in these components, as rows (K, 20)."""
    fields = Affine(Schwarzschild().actions()["field"])
    still = x.new_zeros(len(x), 20)
    rates = [
        torch.func.jvp(lambda t: phi.violation(fields, x, t), (still,), (axis.expand_as(still),))[1][:, components]
        for axis in torch.eye(20).to(x)
    ]
    _, sizes, rows = torch.linalg.svd(torch.stack(rates, -1).flatten(0, 1), full_matrices=False)
    return rows[sizes < 1e-9 * sizes[0]]


@pytest.mark.parametrize(("oracle", "K"), [("dynamics", 4), ("metric", 4), ("space", 4), ("conserved", 3)])
def test_time_and_rotations_are_plain_and_nothing_else_is(oracle: str, K: int) -> None:
    """For `space` and the rain time these come beside the named truth, the translations, which no polynomial is."""
    dataset = Schwarzschild()
    x = dataset.load("train", 0).x[:60]
    found = null_space(dataset.oracles()[oracle], x)
    assert len(found) == K
    killing = dataset.truth("field", "metric")
    assert killing is not None
    plain = Affine(dataset.actions()["field"]).velocity(x).flatten(1)
    named = torch.linalg.lstsq(plain.T, killing.velocity(x).flatten(1).T).solution.T[4 - K :]
    torch.testing.assert_close(named @ torch.linalg.pinv(found) @ found, named)


def test_a_metric_without_the_components_that_are_constant_has_three_more() -> None:
    """g_ti is 0 everywhere, but not after a move along x_i d/dt: who leaves it out takes these for symmetries."""
    dataset = Schwarzschild()
    x = dataset.load("train", 0).x[:60]
    metric = dataset.oracles()["metric"]
    varying = [i for i, spread in enumerate(metric(x).std(0)) if spread > 1e-9]
    found = null_space(metric, x, varying)
    assert len(found) == 7
    late = torch.eye(20).double()[1:4]
    torch.testing.assert_close(late @ torch.linalg.pinv(found) @ found, late)
