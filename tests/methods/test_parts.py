"""The parts of latent flow: eigenproblems, penalties, the unit of violation, training."""

import pytest
import torch
from bench.methods.latent_flow.algebra import antisymmetric_basis, lowest, orthonormalise, pushed_forms
from bench.methods.latent_flow.law import Law
from bench.methods.latent_flow.penalties import bracket, closure, matrix_bracket, speed_and_angle
from bench.methods.latent_flow.start import change_of_density
from bench.methods.latent_flow.training import batches, descend
from hypothesis import given, settings
from hypothesis import strategies as st

SO3 = antisymmetric_basis(3)


@given(st.integers(0, 10_000), st.integers(2, 6))
@settings(max_examples=20, deadline=None)
def test_lowest_solves_the_generalised_eigenproblem(seed: int, N: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    a, b = torch.randn(2, N, N, generator=draw, dtype=torch.float64)
    form, norm = a @ a.T, b @ b.T + torch.eye(N)
    ratios, c = lowest(form, norm, N)
    torch.testing.assert_close(c @ norm @ c.T, torch.eye(N, dtype=torch.float64))
    torch.testing.assert_close(form @ c.T, norm @ c.T * ratios)


def test_lowest_leaves_out_what_moves_nothing() -> None:
    ratios, _ = lowest(torch.diag(torch.tensor([0.0, 2.0])), torch.diag(torch.tensor([0.0, 1.0])), 2)
    assert ratios.tolist() == [2.0]


def test_orthonormalised_fields_are_orthonormal() -> None:
    fields = torch.randn(3, 500, 4)
    fields = torch.einsum("jk,kbd->jbd", orthonormalise(fields).float(), fields)
    torch.testing.assert_close(torch.einsum("jbd,kbd->jk", fields, fields) / 500, torch.eye(3), atol=1e-5, rtol=0)


def test_rotations_do_not_change_the_length() -> None:
    w = torch.randn(300, 3)
    form, norm = pushed_forms(lambda y: y, lambda u: u.square().sum(1, keepdim=True), w, SO3)
    assert form.abs().max() < 1e-8
    expected = torch.einsum("aij,bj->abi", SO3, w)
    torch.testing.assert_close(norm.float(), torch.einsum("abi,cbi->ac", expected, expected) / 300)


def test_so3_is_closed_and_two_of_it_are_not() -> None:
    assert closure(SO3.flatten(1), matrix_bracket(SO3).flatten(1)) < 1e-10
    assert closure(SO3[:2].flatten(1), matrix_bracket(SO3[:2]).flatten(1)) == pytest.approx(1)
    assert closure(SO3[:1].flatten(1), matrix_bracket(SO3[:1]).flatten(1)) == 0


def test_bracket_of_linear_fields_is_minus_that_of_their_matrices() -> None:
    u = torch.randn(20, 3)
    found = bracket(lambda x: torch.einsum("kij,bj->kbi", SO3, x), u)
    torch.testing.assert_close(found, -torch.einsum("kij,bj->kbi", matrix_bracket(SO3), u))


def test_the_trivial_field_is_no_optimum() -> None:
    assert speed_and_angle(torch.zeros(2, 10, 3)) == 2
    assert speed_and_angle(torch.full((1, 10, 3), 1.0)) == 0


def test_violation_is_nought_for_a_symmetry_and_one_for_chance() -> None:
    law = Law(lambda u: u[:, :1], torch.Generator().manual_seed(0))
    u, axis = torch.randn(4000, 2), torch.tensor([0.0, 0.3])
    assert law.violation(u, u + axis, u[:, :1]) == 0
    random = law.matched(torch.full_like(u, 0.1))
    assert law.violation(u, u + random, u[:, :1]).item() == pytest.approx(1, abs=0.1)
    assert law.rate(u, random[None]).item() == pytest.approx(1, abs=0.1)


def test_moving_only_insensitive_samples_earns_nothing() -> None:
    law = Law(lambda u: u[:, :1].clamp(min=0), torch.Generator().manual_seed(0))
    u = torch.randn(4000, 2)
    move = torch.where(u[:, :1] < 0.5, torch.randn(4000, 2) * (u[:, :1] < -3), torch.randn(4000, 2))
    assert law.violation(u, u + move, law.phi(u)) > 0.8


def test_rotations_keep_the_normal_and_dilations_do_not() -> None:
    w = torch.randn(20_000, 2)
    basis = torch.stack([antisymmetric_basis(2)[0], torch.eye(2)])
    form = change_of_density(w, basis, torch.Generator().manual_seed(0))
    assert form[0, 0] < 1e-2 * form[1, 1]


def test_the_density_alone_shows_in_which_plane_it_is_round() -> None:
    angle = 2 * torch.pi * torch.rand(8000)
    ring = torch.stack([angle.cos(), angle.sin()], 1) * 2**0.5
    corners = 2 * torch.randint(2, (8000, 2)) - 1.0
    w = torch.cat([ring, corners], 1) + 0.1 * torch.randn(8000, 4)
    basis = antisymmetric_basis(4)
    form = change_of_density(w, basis, torch.Generator().manual_seed(0))
    _, (c,) = lowest(form, torch.eye(6), 1)
    A = torch.einsum("a,aij->ij", c.float(), basis)
    assert A[0, 1].abs() > 0.97


def test_batches_cover_all_and_are_full() -> None:
    order = batches(10, 5, torch.Generator().manual_seed(0))
    assert sorted(torch.cat([next(order), next(order)]).tolist()) == list(range(10))
    assert len(next(batches(3, 5, torch.Generator()))) == 3


def test_descent_keeps_the_best_state_and_stops_early() -> None:
    module = torch.nn.Linear(1, 1)
    seen = iter([3.0, 1.0, *[2.0] * 50])
    states, steps = [], []

    def valid() -> float:
        states.append(module.weight.item())
        return next(seen)

    best = descend(
        module, lambda _: module.weight.square().sum(), valid,
        steps=40, rate=0.1, checks=40, patience=3, progress=lambda *now: steps.append(now),
    )  # fmt: skip
    assert best == 1.0
    assert module.weight.item() == states[1]
    assert len(steps) == 5
