"""The method: its parameters, and the order of its stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from bench.contracts import BenchError, Method, Oracle, Progress, Symmetry, Task

from .algebra import orthonormalise
from .fields import NeuralFields
from .law import Law, Standardised, predict
from .matrices import discover_matrices
from .projected import ProjectedGenerators
from .search import Known, Schedule, fit_density, keep_law
from .start import starting_generators
from .warped import WarpedGenerators
from .whitened import Whitened

__all__ = ["LatentFlow"]

FORMS = ("projected", "normal", "flow", "field")
VALID = 2048
FEW = 512
DENSITY = 0.25


@dataclass(frozen=True)
class LatentFlow(Method):
    """Oracle-preserving latent flow: fields v_k with phi(flow of v_k) = phi, in one of four forms.

    `normal`: z' = f^-1(exp(t L_k) f(z)), f an invertible map fitted by maximum likelihood to a standard normal and L_k
    antisymmetric, so that the flow keeps p(z). `projected`: the field of such a flow, projected on the level sets of
    phi and log p. `flow`: any f and any L_k. `field`: v_k(z) is a network. Where the action has matrices, they are
    searched directly.

    Arguments:
        form: `projected`, `normal`, `flow` or `field`.
        K: number of fields.
        points: samples at which derivatives of phi are taken to find L_k.
        balance: weight of the change of density beside the change of phi in the choice of L_k, for antisymmetric ones.
        softness: of the projection, relative to the mean square of a row of d phi.
        layers: coupling layers of f; 0: f whitens and no more.
        width: units of the hidden layers of fields or coupling networks.
        samples: how many training samples are used.
        epochs: passes over the samples in training.
        batch: samples in a step.
        rate: highest learning rate.
        reach: longest time at which phi is compared in training, in standard deviations of the samples.
        density: weight of the negative log-likelihood of f in the training of `normal`.
    """

    form: Literal["projected", "normal", "flow", "field"] = "projected"
    K: int = 1
    points: int = 2048
    balance: float = 30.0
    softness: float = 0.2
    layers: int = 0
    width: int = 64
    samples: int = 32768
    epochs: int = 50
    batch: int = 512
    rate: float = 2e-3
    reach: float = 1.5
    density: float = 0.3

    actions = ("field", "linear", "image_affine", "four_vector")
    uses = frozenset({"oracle"})
    paper = "https://arxiv.org/abs/2302.00806"

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise BenchError(f"form = {self.form!r}; allowed are {', '.join(FORMS)}", "choose one of them")

    def discover(self, task: Task) -> Symmetry:
        if task.oracle is None:
            raise BenchError("latent_flow needs an oracle and the task has none", "choose an --oracle")
        oracle = task.oracle.requires_grad_(False).eval()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(task.seed)
            if task.action.kind == "field":
                return self._fields(task, oracle)
            return discover_matrices(
                task, oracle, K=self.K, steps=task.steps(8 * self.epochs), rate=self.rate, reach=self.reach
            )

    def _fields(self, task: Task, oracle: Oracle) -> Symmetry:
        train, valid = task.train.x[: self.samples], task.valid.x[:VALID]
        draw = torch.Generator().manual_seed(task.seed)
        phi = Standardised(oracle, train)
        symmetry = self._untrained(task, phi).to(train)
        free = symmetry.free if isinstance(symmetry, ProjectedGenerators) else symmetry
        free.fit_whitening(train)
        law = Law(lambda u: phi(free.unwhiten(u)), draw)
        u, u_valid = free.whiten(train), free.whiten(valid)
        stages = Stages(task.progress, self._shares(), task.steps(self.epochs * max(1, len(train) // self.batch)))

        def schedule() -> Schedule:
            return Schedule(*stages.next(), self.rate, self.batch, draw)

        if isinstance(free, WarpedGenerators):
            if free.rotation and self.layers:
                fit_density(free, u, u_valid, schedule())
            balance = self.balance if free.rotation else 0.0
            starting_generators(free, law, u, points=self.points, balance=balance, draw=draw)
        if isinstance(symmetry, ProjectedGenerators):
            symmetry.calibrate(train[:FEW], phi.spread, self.softness)
        else:
            weight = self.density if self.form == "normal" else 0.0
            known, held_out = Known(u, predict(phi, train)), Known(u_valid, predict(phi, valid))
            keep_law(symmetry, law, known, held_out, schedule(), reach=self.reach, density=weight)
        return finished(symmetry, free, phi, train, valid, draw)

    def _untrained(self, task: Task, phi: Standardised) -> NeuralFields | WarpedGenerators | ProjectedGenerators:
        if self.form == "projected":
            return ProjectedGenerators(task.action, self.K, self.layers, self.width, len(phi.spread), phi.oracle)
        if self.form == "field":
            return NeuralFields(task.action, self.K, 2 * self.width)
        return WarpedGenerators(task.action, self.K, self.layers, self.width, rotation=self.form == "normal")

    def _shares(self) -> list[float]:
        """Lengths of the stages of training: the density's, if f is fitted, then that of the fields, if they are."""
        density = [DENSITY] if self.layers and self.form in ("projected", "normal") else []
        return density + ([] if self.form == "projected" else [1.0])


class Stages:
    """One progress over several stages, each a share of so many steps."""

    def __init__(self, progress: Progress, shares: list[float], steps: int) -> None:
        self.progress, self.steps, self.done = progress, [round(share * steps) for share in shares], 0
        self.total = sum(self.steps)

    def next(self) -> tuple[int, Progress]:
        """Steps and progress of the next stage."""
        steps, before = self.steps.pop(0), self.done
        self.done += steps
        return max(1, steps), lambda step, _, loss: self.progress(before + step, self.total, loss)


def finished(
    symmetry: NeuralFields | WarpedGenerators | ProjectedGenerators,
    free: Whitened,
    phi: Standardised,
    train: Tensor,
    valid: Tensor,
    draw: torch.Generator,
) -> Symmetry:
    """Orthogonal fields at RMS speed 1 over training samples, each scored by its violation on validation.

    The score is E |d phi(v)|^2 / E |d phi(r)|^2 with a random r as long as v in whitened samples.
    """
    with torch.no_grad():
        symmetry.mix(orthonormalise(symmetry.velocity(train[:FEW])))
        x = valid[:FEW]
        law = Law(lambda u: phi(free.unwhiten(u)), draw)
        moves = symmetry.velocity(x).flatten(2) @ free.whitening
        for k in range(symmetry.K):
            symmetry.scores[k] = law.rate(free.whiten(x), moves[k : k + 1])
    return symmetry.requires_grad_(False).eval()
