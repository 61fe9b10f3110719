import pytest
import torch

from bench.lie import jacobian, rates_of_change


@pytest.mark.parametrize("m", [3, 8])
def test_jacobian_of_a_linear_map(m):
    A = torch.randn(m, 5)
    torch.testing.assert_close(jacobian(lambda u: u @ A.T, torch.randn(4, 5)), A.expand(4, m, 5))


def test_jacobian_of_images_is_flat():
    x = torch.randn(4, 2, 3, 3)
    found = jacobian(lambda y: y.square().flatten(1).sum(1, keepdim=True), x)
    torch.testing.assert_close(found[:, 0], 2 * x.flatten(1))


def test_rates_are_those_of_the_jacobian():
    A, x = torch.randn(4, 3, 3), torch.randn(250, 3)

    def phi(y):
        return torch.stack([y.prod(1), y.sin().sum(1)], 1)

    form, norm = rates_of_change(phi, lambda y: torch.einsum("aij,bj->abi", A, y), x)
    moves = torch.einsum("aij,bj->bai", A, x).double()
    rates = torch.einsum("bmi,bai->bma", jacobian(phi, x).double(), moves)
    torch.testing.assert_close(form, torch.einsum("bma,bmc->ac", rates, rates) / 250, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm, torch.einsum("bai,bci->ac", moves, moves) / 250, rtol=1e-4, atol=1e-5)


def test_both_ways_to_a_jacobian_agree():
    x = torch.randn(6, 3)

    def phi(y):
        return torch.cat([y.sin(), y.prod(1, keepdim=True)], 1)

    backwards = torch.cat([jacobian(lambda y: phi(y)[:, :2], x), jacobian(lambda y: phi(y)[:, 2:], x)], 1)
    torch.testing.assert_close(jacobian(phi, x), backwards)


def test_a_jacobian_can_be_differentiated_along_a_field():
    """Of phi = |x|^4 / 4, whose second derivatives are |x|^2 + 2 x x'."""
    draw = torch.Generator().manual_seed(0)
    x, v = (torch.randn(5, 3, generator=draw).double() for _ in range(2))
    along = torch.func.jvp(lambda y: jacobian(lambda u: u.square().sum(1, keepdim=True).square() / 4, y), (x,), (v,))[1]
    expected = x.square().sum(1, keepdim=True) * v + 2 * (x * v).sum(1, keepdim=True) * x
    torch.testing.assert_close(along[:, 0], expected)
