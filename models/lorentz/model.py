"""The Lorentz network as a downstream model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from bench.contracts import FourVector, Model, Problem, Symmetry, Task, Unsuitable
from bench.contracts.model import Needs
from bench.contracts.problem import Kind
from bench.learning import STEPS
from bench.training import Schedule

from .._jets import check_jets, fit_jets
from .forms import Forms, invariant_forms
from .network import FreeBranch, InvariantBranch, Mixed

__all__ = ["Lorentz"]


@dataclass(frozen=True)
class Lorentz(Model):
    """Message passing on the products <p_i, p_j>_J of a jet's constituents (LorentzNet, arXiv:2201.08187), where the
    metric J is what the generators of the symmetry keep (LieGNN, arXiv:2302.00236).

    Where they keep several forms all are used, and where none, the nearest: it says so. Finite elements are not used.
    Without generators the constituents exchange the same messages, with the components of their momenta in place of
    products.

    Arguments:
        width: scalars of a constituent.
        depth: rounds of messages.
        free: add a branch without symmetry, with a learned weight that starts at 0.
        strict: refuse generators that keep no form, or several.
        steps: at the standard budget.
        batch: jets a step.
        rate: highest learning rate.
        decay: decoupled weight decay.
    """

    width: int = 32
    depth: int = 2
    free: bool = False
    strict: bool = False
    steps: int = STEPS
    batch: int = 64
    rate: float = 3e-3
    decay: float = 0.01

    needs: ClassVar[Needs] = "matrices"
    problems: ClassVar[tuple[Kind, ...]] = ("classification",)
    paper: ClassVar[str] = "https://arxiv.org/abs/2201.08187"

    def build(self, problem: Problem, symmetry: Symmetry | None) -> nn.Module:
        """Unsuitable if samples are no jets of four-vectors, or the symmetry has no matrices on them."""
        check_jets(self, problem)
        forms = self._forms(symmetry)
        sizes = (problem.width, problem.shape[0], self.width, self.depth)
        if forms is None:
            return FreeBranch(problem.action.n, *sizes)
        invariant = InvariantBranch(forms, *sizes)
        return Mixed(invariant, FreeBranch(problem.action.n, *sizes)) if self.free else invariant

    def fit(self, task: Task, symmetry: Symmetry | None) -> nn.Module:
        """The trained predictor x -> logits."""
        return fit_jets(self, task, symmetry, Schedule(self.steps, self.batch, self.rate, self.decay))

    def _forms(self, symmetry: Symmetry | None) -> Forms | None:
        if symmetry is None or symmetry.K == 0:
            return None
        A = symmetry.matrices()
        if A is None or not isinstance(symmetry.action, FourVector):
            raise Unsuitable("lorentz needs a symmetry with matrices on four-vectors", "--action four_vector has them")
        forms = invariant_forms(A)
        if self.strict:
            forms.metric()
        if forms.words:
            warnings.warn(f"lorentz: {forms.words}", stacklevel=2)
        return forms
