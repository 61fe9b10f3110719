"""Many small problems minimised at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["minimise"]

MEMORY = 8
HALVINGS = 20
SUFFICIENT = 1e-4


def minimise(
    loss: Callable[[Tensor], Tensor], start: Tensor, *, steps: int, small: float = 1e-18, settled: float = 1e-3
) -> tuple[Tensor, Tensor]:
    """S problems of P unknowns by L-BFGS (Nocedal 1980), a step length for each by halving (Armijo).

    It ends when one loss is small or all have settled: none fell by more than a share `settled` in ten steps.

    Arguments:
        loss: (S, P) -> (S,), row by row.
        start: (S, P).

    Returns:
        the unknowns (S, P) and their losses (S,).
    """
    x = start
    value, slope = _value_and_slope(loss, x)
    moves: list[Tensor] = []
    turns: list[Tensor] = []
    before = value
    for step in range(steps):
        direction = -_inverse_curvature(slope, moves, turns)
        downhill = (direction * slope).sum(1)
        direction = torch.where((downhill < 0)[:, None], direction, -slope)
        if not moves:
            direction = direction / direction.norm(dim=1, keepdim=True).clamp(min=1)
        moved, found, after = _lower(loss, x, value, slope, direction)
        moves, turns = [*moves[1 - MEMORY :], moved - x], [*turns[1 - MEMORY :], after - slope]
        x, value, slope = moved, found, after
        if value.min() < small:
            break
        if step % 10 == 9:
            if (before - value <= settled * before).all():
                break
            before = value
    return x, value


def _value_and_slope(loss: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        at = x.detach().requires_grad_()
        value = loss(at)
        (slope,) = torch.autograd.grad(value.sum(), at)
    return value.detach(), slope


def _inverse_curvature(slope: Tensor, moves: list[Tensor], turns: list[Tensor]) -> Tensor:
    """H slope, H the inverse Hessian that the last moves and turns of the slope suggest; useless pairs count nought."""
    q, weights, pairs = slope, [], []
    for move, turn in zip(reversed(moves), reversed(turns), strict=True):
        product = (move * turn).sum(1, keepdim=True)
        rho = torch.where(product > 1e-300, 1 / product, 0)
        weight = rho * (move * q).sum(1, keepdim=True)
        q = q - weight * turn
        weights.append(weight)
        pairs.append((move, turn, rho))
    if moves:
        product, size = ((moves[-1] * turns[-1]).sum(1, keepdim=True), turns[-1].square().sum(1, keepdim=True))
        q = torch.where(product > 1e-300, product / size, 1) * q
    for weight, (move, turn, rho) in zip(reversed(weights), reversed(pairs), strict=True):
        q = q + move * (weight - rho * (turn * q).sum(1, keepdim=True))
    return q


def _lower(
    loss: Callable[[Tensor], Tensor], x: Tensor, value: Tensor, slope: Tensor, direction: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Where each row gets along its direction, by steps halved until the loss falls enough, or else where it was; with
    the losses and slopes there."""
    downhill = SUFFICIENT * (direction * slope).sum(1)
    moved = x + direction
    found, after = _value_and_slope(loss, moved)
    fell = found <= value + downhill
    if fell.all():
        return moved, found, after
    length = torch.ones_like(value)
    with torch.no_grad():
        for _ in range(HALVINGS):
            length = torch.where(fell, length, length / 2)
            fell = loss(x + length[:, None] * direction) <= value + length * downhill
            if fell.all():
                break
    moved = x + torch.where(fell, length, 0)[:, None] * direction
    return moved, *_value_and_slope(loss, moved)
