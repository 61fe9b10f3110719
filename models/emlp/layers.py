"""Equivariant layers: linear maps, gates and products of tensors."""

from __future__ import annotations

from itertools import combinations_with_replacement

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .group import Group
from .tensors import Representation, T, equivariant_maps

__all__ = ["Bilinear", "Gated", "Linear"]

LEGS = 4
SHARE = 0.3


class _Block(nn.Module):
    """The part sum_a c_a W_a of a linear map between all copies of two terms; the coefficients c are its parameters."""

    def __init__(self, basis: Tensor, out: int, into: int) -> None:
        super().__init__()
        self.basis: Tensor
        self.register_buffer("basis", basis.to(torch.get_default_dtype()))
        self.coefficients = nn.Parameter(torch.zeros(out, into, len(basis)))

    def weight(self) -> Tensor:
        """(out copies, out size, in copies, in size), as a matrix."""
        out, into, d = self.coefficients.shape
        _, rows, columns = self.basis.shape
        if not d:
            return self.basis.new_zeros(out * rows, into * columns)
        blocks = (self.coefficients @ self.basis.flatten(1)).reshape(out, into, rows, columns)
        return blocks.transpose(1, 2).reshape(out * rows, into * columns)


class Linear(nn.Module):
    """x -> W x + b, where W is in the space of equivariant maps and b in that of invariant vectors.

    W and b are made from coefficients over a basis, once in every pass.

    Arguments:
        into, out: representations of x (B, into.size) and of the result (B, out.size).
    """

    def __init__(self, group: Group, into: Representation, out: Representation) -> None:
        super().__init__()
        with_one = into + T(0)
        self.rows = [
            [_Block(equivariant_maps(group, legs, source), copies, number) for source, number in with_one.terms]
            for legs, copies in out.terms
        ]
        self.blocks = nn.ModuleList(block for row in self.rows for block in row)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal coefficients that keep the mean square of the coordinates."""
        for row in self.rows:
            rows = row[0].basis.shape[1]
            inputs = sum(block.coefficients[0].numel() for block in row)
            for block in row:
                nn.init.normal_(block.coefficients, std=(rows / max(inputs, 1)) ** 0.5)

    def weight(self) -> Tensor:
        """(W, b) as a matrix (out.size, into.size + 1)."""
        return torch.cat([torch.cat([block.weight() for block in row], 1) for row in self.rows])

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight()
        return F.linear(x, weight[:, :-1], weight[:, -1])


class Gated(nn.Module):
    """Scalars s -> s sigmoid(s), other tensors t -> t sigmoid(g), each with a scalar gate g of its own (Weiler et al.,
    arXiv:1807.02547).

    Arguments:
        rep: representation of the result; `into`, that of the input, has the gates after it.
    """

    def __init__(self, group: Group, rep: Representation) -> None:
        super().__init__()
        sources, size, gates = [], rep.size(group.n), 0
        at = 0
        for legs, copies in rep.terms:
            width = group.n ** len(legs)
            first = size + gates if legs else at
            sources.append(torch.arange(first, first + copies).repeat_interleave(width))
            gates += copies if legs else 0
            at += copies * width
        self.size = size
        self.into = rep + gates * T(0) if gates else rep
        self.sources: Tensor
        self.register_buffer("sources", torch.cat(sources), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x[:, : self.size] * torch.sigmoid(x[:, self.sources])


class Bilinear(nn.Module):
    """Products of two tensors that are no scalars, mapped to other terms: y_i = sum_a c_ia W_a (x_j x x_k).

    Each pair of terms gives as many products as its terms and the result's have copies, of copies drawn by a fixed
    seed, different ones where there are. Pairs of at most four legs in all are taken, which has scalar, vector and
    tensor products of vectors among them.

    Arguments:
        rep: representation of x and of the result, both (B, rep.size).
    """

    def __init__(self, group: Group, rep: Representation) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(0)
        self.shapes = [(copies, group.n ** len(legs)) for legs, copies in rep.terms]
        tensors = [at for at, (legs, _) in enumerate(rep.terms) if legs]
        self.products: list[_Product] = []
        for out, (legs, _) in enumerate(rep.terms):
            for first, second in combinations_with_replacement(tensors, 2):
                joint = rep.terms[first][0] + rep.terms[second][0]
                if len(legs + joint) <= LEGS:
                    maps = equivariant_maps(group, legs, joint)
                    copies = [rep.terms[at][1] for at in (out, first, second)]
                    chosen = torch.stack([torch.randperm(m, generator=draw)[: min(copies)] for m in copies])
                    if first == second:
                        chosen[2] = chosen[1].roll(1)
                    self.products += [_Product(maps, (out, first, second), chosen)] if len(maps) else []
        self.blocks = nn.ModuleList(self.products)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Products add a tenth to the mean square of the coordinates that they reach."""
        counts = [0] * len(self.shapes)
        for product in self.products:
            counts[product.terms[0]] += len(product.basis)
        for product in self.products:
            share = SHARE * (product.basis.shape[1] / counts[product.terms[0]]) ** 0.5
            nn.init.normal_(product.coefficients, std=share)

    def forward(self, x: Tensor) -> Tensor:
        parts = torch.split(x, [copies * size for copies, size in self.shapes], 1)
        terms = [part.reshape(len(x), *shape) for part, shape in zip(parts, self.shapes, strict=True)]
        results = [torch.zeros_like(term) for term in terms]
        for product in self.products:
            out, copies = product.terms[0], product.chosen[0]
            results[out] = results[out].index_add(1, copies, product(terms))
        return torch.cat([result.flatten(1) for result in results], 1)


class _Product(nn.Module):
    """Products of the copies `chosen` (3, m) of three terms: out, first, second."""

    def __init__(self, basis: Tensor, terms: tuple[int, int, int], chosen: Tensor) -> None:
        super().__init__()
        self.terms = terms
        self.basis: Tensor
        self.chosen: Tensor
        self.register_buffer("basis", basis.to(torch.get_default_dtype()))
        self.register_buffer("chosen", chosen, persistent=False)
        self.coefficients = nn.Parameter(torch.zeros(chosen.shape[1], len(basis)))

    def forward(self, terms: list[Tensor]) -> Tensor:
        first, second = (terms[at][:, copies] for at, copies in zip(self.terms[1:], self.chosen[1:], strict=True))
        outer = (first[..., :, None] * second[..., None, :]).flatten(2)
        weight = torch.einsum("md,dcs->mcs", self.coefficients, self.basis)
        return torch.einsum("bms,mcs->bmc", outer, weight)
