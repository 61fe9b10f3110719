"""The method: its parameters, and the order of its stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from bench.contracts import BenchError, Method, Oracle, Progress, Symmetry, Task

from .algebra import orthonormalise
from .continuity import fit_tangent
from .fields import NeuralFields
from .law import Law, Standardised, predict
from .matrices import discover_matrices
from .search import Known, Schedule, fit_density, keep_law, starting_generators
from .tangent import TangentFields
from .warped import WarpedGenerators

__all__ = ["LatentFlow"]

FORMS = ("tangent", "normal", "flow", "field")
VALID = 2048
START = 1024
SCORED = 512
DENSITY = 0.25


@dataclass(frozen=True)
class LatentFlow(Method):
    """Oracle-preserving latent flow: fields v_k with phi(flow of v_k) = phi, in one of four forms.

    `tangent`: smooth fields on the level sets of phi and log p, the ones that change p(z) least. `field`: v_k(z) is a
    network. `flow`: z' = f^-1(exp(t L_k) f(z)) with an invertible map f. `normal`: so too, but f is fitted by maximum
    likelihood to a standard normal and L_k is antisymmetric, so that the flow keeps p(z). Where the action has
    matrices, they are searched directly.

    Arguments:
        form: `tangent`, `normal`, `flow` or `field`.
        K: number of fields.
        epochs: passes over the samples in the main stage.
        samples: how many training samples are used.
        batch: samples in a step.
        rate: highest learning rate.
        width: units of the hidden layers of fields or coupling networks.
        layers: coupling layers of f.
        reach: longest time at which phi is compared, in standard deviations of the samples.
        density: weight of the negative log-likelihood of f in `normal`.
        points: samples at which `tangent` takes derivatives of phi.
        waves: frequencies of the smooth fields of `tangent`.
        length: length scale of these fields, in units of the root of the number of components.
        moments: random waves whose means a field of `tangent` is to keep.
        softness: of the projection of `tangent`, relative to the mean square of a row of d phi.
        stiffness: weight of the violation in `tangent`.
    """

    form: Literal["tangent", "normal", "flow", "field"] = "tangent"
    K: int = 1
    epochs: int = 50
    samples: int = 16384
    batch: int = 512
    rate: float = 2e-3
    width: int = 64
    layers: int = 6
    reach: float = 1.5
    density: float = 0.3
    points: int = 8192
    waves: int = 32
    length: float = 3.0
    moments: int = 1024
    softness: float = 0.01
    stiffness: float = 10.0

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
        steps = task.steps(self.epochs * max(1, len(train) // self.batch))
        shares = {"field": (1.0,), "flow": (1.0,), "normal": (DENSITY, 1.0), "tangent": (DENSITY,)}[self.form]
        stages = Stages(task.progress, [round(steps * share) for share in shares])

        def schedule() -> Schedule:
            return Schedule(*stages.next(), self.rate, self.batch, draw)

        standard = Standardised(oracle, train)
        symmetry = self._untrained(task, standard).to(train)
        symmetry.fit_whitening(train)
        if isinstance(symmetry, TangentFields):
            fit_density(symmetry.density, symmetry.whiten(train), symmetry.whiten(valid), schedule())
            symmetry.spread.copy_(standard.spread)
            with torch.no_grad():
                symmetry.frequencies.div_(self.length)
                fit_tangent(
                    symmetry, train[: self.points], softness=self.softness, moments=self.moments,
                    stiffness=self.stiffness, draw=draw,
                )  # fmt: skip
        else:
            law = Law(lambda u: standard(symmetry.unwhiten(u)), draw)
            known = Known(symmetry.whiten(train), predict(standard, train))
            held_out = Known(symmetry.whiten(valid), predict(standard, valid))
            if isinstance(symmetry, WarpedGenerators):
                if self.form == "normal":
                    fit_density(symmetry, known.u, held_out.u, schedule())
                starting_generators(symmetry, law, known.u[:START])
            weight = self.density if self.form == "normal" else 0.0
            keep_law(symmetry, law, known, held_out, schedule(), reach=self.reach, density=weight)
        return finished(symmetry, standard, train, valid, draw)

    def _untrained(self, task: Task, phi: Standardised) -> NeuralFields | WarpedGenerators | TangentFields:
        if self.form == "tangent":
            return TangentFields(
                task.action, self.K, self.waves, self.layers, self.width, len(phi.spread), phi.oracle
            )  # fmt: skip
        if self.form == "field":
            return NeuralFields(task.action, self.K, 2 * self.width)
        return WarpedGenerators(task.action, self.K, self.layers, self.width, rotation=self.form == "normal")


class Stages:
    """One progress over several stages, of so many steps each."""

    def __init__(self, progress: Progress, steps: list[int]) -> None:
        self.progress, self.steps, self.done = progress, steps, 0
        self.total = sum(steps)

    def next(self) -> tuple[int, Progress]:
        """Steps and progress of the next stage."""
        steps, before = self.steps.pop(0), self.done
        self.done += steps
        return max(1, steps), lambda step, _, loss: self.progress(before + step, self.total, loss)


def finished(
    symmetry: NeuralFields | WarpedGenerators | TangentFields,
    phi: Standardised,
    train: Tensor,
    valid: Tensor,
    draw: torch.Generator,
) -> Symmetry:
    """Orthogonal fields at RMS speed 1 over training samples, each scored by its violation on validation.

    The score is E |d phi(v)|^2 / E |d phi(r)|^2 with a random r as long as v in whitened samples.
    """
    with torch.no_grad():
        symmetry.mix(orthonormalise(symmetry.velocity(train[:VALID])))
        x = valid[:SCORED]
        law = Law(lambda u: phi(symmetry.unwhiten(u)), draw)
        moves = symmetry.velocity(x).flatten(2) @ symmetry.whitening
        for k in range(symmetry.K):
            symmetry.scores[k] = law.rate(symmetry.whiten(x), moves[k : k + 1])
    return symmetry.requires_grad_(False).eval()
