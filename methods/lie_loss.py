"""Lie loss: generators by direct minimisation of what a Lie algebra of symmetries must fulfil."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from bench.contracts import Action, BenchError, MatrixSymmetry, Method, NoSymmetry, Symmetry, Task
from bench.lie.identify import name

from ._flows import measured
from ._minimise import minimise
from ._rates import law_of, whitening

__all__ = ["Algebra", "LieLoss", "Search", "subalgebras"]

STEPS = 1000
EXACT = 1e-18
CLOSED = 1e-14


@dataclass(frozen=True)
class LieLoss(Method):
    """K generators J_k that minimise, as arXiv:2301.05638 does, the sum of

        invariance      sum_k E |L_k phi|^2, in units of chance, by exact derivatives
        normalisation   sum_k (<J_k, J_k> - 1)^2
        orthogonality   sum_{j<k} <J_j, J_k>^2
        closure         sum_{j<k} |[J_j, J_k] - sum_l a_jkl J_l|^2, in units of chance, a the best structure constants

    with <J_j, J_k> = E v_j'v_k, from random starts. The loss needs of oracle and samples only the quadratic forms
    E (L_a phi)'(L_b phi) and E v_a'v_b, which are computed once.

    Arguments:
        K: number of generators, an algebra of that dimension or none; None: the largest algebra that there is.
        restarts: how many random starts are minimised side by side.
        samples: how many training samples are used, and as many for validation.
        closure: weight of the closure.
    """

    K: int | None = None
    restarts: int = 4
    samples: int = 1000
    closure: float = 1.0

    actions = ("linear", "four_vector", "image_affine")
    uses = frozenset({"oracle"})
    paper = "https://arxiv.org/abs/2301.05638"

    def __post_init__(self) -> None:
        for field, least in (("K", 1), ("restarts", 1), ("samples", 4)):
            value = getattr(self, field)
            if value is not None and value < least:
                raise BenchError(
                    f"{field} = {value}; allowed are whole numbers from {least}", f"choose a larger {field}"
                )
        if not self.closure >= 0:
            raise BenchError(f"closure = {self.closure}; allowed are numbers from 0", "choose a larger closure")

    def discover(self, task: Task) -> Symmetry:
        search = Search.of(task, self)
        found = search.algebra(self.K) if self.K else search.largest()
        if found is None or not search.holds(found):
            return NoSymmetry(task.action)
        return search.symmetry(found).to(task.train.x)


@dataclass(frozen=True)
class Algebra:
    """The best K generators: their loss, and coordinates (K, R), orthonormal, in ascending order of invariance."""

    loss: float
    coordinates: Tensor


@dataclass(frozen=True)
class Search:
    """The loss, over coordinates in a basis of R generators that are orthonormal in E v_a'v_b.

    Arguments:
        action: of the task.
        tolerance: the loss of a generator under which it counts as a symmetry.
        basis: the generators, (R, n, n).
        projection: from a matrix to its coordinates, (n n, R).
        form: E (L_a phi)'(L_b phi) in units of chance, (R, R).
        limits: maps coordinates (K, R) to upper 95 % limits of their rates of change on validation samples, (K,).
    """

    action: Action
    tolerance: float
    basis: Tensor
    projection: Tensor
    form: Tensor
    limits: Callable[[Tensor], Tensor]
    method: LieLoss
    task: Task

    @classmethod
    def of(cls, task: Task, method: LieLoss) -> Search:
        """Of a task; BenchError without an oracle."""
        law = law_of(task, method.samples)
        fields = task.action.candidates(law.train)
        E = fields.matrices()
        assert E is not None
        E = E.double()
        form, norm, valid = measured(law, fields)
        T, relative = whitening(form, norm)
        chance = (T @ form @ T.T).diagonal().mean().clamp(min=1e-300)
        return cls(
            action=task.action,
            tolerance=law.tolerance,
            basis=torch.einsum("ra,aij->rij", T, E),
            projection=torch.linalg.pinv(E.flatten(1)) @ norm @ T.T,
            form=relative,
            limits=lambda c: valid.upper_limits(c @ T) / chance,
            method=method,
            task=task,
        )  # fmt: skip

    def algebra(self, K: int, *, closed: bool = True) -> Algebra | None:
        """The best K generators that are found from random starts; None if the action has fewer.

        With closure, one of the starts is what is best without.
        """
        R = len(self.basis)
        if K > R:
            return None
        draw = torch.Generator().manual_seed(self.task.seed)
        start = torch.randn(self.method.restarts, K * R, generator=draw, dtype=torch.float64).to(self.form) / R**0.5
        weight = self.method.closure if closed and K > 1 else 0.0
        unclosed = self.algebra(K, closed=False) if weight else None
        if unclosed is not None:
            start[0] = unclosed.coordinates.flatten()
        unknowns, losses = minimise(
            lambda c: self.loss(c.reshape(len(c), K, R), weight),
            start,
            steps=self.task.steps(STEPS),
            small=CLOSED if weight else EXACT,
        )
        best = losses.argmin()
        rows = torch.linalg.qr(unknowns[best].reshape(K, R).T).Q.T
        _, mix = torch.linalg.eigh(rows @ self.form @ rows.T)
        return Algebra(losses[best].item(), mix.T @ rows)

    def loss(self, c: Tensor, closure: float) -> Tensor:
        """The sum of the four terms, for S problems at once: coordinates (S, K, R) -> (S,)."""
        gram = c @ c.mT
        wrong = gram - torch.eye(c.shape[1]).to(c)
        lengths = wrong.diagonal(dim1=1, dim2=2).square().sum(1)
        angles = wrong.square().sum((1, 2)) - lengths
        total: Tensor = ((c @ self.form) * c).sum((1, 2)) + lengths + angles / 2
        return total + closure * self._open(c, gram) if closure else total

    def _open(self, c: Tensor, gram: Tensor) -> Tensor:
        """sum_{j<k} |[J_j, J_k] - sum_l a_jkl J_l|^2 in units of chance, (S,).

        The structure constants a are the best ones for given J, so that the loss has no slope along them.
        """
        J = torch.einsum("skr,rab->skab", c, self.basis)
        products = torch.einsum("sjab,skbc->sjkac", J, J)
        first, second = torch.triu_indices(c.shape[1], c.shape[1], 1)
        brackets = (products[:, first, second] - products[:, second, first]).flatten(2) @ self.projection
        with torch.no_grad():
            a = torch.linalg.solve(gram + 1e-9 * torch.eye(c.shape[1]).to(c), c @ brackets.mT).mT
        left: Tensor = brackets - a @ c
        return left.square().sum((1, 2)) / self.chance

    @cached_property
    def chance(self) -> Tensor:
        """E |[J, J']|^2 of random J and J' of length 1."""
        products = torch.einsum("jab,kbc->jkac", self.basis, self.basis)
        brackets = (products - products.transpose(0, 1)).flatten(2) @ self.projection
        return brackets.square().sum(2).mean().clamp(min=1e-300)

    def holds(self, found: Algebra) -> bool:
        """Whether its loss, a generator, is under the tolerance."""
        return found.loss < self.tolerance * len(found.coordinates)

    def invariant(self, K: int) -> bool:
        """Whether there are K generators, closed or not, that all keep phi."""
        found = self.algebra(K, closed=False)
        return found is not None and self._worst(found) < self.tolerance

    def _worst(self, found: Algebra) -> float:
        c = found.coordinates
        return float(torch.linalg.eigvalsh(c @ self.form @ c.T)[-1])

    def largest(self) -> Algebra | None:
        """The largest algebra that keeps phi: the loss without closure jumps one above the dimension of all that does,
        which bisection finds; from there, the first number of generators that closes."""
        low, high = 0, 1
        while high <= len(self.basis) and self.invariant(high):
            low, high = high, 2 * high
        high = min(high, len(self.basis) + 1)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.invariant(middle) else (low, middle)
        for K in range(low, 0, -1):
            found = self.algebra(K)
            if found is not None and self.holds(found):
                return found
        return None

    def symmetry(self, found: Algebra) -> MatrixSymmetry:
        """The generators, each scored by the upper 95 % limit of its rate of change on validation samples."""
        A = torch.einsum("kr,rij->kij", found.coordinates, self.basis)
        return MatrixSymmetry.of(self.action, A, scores=self.limits(found.coordinates))


def subalgebras(task: Task, method: LieLoss, dimensions: Sequence[int]) -> list[tuple[int, float, str]]:
    """For each number of generators: (K, loss a generator, name of the algebra, or "none" where no such one is)."""
    search = Search.of(task, method)
    rows = []
    for K in dimensions:
        found = search.algebra(K)
        if found is not None:
            matrices = search.symmetry(found).matrices()
            rows.append((K, found.loss / K, name(matrices) if search.holds(found) else "none"))
    return rows
