"""The controls' truths, computed for many tasks, and the strength of a broken symmetry."""

from __future__ import annotations

import itertools

import pytest
import torch
from bench.datasets.laws.controls import Controls, kept_by

from bench.contracts import BenchError


def oracle(**parameters):
    return Controls(**parameters).oracles()["law"]


def points(n, count=200):
    return torch.randn(count, n, generator=torch.Generator().manual_seed(4)).double()


def form(phi, x):
    """E (L_a phi)(L_b phi) over the elementary matrices of gl(n), where L_ij phi = x_j d_i phi: (n^2, n^2)."""
    x = x.clone().requires_grad_()
    rates = (torch.autograd.grad(phi(x).sum(), x)[0][:, :, None] * x.detach()[:, None]).flatten(1)
    return rates.T @ rates / len(x)


@pytest.mark.parametrize("task", range(60))
def test_no_matrix_keeps_a_law_without_symmetry(law, task):
    dataset = Controls(task=task)
    found, values = law.null_space(oracle(task=task), dataset.actions()["linear"], points(4, 100))
    assert not len(found)
    assert values[0] > 1e-4
    truth = dataset.truth("linear", "law")
    assert not truth.K + truth.M


@pytest.mark.parametrize("kind", ["none", "broken"])
@pytest.mark.parametrize("n", [3, 5, 10])
def test_in_other_dimensions(kind, n):
    assert len(kept_by(oracle(kind=kind, n=n), n)) == 0
    assert len(kept_by(oracle(kind="broken", strength=1, n=n), n)) == 1


@pytest.mark.parametrize("task", range(20))
def test_what_an_irrelevant_direction_does_is_ignored(task):
    dataset = Controls(kind="irrelevant", task=task)
    phi, truth = dataset.oracles()["law"], dataset.truth("linear", "law")
    x = points(4)
    moves = truth.velocity(x)
    assert truth.K == 4
    direction = moves[0, 0] / moves[0, 0].norm()
    assert (moves - (moves @ direction)[..., None] * direction).abs().max() < 1e-9
    torch.testing.assert_close(phi(x + 3 * direction), phi(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("task", range(20))
def test_rho_falls_with_the_strength_from_chance_to_nothing(task):
    """rho(u) = E |L_u phi|^2 / E |L_r phi|^2, u the rotation that the whole symmetry keeps."""
    u = kept_by(oracle(kind="broken", strength=1, task=task), 4)
    assert len(u) == 1
    torch.testing.assert_close(u[0], -u[0].T)
    half = points(4)
    x = torch.cat([half, -half])
    rho = []
    for strength in torch.linspace(0, 1, 11).tolist():
        phi = oracle(kind="broken", strength=strength, task=task)
        rates = form(phi, x)
        rho.append((u.flatten() @ rates @ u.flatten() / rates.diagonal().mean()).item())
        assert len(kept_by(phi, 4)) == (strength == 1)
    assert all(after < before for before, after in itertools.pairwise(rho))
    assert rho[0] > 0.05
    assert abs(rho[-1]) < 1e-12


def test_laws_have_variance_one_at_either_end():
    x = points(4, 30_000)
    for kind, strength in (("none", 0), ("irrelevant", 0), ("broken", 0), ("broken", 1)):
        values = oracle(kind=kind, strength=strength)(x)
        assert abs(values.mean()) < 0.05
        assert abs(values.std() - 1) < 0.1


def test_every_task_is_a_law_of_its_own_and_always_the_same():
    x = points(4)
    assert torch.equal(oracle(task=3)(x), oracle(task=3)(x))
    assert (oracle(task=3)(x) - oracle(task=4)(x)).abs().max() > 0.1


@pytest.mark.parametrize("wrong", [{"kind": "some"}, {"strength": 1.5}, {"task": -1}, {"n": 2}])
def test_what_is_not_allowed_is_named(wrong):
    (name,) = wrong
    with pytest.raises(BenchError, match=f"^{name} = "):
        Controls(**wrong)
