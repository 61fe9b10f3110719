"""The method: its parameters, and the order of its stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from bench.contracts import BenchError, Method, Oracle, Symmetry, Tangent, Task
from bench.training import Schedule

from .fields import HiddenGenerators
from .minimiser import Minimiser
from .search import Sought
from .structure import Charted, EnergyFlow, Modules

__all__ = ["HiddenSymmetry"]

SAMPLES = 2000
FEW = 300
SOLVED = 1e-9
REACH = 0.5
SHORT = 0.1
STRUCTURES = {"hamiltonian": EnergyFlow, "modular": Modules}


@dataclass(frozen=True)
class HiddenSymmetry(Method):
    """Coordinates z = f(x) in which a law has a plain symmetry, by minimising the violation of its equations.

    f is an invertible network, near the identity at first. Its linear part and the fields are found in closed form, as
    the smallest eigenvectors of the equations; then f by gradient descent and L-BFGS.

    Fields v_k(x) = Df^-1 (L_k z + b_k) that keep the law: E [f / (f + c)] is minimised, f = |phi(s x) - s phi(x)|^2
    along v and c that of a random move as long. What was plain in x stays plain in z.

    Structure of a motion dx/dt = phi(x): Hamilton's equations, which give the field Df^-1 Omega grad H(z) of an energy
    H; or two modules, which give a field each.

    Arguments:
        form: `rotation`: L_k antisymmetric, b_k = 0; `translation`: L_k = 0, so that z are coordinates along the
            fields; `affine`: any, and trained with f; `hamiltonian`: z = (q, p) in which an energy drives the motion;
            `modular`: two halves of z that move on their own.
        K: number of fields; of `hamiltonian` it is 1, of `modular` 2.
        hidden_only: leave out what is a symmetry before f is trained.
        layers: couplings of f; 0: f is linear.
        width: units of their hidden layers.
        steps: of the training of f.
        polish: steps of L-BFGS after it.
        batch: samples in a step.
        rate: highest learning rate.
    """

    form: Literal["rotation", "translation", "affine", "hamiltonian", "modular"] = "rotation"
    K: int = 1
    hidden_only: bool = False
    layers: int = 4
    width: int = 32
    steps: int = 300
    polish: int = 100
    batch: int = 128
    rate: float = 1e-2

    actions = ("field",)
    uses = frozenset({"oracle"})
    paper = "https://arxiv.org/abs/2109.09721"

    def discover(self, task: Task) -> Symmetry:
        if task.oracle is None:
            raise BenchError("hidden_symmetry needs an oracle and the task has none", "choose an --oracle")
        oracle = task.oracle.requires_grad_(False)
        found = self._structure(task, oracle) if self.form in STRUCTURES else self._fields(task, oracle)
        return found.requires_grad_(False).eval()

    def _fields(self, task: Task, oracle: Oracle) -> HiddenGenerators:
        D = task.train.x[0].numel()
        if self.form == "rotation" and D // 2 < self.K:
            what = f"K = {self.K} rotations that commute; {D} coordinates have at most {D // 2}"
            raise BenchError(what, "choose a smaller K or form=affine")
        whitened = HiddenGenerators.whitened(task.action, task.train.x)
        sought = Sought(oracle, whitened, task.train.x[:SAMPLES], task.valid.x[:FEW])
        fields = sought.start(self.form, self.K, self.hidden_only)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(task.seed)
            symmetry = whitened.with_fields(fields, self.layers, self.width)
        symmetry.affine.requires_grad_(self.form == "affine")
        times = torch.Generator().manual_seed(task.seed)

        def batch(index: Tensor) -> Tensor:
            time = SHORT + (REACH - SHORT) * torch.rand((), generator=times).item()
            return sought.loss(symmetry, sought.train.at(index), time)

        train, valid = sought.train.at(torch.arange(len(sought.train.x))[: 2 * FEW]), sought.valid
        if self.layers and symmetry.K and sought.loss(symmetry, valid, SHORT) > SOLVED:
            self._minimiser(task).lower(
                symmetry, len(sought.train.x), batch,
                lambda: sought.loss(symmetry, train, SHORT), lambda: sought.loss(symmetry, valid, SHORT),
            )  # fmt: skip
        with torch.no_grad():
            symmetry.scores = sought.equations.violations(symmetry, sought.valid.x, sought.valid.units, SHORT)
            symmetry.affine.data = symmetry.orthonormal(sought.train.x)
        return symmetry

    def _structure(self, task: Task, law: Oracle) -> Charted:
        x, valid = task.train.x[:SAMPLES].flatten(1), task.valid.x[:FEW].flatten(1)
        if not isinstance(law, Tangent) or x.shape[1] % 2:
            what = f"form={self.form} is about the motion of an even number of coordinates"
            raise BenchError(what, "choose a vector field as --oracle, such as dynamics, or another form")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(task.seed)
            found = STRUCTURES[self.form](task.action, self.layers, self.width, law).to(x)
        found.begin(task.train.x.flatten(1), x[:FEW], torch.Generator().manual_seed(task.seed))
        if self.layers and found.violation(valid) > SOLVED:
            self._minimiser(task).lower(
                found.chart, len(x), lambda index: found.violation(x[index]),
                lambda: found.violation(x[: 2 * FEW]), lambda: found.violation(valid),
            )  # fmt: skip
        if isinstance(found, EnergyFlow):
            self._minimiser(task).lower(
                found.energy, len(x), lambda index: found.mismatch(x[index]),
                lambda: found.mismatch(x), lambda: found.mismatch(valid),
            )  # fmt: skip
        found.scores = found.violation(valid).detach().expand(found.K).clone()
        return found

    def _minimiser(self, task: Task) -> Minimiser:
        schedule = Schedule(task.steps(self.steps), self.batch, self.rate, patience=20)
        return Minimiser(schedule, task.steps(self.polish), task.seed, task.progress)
