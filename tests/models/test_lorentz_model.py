"""The Lorentz network with symmetries that are right, several, none or wrong."""

from dataclasses import replace

import pytest
import torch
from bench.models.lorentz import FreeBranch, InvariantBranch, Lorentz, Mixed
from torch import Tensor

from bench.contracts import Field, MatrixSymmetry, NoSymmetry, Problem, Unsuitable
from bench.errors import BenchError

from .groups import element, orthogonal
from .test_jets import ACTION, BOOSTED, SLOTS, jets, outputs, task

SMALL = Lorentz(steps=5)
PROBLEM = Problem("classification", (SLOTS, 4), (2,), ACTION)


def symmetry(A: Tensor) -> MatrixSymmetry:
    return MatrixSymmetry.of(ACTION, A)


def rotation() -> Tensor:
    """About the beam."""
    A = torch.zeros(1, 4, 4).double()
    A[0, 1, 2], A[0, 2, 1] = -1, 1
    return A


@pytest.mark.parametrize("times", [0, 1, 2])
def test_the_group_of_any_metric_is_kept(times: int) -> None:
    A = orthogonal(4, times)
    network, x = SMALL.fit(task(), symmetry(A)), jets(20, seed=1)
    assert (outputs(network, x) - outputs(network, x @ element(A).T)).abs().max() < 1e-5


def test_a_scaling_among_the_generators_is_kept_too() -> None:
    network = SMALL.fit(task(), symmetry(torch.cat([BOOSTED, torch.eye(4).double()[None]])))
    x = jets(20, seed=1)
    padded = torch.cat([x, torch.zeros(20, 3, 4)], 1)
    for moved in (3 * x, 0.1 * x @ element(BOOSTED).T, padded):
        assert (outputs(network, x) - outputs(network, moved)).abs().max() < 1e-5
    plain = SMALL.fit(task(), symmetry(BOOSTED))
    assert (outputs(plain, x) - outputs(plain, 3 * x)).abs().max() > 1e-2


def test_neither_sign_nor_scale_nor_basis_of_the_generators_matters() -> None:
    x = jets(20, seed=1)
    one, other = (outputs(SMALL.fit(task(), symmetry(A)), x) for A in (BOOSTED, -7 * BOOSTED.flip(0)))
    assert torch.allclose(one, other, atol=1e-4)


def test_a_smaller_group_keeps_more_forms_and_says_so() -> None:
    with pytest.warns(UserWarning, match="4 symmetric forms are kept"):
        network = SMALL.fit(task(), symmetry(rotation()))
    x, boosted = jets(20, seed=1), jets(20, seed=1) @ torch.linalg.matrix_exp(BOOSTED[0]).T
    turned = x @ torch.linalg.matrix_exp(rotation()[0]).T
    assert (outputs(network, x) - outputs(network, turned)).abs().max() < 1e-5
    assert (outputs(network, x) - outputs(network, boosted)).abs().max() > 1e-3


@pytest.mark.parametrize("K", [1, 6, 16])
def test_a_wrong_symmetry_is_learned_with(K: int) -> None:
    wrong = ACTION.random(K, jets(50), 0)
    model = replace(SMALL, steps=2)
    with pytest.warns(UserWarning, match="symmetric form"):
        network = model.fit(task(), wrong)
    assert outputs(network, jets(10)).isfinite().all()
    with pytest.raises(BenchError, match="tell no metric"):
        replace(model, strict=True).build(PROBLEM, wrong)


def test_no_symmetry_and_one_that_found_none_are_the_plain_net() -> None:
    x = jets(10)
    networks = [SMALL.fit(task(), s) for s in (None, NoSymmetry(ACTION))]
    assert all(isinstance(network, FreeBranch) for network in networks)
    assert torch.equal(outputs(networks[0], x), outputs(networks[1], x))
    order = torch.randperm(SLOTS, generator=torch.Generator().manual_seed(0))
    padded = torch.cat([x[:, order], torch.zeros(10, 2, 4)], 1)
    assert (outputs(networks[0], x) - outputs(networks[0], padded)).abs().max() < 1e-5


def test_a_free_branch_starts_silent_and_learns() -> None:
    model = replace(SMALL, free=True)
    untrained, x = model.build(PROBLEM, symmetry(BOOSTED)), jets(20, seed=1)
    assert isinstance(untrained, Mixed)
    untrained.measure(x)
    assert torch.equal(outputs(untrained, x), outputs(untrained.invariant, x))
    network = replace(model, steps=30).fit(task(), symmetry(BOOSTED))
    assert isinstance(network, Mixed)
    assert network.weight.abs() > 1e-4
    again = model.build(PROBLEM, symmetry(BOOSTED))
    again.load_state_dict(network.state_dict())
    assert torch.equal(outputs(network, x), outputs(again, x))


def test_the_metric_stays_exact_in_single_precision() -> None:
    S = torch.eye(4).double() + 0.1 * torch.randn(4, 4, generator=torch.Generator().manual_seed(0)).double()
    A = S @ BOOSTED @ torch.linalg.inv(S)
    network, x = SMALL.fit(task(), symmetry(A)), jets(20, seed=1)
    assert isinstance(network, InvariantBranch)
    assert (outputs(network, x) - outputs(network, x @ element(A).T)).abs().max() < 1e-5


def test_symmetries_without_matrices_on_four_vectors_are_refused() -> None:
    for action in (Field((24,)), Field((SLOTS, 4))):
        with pytest.raises(Unsuitable, match="matrices on four-vectors"):
            SMALL.build(PROBLEM, action.random(2, torch.randn(50, *action.shape), 0))
