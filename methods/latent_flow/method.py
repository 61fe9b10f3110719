"""The method: its parameters, and the order of its stages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from bench.contracts import BenchError, Method, Oracle, Progress, Symmetry, Task

from .algebra import orthonormalise
from .fields import NeuralFields
from .law import Law, Standardised, predict
from .matrices import discover_matrices
from .search import Schedule, distil, fit_density, keep_law, standardised, starting_generators
from .warped import WarpedGenerators

__all__ = ["LatentFlow"]

FORMS = ("field", "flow", "normal")
VALID = 2048
CHANCE = 1024
DISTIL, DENSITY = 1.0, 0.25


@dataclass(frozen=True)
class LatentFlow(Method):
    """Oracle-preserving latent flow: fields v_k with phi(flow of v_k) = phi, in one of three forms.

    `field`: v_k(z) is a network. `flow`: z' = f^-1(exp(t L_k) f(z)) with an invertible map f. `normal`: so too, but f
    is fitted by maximum likelihood to a standard normal and L_k is antisymmetric, so that the flow keeps p(z). Where
    the action has matrices, they are searched directly.

    Arguments:
        form: `field`, `flow` or `normal`.
        K: number of fields.
        epochs: passes over the samples in the main stage.
        samples: how many training samples are used.
        batch: samples in a step.
        rate: highest learning rate.
        width: units of the hidden layers of fields or coupling networks.
        layers: coupling layers of f.
        surrogate: units of the network that stands in for the oracle; 0: the oracle itself.
        reach: longest time at which phi is compared, in standard deviations of the samples.
        density: weight of the negative log-likelihood of f.
    """

    form: Literal["field", "flow", "normal"] = "normal"
    K: int = 1
    epochs: int = 50
    samples: int = 16384
    batch: int = 512
    rate: float = 2e-3
    width: int = 64
    layers: int = 6
    surrogate: int = 256
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
        symmetry = self._untrained(task).to(train)
        symmetry.fit_whitening(train)
        known, held_out = standardised(oracle, symmetry, train, valid)
        steps = task.steps(self.epochs * max(1, len(train) // self.batch))
        stages = Stages(task.progress, [round(steps * share) for share in self._shares()])

        def schedule() -> Schedule:
            return Schedule(*stages.next(), self.rate, self.batch, draw)

        phi: Callable[[Tensor], Tensor]
        if self.surrogate:
            phi = distil(known, held_out, self.surrogate, schedule())
        else:
            standard = Standardised(oracle, train)

            def phi(u: Tensor) -> Tensor:
                out: Tensor = standard(symmetry.unwhiten(u))
                return out

        law = Law(phi, known.u[:CHANCE], draw)
        if isinstance(symmetry, WarpedGenerators):
            if self.form == "normal":
                fit_density(symmetry, known, held_out, schedule())
            starting_generators(symmetry, law, known.u[:CHANCE])
        keep_law(
            symmetry, law, known, held_out, schedule(),
            reach=self.reach, density=self.density if self.form == "normal" else 0.0,
        )  # fmt: skip
        return finished(symmetry, oracle, train, valid)

    def _untrained(self, task: Task) -> NeuralFields | WarpedGenerators:
        if self.form == "field":
            return NeuralFields(task.action, self.K, 2 * self.width)
        return WarpedGenerators(task.action, self.K, self.layers, self.width, rotation=self.form == "normal")

    def _shares(self) -> list[float]:
        """Steps of each stage, in units of the main one."""
        return [DISTIL] * bool(self.surrogate) + [DENSITY] * (self.form == "normal") + [1.0]


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


def finished(symmetry: NeuralFields | WarpedGenerators, oracle: Oracle, train: Tensor, valid: Tensor) -> Symmetry:
    """Orthogonal fields at RMS speed 1 over the training samples, each scored by its violation on validation.

    The score is E |d phi(v)|^2 / E |d phi(r)|^2 with a random r as long as v in whitened samples.
    """
    with torch.no_grad():
        symmetry.mix(orthonormalise(symmetry.velocity(train[:VALID])))
        x = valid[:CHANCE // 2]
        u = symmetry.whiten(x)
        scale = predict(oracle, train[:VALID]).std(0).clamp(min=1e-6)
        for k, v in enumerate(symmetry.velocity(x)):
            length = (v.flatten(1) @ symmetry.whitening).norm(dim=1, keepdim=True)
            random = torch.randn_like(u)
            r = (random / random.norm(dim=1, keepdim=True) * length) @ symmetry.unwhitening
            found, chance = (
                torch.func.jvp(oracle, (x,), (move.reshape(x.shape),))[1].div(scale).square().mean() for move in (v, r)
            )
            symmetry.scores[k] = found / chance.clamp(min=1e-12)
    return symmetry.requires_grad_(False).eval()
