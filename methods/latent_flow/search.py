"""Descent: the density that f is to fit, and the fields that keep the oracle."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.contracts import Progress

from .fields import NeuralFields
from .law import Law
from .penalties import bracket, closure, matrix_bracket, speed_and_angle
from .training import batches, descend
from .warped import WarpedGenerators

__all__ = ["Known", "Schedule", "fit_density", "keep_law"]

CHUNKS = 16
SMALL = 64


@dataclass(frozen=True)
class Known:
    """Whitened samples and standardised phi on them: u (N, D), phi (N, m)."""

    u: Tensor
    phi: Tensor


@dataclass(frozen=True)
class Schedule:
    """How a stage is trained: steps, whom to tell, learning rate, batch, generator of its draws."""

    steps: int
    progress: Progress
    rate: float
    batch: int
    draw: torch.Generator


def density_loss(symmetry: WarpedGenerators, u: Tensor) -> tuple[Tensor, Tensor]:
    """-log p(u) / D up to a constant, where f(u) is standard normal; and f(u)."""
    w, volume = symmetry.map().call_and_ladj(u)
    loss: Tensor = (0.5 * w.square().sum(1) - volume).mean() / u.shape[1]
    return loss, w


def fit_density(symmetry: WarpedGenerators, u: Tensor, valid: Tensor, schedule: Schedule) -> float:
    """Train f by maximum likelihood to a standard normal."""
    order = batches(len(u), schedule.batch, schedule.draw)

    def validate() -> float:
        with torch.no_grad():
            return density_loss(symmetry, valid)[0].item()

    return descend(
        symmetry, lambda step: density_loss(symmetry, u[next(order)])[0], validate,
        steps=schedule.steps, rate=schedule.rate, progress=schedule.progress,
    )  # fmt: skip


def keep_law(
    symmetry: NeuralFields | WarpedGenerators,
    law: Law,
    known: Known,
    valid: Known,
    schedule: Schedule,
    *,
    reach: float,
    density: float,
) -> float:
    """Train fields and map until phi stays the same along the flow.

    The loss is the violation at finite times up to `reach`, in units of chance, with the penalties on speed, angles
    and closure; and `density` times the negative log-likelihood of f.
    """
    order = batches(len(known.u) // CHUNKS * CHUNKS, schedule.batch // CHUNKS * CHUNKS, schedule.draw)
    fixed = times_of(symmetry.K, reach, torch.Generator().manual_seed(0)).to(valid.u)
    whole = len(valid.u) // CHUNKS * CHUNKS
    valid = Known(valid.u[:whole], valid.phi[:whole])

    def total(some: Known, times: Tensor) -> Tensor:
        u = some.u.reshape(CHUNKS, -1, some.u.shape[1])
        if isinstance(symmetry, NeuralFields):
            moved = symmetry.flow(u, times).flatten(0, 1)
            return law.violation(some.u, moved, some.phi) + field_penalties(symmetry, law, some.u)
        likelihood, w = density_loss(symmetry, some.u)
        kept = law.violation(some.u, symmetry.turn(w.view_as(u), times).flatten(0, 1), some.phi)
        L, D = symmetry.generators.flatten(1), some.u.shape[1]
        apart = speed_and_angle(D**0.5 * L[:, None])
        closed = closure(L, matrix_bracket(symmetry.generators).flatten(1))
        return kept + density * likelihood + apart + closed

    def loss(step: int) -> Tensor:
        index = next(order)
        times = times_of(symmetry.K, reach, schedule.draw)
        return total(Known(known.u[index], known.phi[index]), times.to(known.u))

    def validate() -> float:
        with torch.no_grad():
            return total(valid, fixed).item()

    return descend(symmetry, loss, validate, steps=schedule.steps, rate=schedule.rate, progress=schedule.progress)


def times_of(K: int, reach: float, draw: torch.Generator) -> Tensor:
    """Times (CHUNKS, K): lengths spread evenly over (0, reach], directions over the sphere."""
    direction = torch.randn(CHUNKS, K, generator=draw)
    length = reach * (torch.arange(CHUNKS) + torch.rand(CHUNKS, generator=draw)) / CHUNKS
    times: Tensor = direction / direction.norm(dim=1, keepdim=True) * length[:, None]
    return times


def field_penalties(symmetry: NeuralFields, law: Law, u: Tensor) -> Tensor:
    """Invariance under the exact derivative, unit speed, orthogonality, closure."""
    fields = symmetry.fields(u)
    few = u[:SMALL]
    brackets = bracket(symmetry.fields, few) if symmetry.K > 1 else few.new_zeros(0, *few.shape)
    closed = closure(fields[:, :SMALL].flatten(1), brackets.flatten(1))
    return law.rate(few, fields[:, :SMALL]) + speed_and_angle(fields) + closed
