"""The search for fields on vectors: surrogate, density, and the fields that keep the oracle."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.contracts import Oracle, Progress

from .algebra import antisymmetric_basis, lowest, pushed_forms
from .fields import NeuralFields
from .law import Law, Surrogate, predict
from .penalties import bracket, closure, matrix_bracket, speed_and_angle
from .training import batches, descend
from .warped import WarpedGenerators
from .whitened import Whitened

__all__ = ["Known", "Schedule", "distil", "fit_density", "keep_law", "standardised", "starting_generators"]

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


def standardised(oracle: Oracle, symmetry: Whitened, train: Tensor, valid: Tensor) -> tuple[Known, Known]:
    """phi on both sets of samples, at mean 0 and variance 1 in each component over the first."""
    phi, phi_valid = predict(oracle, train), predict(oracle, valid)
    mean, spread = phi.mean(0), phi.std(0).clamp(min=1e-6)
    return (
        Known(symmetry.whiten(train), (phi - mean) / spread),
        Known(symmetry.whiten(valid), (phi_valid - mean) / spread),
    )


def distil(known: Known, valid: Known, width: int, schedule: Schedule) -> Surrogate:
    """A network u -> phi, by least squares."""
    surrogate = Surrogate(known.u.shape[1], known.phi.shape[1], width).to(known.u)
    order = batches(len(known.u), schedule.batch, schedule.draw)

    def loss(step: int) -> Tensor:
        index = next(order)
        return (surrogate(known.u[index]) - known.phi[index]).square().mean()

    def validate() -> float:
        return (predict(surrogate, valid.u) - valid.phi).square().mean().item()

    descend(surrogate, loss, validate, steps=schedule.steps, rate=schedule.rate, progress=schedule.progress)
    return surrogate.requires_grad_(False)


def density_loss(symmetry: WarpedGenerators, u: Tensor) -> tuple[Tensor, Tensor]:
    """-log p(u) / D up to a constant, where f(u) is standard normal; and f(u)."""
    w, volume = symmetry.map().call_and_ladj(u)
    return (0.5 * w.square().sum(1) - volume).mean() / u.shape[1], w


def fit_density(symmetry: WarpedGenerators, known: Known, valid: Known, schedule: Schedule) -> float:
    """Train f by maximum likelihood to a standard normal."""
    order = batches(len(known.u), schedule.batch, schedule.draw)

    def validate() -> float:
        with torch.no_grad():
            return density_loss(symmetry, valid.u)[0].item()

    return descend(
        symmetry, lambda step: density_loss(symmetry, known.u[next(order)])[0], validate,
        steps=schedule.steps, rate=schedule.rate, progress=schedule.progress,
    )  # fmt: skip


def starting_generators(symmetry: WarpedGenerators, law: Law, u: Tensor) -> None:
    """Set L to the K generators with the smallest E |d phi(v)|^2 / E |v|^2, at |L|^2 = D."""
    D = u.shape[1]
    basis = antisymmetric_basis(D) if symmetry.rotation else torch.eye(D * D).reshape(-1, D, D)
    with torch.no_grad():
        w = symmetry.map()(u)
    _, c = lowest(*pushed_forms(symmetry.map().inv, law.phi, w, basis), symmetry.K)
    L = torch.einsum("ka,aij->kij", c.to(u), basis.to(u))
    with torch.no_grad():
        symmetry.raw.copy_(L * (D**0.5 / L.flatten(1).norm(dim=1))[:, None, None])


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
        u, still = some.u.unflatten(0, (CHUNKS, -1)), some.phi.unflatten(0, (CHUNKS, -1))
        if isinstance(symmetry, NeuralFields):
            return law.violation(u, symmetry.flow(u, times), still).mean() + field_penalties(symmetry, law, some.u)
        likelihood, w = density_loss(symmetry, some.u)
        kept = law.violation(u, symmetry.turn(w.unflatten(0, (CHUNKS, -1)), times), still).mean()
        L = symmetry.generators.flatten(1)
        apart = speed_and_angle(symmetry.generators)
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
    return direction / direction.norm(dim=1, keepdim=True) * length[:, None]


def field_penalties(symmetry: NeuralFields, law: Law, u: Tensor) -> Tensor:
    """Invariance under the exact derivative, unit speed, orthogonality, closure."""
    fields = symmetry.fields(u)
    few = u[:SMALL]
    rates = torch.stack([torch.func.jvp(law.phi, (few,), (v,))[1] for v in fields[:, :SMALL]])
    slope = law.chance(torch.ones(1).to(u) * 0.05) / 0.05**2
    invariance = rates.square().mean() / (slope * fields.square().sum(-1).mean())
    brackets = bracket(symmetry.fields, few) if symmetry.K > 1 else few.new_zeros(0, *few.shape)
    return invariance + speed_and_angle(fields) + closure(fields[:, :SMALL].flatten(1), brackets.flatten(1))

