"""Derivatives of a function along vector fields."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor

__all__ = ["jacobian", "rates_of_change"]

CHUNK = 100


def jacobian(phi: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """d phi / dx: (B, *s) -> (B, m, D), D the product of s; backwards for each output, or forwards if m > D.

    It can be differentiated forwards itself, as along a flow that is made of it.
    """
    if phi(x[:1]).shape[1] > x[:1].numel():
        return _forwards(phi, x)
    return _backwards_inside(phi, x) if is_functorch_wrapped_tensor(x) else _backwards(phi, x)


def _backwards(phi: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with torch.enable_grad():
        point = x.detach().requires_grad_()
        outputs = phi(point).unbind(1)
        rows = [torch.autograd.grad(out.sum(), point, retain_graph=True)[0] for out in outputs]
    return torch.stack([row.flatten(1) for row in rows], 1)


def _backwards_inside(phi: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The same within a transform of torch.func, which allows no `requires_grad_`.

    Not used elsewhere, as the first call imports a compiler for a second.
    """
    with torch.no_grad():
        outputs, back = torch.func.vjp(phi, x)[:2]
        rows = [back(one.expand_as(outputs))[0] for one in torch.eye(outputs.shape[1]).to(outputs)]
    return torch.stack([row.flatten(1) for row in rows], 1)


def _forwards(phi: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    axes = torch.eye(x[:1].numel()).to(x).reshape(-1, *x.shape[1:])

    def along(axis: Tensor) -> Tensor:
        rates: Tensor = torch.func.jvp(phi, (x,), (axis.expand_as(x),))[1]
        return rates

    with torch.no_grad():
        columns: Tensor = torch.func.vmap(along)(axes)
    return columns.permute(1, 2, 0)


def rates_of_change(
    phi: Callable[[Tensor], Tensor], fields: Callable[[Tensor], Tensor], x: Tensor
) -> tuple[Tensor, Tensor]:
    """E (v_a phi)'(v_b phi) and E v_a'v_b over samples x (B, *s), in float64: (N, N), (N, N).

    Arguments:
        phi: (B, *s) -> (B, m).
        fields: x -> v_a(x), (B, *s) -> (N, B, *s).
    """
    forms = []
    with torch.no_grad():
        for part in torch.split(x, CHUNK):
            moves = fields(part)
            rates = torch.stack([torch.func.jvp(phi, (part,), (move,))[1] for move in moves])
            flat = (side.flatten(1).cpu().double() for side in (rates, moves))
            forms.append([side @ side.T / len(x) for side in flat])
    form, norm = (torch.stack(parts).sum(0) for parts in zip(*forms, strict=True))
    return form, norm
