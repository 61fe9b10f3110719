"""The equivariant MLP: linear layers, products and gates between two representations."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .group import Group
from .layers import Bilinear, Gated, Linear
from .tensors import Representation, T, equivariant_maps

__all__ = ["EquivariantMLP", "hidden_representation"]


def hidden_representation(group: Group, width: int, rank: int) -> Representation:
    """Tensors of rank 0 to `rank` with the same share of about `width` coordinates each, and at least one copy.

    Legs in V* are used only where V* differs from V. What does not go into tensors is scalar.
    """
    both = not _self_dual(group)
    tensors = Representation(())
    for order in range(1, rank + 1):
        kinds = [(order - q, q) for q in range(order + 1 if both else 1)]
        copies = max(1, width // ((rank + 1) * len(kinds) * group.n**order))
        for p, q in kinds:
            tensors = tensors + copies * T(p, q)
    return max(1, width - tensors.size(group.n)) * T(0) + tensors


def _self_dual(group: Group) -> bool:
    """Whether an invertible map V -> V* is equivariant: a metric, or a symplectic form."""
    maps = equivariant_maps(group, "-", "+")
    c = torch.randn(len(maps), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values = torch.linalg.svdvals(torch.einsum("d,dij->ij", c, maps))
    return bool(values[-1] > 1e-3 * values[0])


class EquivariantMLP(nn.Module):
    """f(rho_in(g) x) = rho_out(g) f(x): blocks of Linear, Bilinear and Gated, and a linear map of x beside them
    (Finzi et al., arXiv:2104.09459, section 6).

    Arguments:
        into, out: representations of x (B, into.size) and f(x) (B, out.size).
        width: coordinates of a hidden layer.
        depth: hidden layers.
        rank: highest rank of a hidden tensor.
    """

    def __init__(
        self, group: Group, into: Representation, out: Representation, width: int = 128, depth: int = 2, rank: int = 2
    ) -> None:
        super().__init__()
        hidden = hidden_representation(group, width, rank)
        layers: list[nn.Module] = []
        for source in [into] + [hidden] * (depth - 1):
            gate = Gated(group, hidden)
            layers += [Linear(group, source, gate.into), Added(Bilinear(group, gate.into)), gate]
        self.layers = nn.Sequential(*layers, Linear(group, hidden, out))
        self.beside = Linear(group, into, out)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.layers(x) + self.beside(x)
        return result


class Added(nn.Module):
    """x + f(x)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.inner(x)
        return out
