"""Equivariant layers and networks: laws of the group, gradients, sizes."""

import pytest
import torch
from bench.models.emlp import Bilinear, EquivariantMLP, Gated, Group, Linear, Representation, T, hidden_representation
from torch import Tensor, nn

from .groups import element, orthogonal, permutation, special_linear

REP = 4 * T(0) + 3 * T(1) + 2 * T(2)
GROUPS = {
    "so(3)": (orthogonal(3), None),
    "so(1,3)": (orthogonal(4, 1), None),
    "sl(2)": (special_linear(), None),
    "reflection": (None, permutation(1, 0, 2)[None]),
}


@pytest.fixture(params=GROUPS, ids=str)
def group(request: pytest.FixtureRequest) -> Group:
    return Group(*GROUPS[request.param])


@pytest.fixture
def g(group: Group) -> Tensor:
    return element(group.generators) if len(group.generators) else group.elements[0]


def samples(rep: Representation, group: Group, count: int = 20) -> Tensor:
    return torch.randn(count, rep.size(group.n), generator=torch.Generator().manual_seed(1))


def error(layer: nn.Module, group: Group, g: Tensor, into: Representation, out: Representation) -> float:
    x = samples(into, group)
    with torch.no_grad():
        moved = layer((x.double() @ into.matrix(g).T).float()).double()
        expected = layer(x).double() @ out.matrix(g).T
    return ((moved - expected).norm() / expected.norm()).item()


def test_representations_add_multiply_and_dualise() -> None:
    assert (2 * T(1) + T(1)).terms == (("+", 3),)
    assert (T(1) * T(1).dual).terms == (("+-", 1),)
    assert ((2 * T(0) + T(1)) * T(1)).size(3) == (2 + 3) * 3
    assert (2 * (T(0) + T(1))).size(4) == 10


def test_a_representation_is_a_homomorphism() -> None:
    rep = T(0) + 2 * T(1, 1) + T(2)
    g, h = (element(special_linear(), seed) for seed in (0, 1))
    assert torch.allclose(rep.matrix(g @ h), rep.matrix(g) @ rep.matrix(h))
    A = special_linear()[0]
    expected = torch.linalg.matrix_exp(rep.matrix(A, finite=False))
    assert torch.allclose(rep.matrix(torch.linalg.matrix_exp(A)), expected)


def test_layers_are_equivariant(group: Group, g: Tensor) -> None:
    gate = Gated(group, REP)
    assert error(Linear(group, REP, T(2) + T(0) + 2 * T(1)), group, g, REP, T(2) + T(0) + 2 * T(1)) < 1e-5
    assert error(Bilinear(group, REP), group, g, REP, REP) < 1e-5
    assert error(gate, group, g, gate.into, REP) < 1e-5


def test_networks_are_equivariant(group: Group, g: Tensor) -> None:
    into, out = 3 * T(1) + T(0), T(1) + T(2) + T(0)
    torch.manual_seed(0)
    assert error(EquivariantMLP(group, into, out, width=64), group, g, into, out) < 1e-5


def test_a_wide_network_is_equivariant() -> None:
    group, g = Group(orthogonal(3)), element(orthogonal(3))
    into, out = 4 * T(1) + T(0), T(1) + T(2)
    torch.manual_seed(0)
    assert error(EquivariantMLP(group, into, out, width=384), group, g, into, out) < 1e-5


def test_a_plain_network_is_not() -> None:
    g, into = element(orthogonal(3)), 3 * T(1)
    plain = nn.Sequential(nn.Linear(9, 64), nn.SiLU(), nn.Linear(64, 3))
    assert error(plain, Group(orthogonal(3)), g, into, T(1)) > 0.1


def test_every_parameter_has_a_gradient(group: Group) -> None:
    network = EquivariantMLP(group, 3 * T(1) + T(0), 2 * T(1) + T(0), width=64)
    network(samples(3 * T(1) + T(0), group)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.numel() == 0 or parameter.grad.abs().max() > 0, name


def test_gradients_are_those_of_the_function() -> None:
    group, rep = Group(orthogonal(3)), T(0) + T(1)
    network = EquivariantMLP(group, rep, rep, width=24).double()
    x = samples(rep, group, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(network, (x,))


def test_a_linear_layer_keeps_the_mean_square(group: Group) -> None:
    torch.manual_seed(0)
    x = samples(REP, group, 500)
    sizes = [Linear(group, REP, 30 * T(0) + 10 * T(1) + 3 * T(2))(x).square().mean().item() for _ in range(10)]
    assert 0.6 < sum(sizes) / 10 < 2


def test_a_hidden_layer_has_the_width_that_is_asked_for() -> None:
    rep = hidden_representation(Group(orthogonal(3)), 384, 3)
    assert rep.size(3) == 384
    assert [legs for legs, _ in rep.terms] == ["", "+", "++", "+++"]


def test_duals_are_used_where_they_differ() -> None:
    dilated = Group(torch.cat([special_linear(), torch.eye(2).double()[None]]))
    assert {legs for legs, _ in hidden_representation(dilated, 64, 1).terms} == {"", "+", "-"}
    assert {legs for legs, _ in hidden_representation(Group(special_linear()), 64, 1).terms} == {"", "+"}


def test_scalars_alone_make_a_plain_network() -> None:
    network = EquivariantMLP(Group(elements=torch.eye(1)[None]), 5 * T(0), 2 * T(0), width=32, rank=0)
    assert network(torch.randn(7, 5)).shape == (7, 2)
