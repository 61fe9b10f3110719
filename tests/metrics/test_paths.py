"""Paths and displacements: closed forms."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from bench.contracts import Field, ImageAffine, Linear, MatrixSymmetry, Tangent
from bench.metrics._chance import Spans
from bench.metrics._fields import Draws, Single
from bench.metrics._orbits import Orbits
from bench.metrics._paths import Coarse, Integrated
from bench.metrics._space import space_of


@pytest.fixture(scope="module")
def space(case: SimpleNamespace):
    return space_of(case.held_out(Field((3,)), case.gaussian(500, 3, 0), case.gaussian(500, 3, 1)))


def test_an_integrated_path_is_the_flow(case: SimpleNamespace) -> None:
    z = case.gaussian(50, 3, 0)
    field = Single(case.FieldOf(Field((3,)), lambda x: case.turned(x)[None]), torch.ones(1))
    path, rows = Integrated(field, z, stride=1.0), torch.arange(50)
    for t in (0.3, 2.0, 9.0):
        path.extend(torch.full((50,), t), rows)
    for t in (0.0, 0.2, 1.1, 6.0, 9.0):
        turn = torch.linalg.matrix_exp(t * case.rotations(3, (0, 1))[0])
        assert torch.allclose(path.at(torch.full((50,), t), rows), z @ turn.T, atol=0.06)


@pytest.mark.parametrize(("kind", "order"), [(Integrated, 4), (Coarse, 2)])
def test_the_error_of_a_path_falls_with_its_order(case: SimpleNamespace, kind, order) -> None:
    z = torch.nn.functional.normalize(case.gaussian(50, 3, 0).double())
    z = torch.nn.functional.normalize(z * torch.tensor([1.0, 1.0, 0.0]))
    field = Single(case.FieldOf(Field((3,)), lambda x: case.turned(x)[None]), torch.ones(1).double())
    turn = torch.linalg.matrix_exp(case.rotations(3, (0, 1))[0].double())
    once, rows, errors = torch.ones(50).double(), torch.arange(50), []
    for stride in (0.26, 0.13):
        path = kind(field, z, stride)
        path.extend(once, rows)
        errors.append((path.at(once, rows) - z @ turn.T).abs().max().item())
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.3)


def test_a_draw_follows_the_mixture_of_the_basis(case: SimpleNamespace, space) -> None:
    class Rotating(Tangent):
        def forward(self, x):
            return case.turned(x)

    basis = space.test.action.candidates(space.reference)
    c, number = Spans(space.test, None).draws(0), torch.arange(30) % 7
    z, t = space.samples(30), torch.linspace(0, 0.5, 30)
    field, mixed = Draws(basis, c, number), t[:, None] * c[number].to(t)
    assert torch.allclose(field.violation(Rotating(), z, t), Rotating().violation(basis, z, mixed), atol=1e-4)
    along = torch.einsum("bk,kb...->b...", c[number].to(z), basis.velocity(z))
    assert torch.allclose(field.velocity(z, torch.arange(30)), along, atol=1e-4)


def test_each_sample_goes_exactly_as_far_as_it_should(case: SimpleNamespace, space) -> None:
    basis = space.test.action.candidates(space.reference)
    c = Spans(space.test, None).draws(0)
    z = space.samples(128)
    orbits = Orbits(space, Draws(basis, c, torch.arange(128) % 64), z)
    targets = torch.rand(128, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([0.1, 0.5, 1.5])
    targets[5] = 0
    for target, arrival in zip(targets.T, orbits.apart(targets, orbits.speed()), strict=True):
        wrong = (arrival.distance - target).abs() > 0.011 * target
        assert wrong.float().mean() < 0.03
        assert arrival.distance[5] == 0


def test_the_smallest_time_is_taken(case: SimpleNamespace) -> None:
    """A rotation by t moves a sample of radius r by 2 r sin(t/2), which reaches every distance twice."""
    action = Linear((2,))
    x = torch.nn.functional.normalize(case.gaussian(400, 2, 0))
    space = space_of(case.held_out(action, x, x))
    orbits = Orbits(space, Single(MatrixSymmetry.of(action, case.rotations(2)), torch.ones(1)), x)
    for target, arrival in zip((0.2, 1.9), orbits.together([0.2, 1.9], 2.0), strict=True):
        angle = 2 * math.asin(target / 2 / space.spread * 1.0)
        turn = torch.linalg.matrix_exp(angle * case.rotations(2)[0])
        assert arrival.distance.square().mean().sqrt().item() == pytest.approx(target, rel=0.011)
        assert torch.allclose(arrival.ends[0], x @ turn.T, atol=0.15)


def test_images_are_resampled_alike_at_both_ends(case: SimpleNamespace) -> None:
    action = ImageAffine((1, 8, 8))
    x = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    space = space_of(case.held_out(action, x, x))
    A = torch.tensor([[[0.0, -1, 0], [1, 0, 0], [0, 0, 0]]])
    orbits = Orbits(space, Single(MatrixSymmetry.of(action, A), torch.ones(1)), x)
    arrival = orbits.arrive(torch.full((20,), 0.4), torch.arange(20))
    for end, angle in zip(arrival.ends, (0.2, -0.2), strict=True):
        assert torch.allclose(end, action.act(torch.linalg.matrix_exp(angle * A).expand(20, 3, 3), x), atol=1e-6)
