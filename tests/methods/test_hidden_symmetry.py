from dataclasses import replace

import pytest
import torch
from bench.methods.hidden_symmetry import HiddenGenerators, HiddenSymmetry
from bench.methods.hidden_symmetry.chart import Chart
from bench.methods.hidden_symmetry.equations import Equations, disguise
from bench.methods.hidden_symmetry.fields import affine_fields
from bench.methods.hidden_symmetry.search import commuting
from torch import Tensor

from bench.contracts import BenchError, Field, Oracle, Samples, Tangent, Task

from .tasks import SquaredLength, gaussian_task, radial_share


class Bowl(Oracle):
    """|y|^2 for y = (a, b - a^2 / 2): rotations of y keep it, which no affine map of x does."""

    def forward(self, x: Tensor) -> Tensor:
        a, b = x[:, 0], x[:, 1]
        return (a.square() + (b - a.square() / 2).square())[:, None]


class Valley(Oracle):
    """b - a^2 / 2, kept by (1, a)."""

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, 1] - x[:, 0].square() / 2)[:, None]


class LinearMotion(Tangent):
    """F(x) = B x."""

    def __init__(self, B: Tensor) -> None:
        super().__init__()
        self.B = B

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.B.T


def bent(oracle: Oracle) -> Task:
    """Samples that are normal in y."""
    task = gaussian_task(Field((2,)))
    bend = [Samples(s.x + torch.tensor([0.0, 0.5]) * s.x[:, :1].square()) for s in (task.train, task.valid)]
    return replace(task, train=bend[0], valid=bend[1], oracle=oracle)


def random_symmetry(D: int = 4, K: int = 2) -> HiddenGenerators:
    torch.manual_seed(0)
    symmetry = HiddenGenerators(Field((D,)), K, layers=4, width=8).double().requires_grad_(False)
    symmetry.chart.fit_whitening(torch.randn(300, D).double() @ torch.randn(D, D).double() + 2)
    for parameter in symmetry.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return symmetry


def test_the_chart_has_an_inverse() -> None:
    symmetry, x = random_symmetry(), torch.randn(200, 4).double() + 2
    z = symmetry.coordinates(x)
    assert (z - (x - symmetry.chart.mean) @ symmetry.chart.whitening).abs().max() > 0.1
    torch.testing.assert_close(symmetry.chart.inverse(z), x)


def test_a_new_chart_whitens_and_no_more() -> None:
    chart, x = Chart(3, 4, 8), torch.randn(500, 3) @ torch.randn(3, 3) + 1
    chart.fit_whitening(x)
    z = chart(x)
    torch.testing.assert_close(torch.cov(z.T), torch.eye(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(z @ chart.unwhitening + x.mean(0), x, atol=1e-3, rtol=0)


def test_each_coupling_moves_one_coordinate() -> None:
    chart, u = random_symmetry().chart, torch.randn(20, 4).double()
    for i, coupling in enumerate(chart.couplings):
        moved = (coupling(u) - u).abs().amax(0) > 1e-3
        assert moved.tolist() == [i == j for j in range(4)]


def test_velocity_is_the_derivative_of_flow_and_step() -> None:
    symmetry, x, h = random_symmetry(), torch.randn(50, 4).double(), 1e-5
    for k, axis in enumerate(torch.eye(2).double()):
        t = h * axis.expand(50, 2)
        for flow in (symmetry.transform, symmetry.step):
            slope = (flow(x, t) - flow(x, -t)) / (2 * h)
            torch.testing.assert_close(slope, symmetry.velocity(x)[k], rtol=1e-5, atol=1e-7)


def test_the_flow_is_a_group() -> None:
    symmetry, x, t = random_symmetry(), torch.randn(50, 4).double(), 0.3 * torch.randn(50, 2).double()
    torch.testing.assert_close(symmetry.transform(symmetry.transform(x, t), -t), x)
    twice = symmetry.transform(symmetry.transform(x, 0.7 * t), 0.6 * t)
    torch.testing.assert_close(twice, symmetry.transform(x, 1.3 * t))


def test_is_rebuilt_from_config_and_state() -> None:
    symmetry, x = random_symmetry(), torch.randn(50, 4).double()
    again = HiddenGenerators(symmetry.action, **symmetry.config()).double()
    again.load_state_dict(symmetry.state_dict())
    torch.testing.assert_close(again.velocity(x), symmetry.velocity(x))


def whitened(action: Field) -> HiddenGenerators:
    """A chart that leaves samples as they are."""
    return HiddenGenerators(action, 0, 0, 1).double()


def test_the_equation_of_a_vector_field_is_its_commutator() -> None:
    draw = torch.Generator().manual_seed(0)
    A, B = torch.randn(2, 3, 3, generator=draw, dtype=torch.float64)
    x = torch.randn(40, 3, generator=draw, dtype=torch.float64)
    plain = whitened(Field((3,)))
    equations = Equations(LinearMotion(B), plain)
    units = equations.units(x)
    rates = equations.derivatives(plain.with_fields(torch.nn.functional.pad(A[None], (0, 1))), x, units)[0]
    torch.testing.assert_close(torch.einsum("bij,bj->bi", torch.linalg.inv(units.P), rates), x @ (B @ A - A @ B).T)


@pytest.mark.parametrize(("turn", "kept"), [(1.0, True), (0.0, False)])
def test_violations_tell_a_symmetry_from_chance(turn: float, kept: bool) -> None:
    task = gaussian_task(Field((2,)))
    assert task.oracle is not None
    x, plain = task.train.x.double(), whitened(Field((2,)))
    symmetry = plain.with_fields(torch.tensor([[[1 - turn, -turn, 0], [turn, 1 - turn, 0]]]))
    equations = Equations(task.oracle, plain)
    ratio = equations.violations(symmetry, x, equations.units(x), 0.1).item()
    assert (ratio < 1e-20) == kept
    assert ratio < 1e-20 or ratio > 0.5


def test_violations_are_those_of_the_span() -> None:
    task = gaussian_task(Field((3,)))
    x, plain = task.train.x.double(), whitened(Field((3,)))
    equations = Equations(SquaredLength(), plain)
    units, fields = equations.units(x), affine_fields("translation", 3).double()
    mixed = torch.tensor([[1, 0, 0], [0.999, 0.01, 0], [5, 0, 2]]).double()
    with torch.no_grad():
        one, other = (
            equations.violations(plain.with_fields(torch.einsum("jk,kab->jab", M, fields)), x, units, 0.1)
            for M in (torch.eye(3).double(), mixed)
        )
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


def test_a_difference_of_components_counts_as_much_as_a_component() -> None:
    class Close(Oracle):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([x[:, 0], x[:, 0] + 0.1 * x[:, 1]], 1)

    x, plain = torch.randn(30, 3).double(), whitened(Field((3,)))
    equations = Equations(Close(), plain)
    rates = equations.derivatives(plain.with_fields(affine_fields("translation", 3)[:2]), x, equations.units(x))
    torch.testing.assert_close(rates.norm(dim=2), torch.full((2, 30), 3**0.5).double(), rtol=0.3, atol=0)


def test_units_of_chance_are_those_of_random_fields() -> None:
    """A constant component is changed by fields that move the value: [v, F] for F = (1, 0, 0), v = (x, 0, 0)."""

    class Wind(Tangent):
        def forward(self, x: Tensor) -> Tensor:
            return torch.eye(3).to(x)[:1].expand(len(x), 3)

    x, plain = torch.randn(50, 3).double(), whitened(Field((3,)))
    units = Equations(Wind(), plain).units(x)
    torch.testing.assert_close(units.P[:, 0, 1:], torch.zeros(50, 2).double())
    size = 3 * (1 + x.square().sum(1))
    torch.testing.assert_close(units.P[:, 0, 0], (size / 1.001).sqrt())
    torch.testing.assert_close(units.chance, torch.full((50,), 3 / 1.001).double())


def test_coordinates_that_show_a_field_do_not_disguise_it() -> None:
    symmetry, x = random_symmetry(), torch.randn(50, 4).double() + 2
    plain = symmetry.with_fields(affine_fields("affine", 4)[:5])
    assert disguise(plain, plain, x, plain.velocity(x)) < 1e-20
    assert disguise(symmetry, plain, x, plain.velocity(x)) > 1e-2


@pytest.mark.parametrize("D", [2, 3])
def test_plain_rotations_need_no_training(D: int) -> None:
    task = gaussian_task(Field((D,)))
    symmetry = HiddenSymmetry(K=D * (D - 1) // 2, form="affine", layers=0).discover(task)
    assert radial_share(symmetry.velocity(task.valid.x), task.valid.x) < 1e-8
    assert (symmetry.scores < 1e-6).all()


def test_chosen_rotations_commute_and_begin_with_the_best() -> None:
    basis, draw = affine_fields("rotation", 4).double(), torch.Generator().manual_seed(0)
    ordered = torch.einsum("jn,nab->jab", torch.randn(6, 6, generator=draw, dtype=torch.float64), basis)
    chosen = commuting(ordered, 2)
    torch.testing.assert_close(chosen[0], ordered[0])
    A, B = chosen[..., :4]
    torch.testing.assert_close(A @ B, B @ A)
    torch.testing.assert_close(A, -A.T)
    assert torch.linalg.matrix_rank(chosen.flatten(1)) == 2


def test_a_bent_rotation_is_found_in_bent_coordinates() -> None:
    task = bent(Bowl())
    plain, hidden = (HiddenSymmetry(layers=layers, steps=100, polish=30).discover(task) for layers in (0, 2))
    assert hidden.scores.item() < 0.03
    assert hidden.scores.item() < 0.1 * plain.scores.item()


def test_a_hidden_translation_is_found_along_a_coordinate() -> None:
    task = bent(Valley())
    symmetry = HiddenSymmetry(form="translation", layers=2, steps=60, polish=20).discover(task)
    x = task.valid.x
    truth = torch.stack([torch.ones(len(x)), x[:, 0]], 1)
    assert torch.cosine_similarity(symmetry.velocity(x)[0], truth, dim=1).abs().mean() > 0.98
    t = torch.full((len(x), 1), 0.5)
    shift = symmetry.coordinates(symmetry.transform(x, t)) - symmetry.coordinates(x)
    torch.testing.assert_close(shift, shift[:1].expand_as(shift), atol=1e-4, rtol=0)


def test_what_is_plain_can_be_left_out() -> None:
    class Both(Oracle):
        """Kept by (0, 0, 1), and by (1, a, 0)."""

        def forward(self, x: Tensor) -> Tensor:
            return Valley()(x[:, :2])

    task = replace(gaussian_task(Field((3,))), oracle=Both())
    settings = {"form": "translation", "layers": 0}
    plain, hidden = (HiddenSymmetry(hidden_only=only, **settings).discover(task) for only in (False, True))
    x = task.valid.x
    assert plain.velocity(x)[0, :, :2].norm() < 1e-4 * plain.velocity(x).norm()
    assert hidden.velocity(x)[0, :, 2].norm() < 0.2 * hidden.velocity(x).norm()


def test_an_oracle_is_needed() -> None:
    with pytest.raises(BenchError, match="needs an oracle"):
        HiddenSymmetry().discover(replace(gaussian_task(Field((2,))), oracle=None))


def test_no_more_rotations_than_planes() -> None:
    with pytest.raises(BenchError, match=r"K = 2 rotations that commute; 3 coordinates have at most 1"):
        HiddenSymmetry(K=2).discover(gaussian_task(Field((3,))))
