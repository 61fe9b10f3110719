"""Structure of a motion that coordinates can show: Hamilton's equations, and modules that move on their own."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bench.contracts import Action, Oracle, Symmetry
from bench.lie import jacobian

from .chart import Chart
from .equations import hamiltonicity, modularity, symplectic_form

__all__ = ["Charted", "EnergyFlow", "Modules", "canonical", "decoupled"]

NULL = 1e-6
DRAWS = 50
SINGULAR = 1e6


class Charted(Symmetry):
    """Fields that a law dx/dt = phi(x) has in coordinates z = f(x), if these show a structure of it.

    Arguments:
        layers, width: of the chart f.
        oracle: phi.
    """

    asks = frozenset({"oracle"})
    fields: ClassVar[int]

    def __init__(self, action: Action, layers: int, width: int, oracle: Oracle) -> None:
        super().__init__(action, self.fields)
        self.layers, self.width = layers, width
        self.chart = Chart(math.prod(action.shape), layers, width)
        self.oracle: Oracle
        self.borrow("oracle", oracle)

    def config(self) -> dict[str, Any]:
        return {"layers": self.layers, "width": self.width}

    @abstractmethod
    def linear(self, J: Tensor, draw: torch.Generator) -> Tensor:
        """The matrix S for which S u show the structure best, given slopes J of the law in u: (B, D, D) -> (D, D)."""

    @abstractmethod
    def against(self, J: Tensor) -> Tensor:
        """The part of the slopes of the law in z that is against the structure, (B, D, D) -> (B, D, D)."""

    @abstractmethod
    def plain(self, z: Tensor) -> Tensor:
        """The fields in z, (B, D) -> (K, B, D)."""

    def begin(self, x: Tensor, few: Tensor, draw: torch.Generator) -> None:
        """Whiten samples x (B, D), and mix the coordinates so that the structure shows best at a few of them."""
        self.chart.fit_whitening(x)
        self.chart.mix(self.linear(self.slopes(few).detach(), draw))

    def coordinates(self, x: Tensor) -> Tensor:
        """z = f(x): (B, *s) -> (B, D)."""
        z: Tensor = self.chart(x.flatten(1))
        return z

    def motion(self, z: Tensor) -> Tensor:
        """The law in coordinates, dz/dt = Df phi(x), x = f^-1(z): (B, D) -> (B, D)."""
        x = self.chart.inverse(z)
        moved: Tensor = torch.func.jvp(self.chart, (x,), (self.oracle(x),))[1]
        return moved

    def slopes(self, x: Tensor) -> Tensor:
        """J_ij = d(dz_i/dt)/dz_j at samples x, (B, D) -> (B, D, D)."""
        return _columns(self.motion, self.chart(x), torch.eye(x.shape[1]).to(x))

    def violation(self, x: Tensor) -> Tensor:
        """E [n / (n + j)], n = |N|^2 of the part N of the slopes that is against the structure, j that of all slopes.

        Both are measured where f begins, in the linear coordinates: a map that stretches z could make any part small.
        """
        frame = _columns(self.chart, x, self.chart.unwhitening)
        N = torch.linalg.solve(frame, self.against(self.slopes(x)) @ frame)
        J = self.chart.whitening.T @ jacobian(self.oracle, x).detach() @ self.chart.unwhitening.T
        n, j = (part.square().sum((1, 2)) for part in (N, J))
        mean: Tensor = (n / (n + j).clamp(min=1e-30)).mean()
        return mean

    def velocity(self, x: Tensor) -> Tensor:
        z = self.coordinates(x)
        moves = [torch.func.jvp(self.chart.inverse, (z,), (move,))[1] for move in self.plain(z)]
        fields: Tensor = torch.stack(moves).reshape(self.K, *x.shape)
        return fields


class EnergyFlow(Charted):
    """The motion as an energy drives it: v(x) = Df^-1 Omega grad H(z), z = f(x) = (q, p), H a network."""

    fields = 1

    def __init__(self, action: Action, layers: int, width: int, oracle: Oracle) -> None:
        super().__init__(action, layers, width, oracle)
        D, wide = math.prod(action.shape), 2 * width
        self.energy = nn.Sequential(nn.Linear(D, wide), nn.Tanh(), nn.Linear(wide, wide), nn.Tanh(), nn.Linear(wide, 1))

    def linear(self, J: Tensor, draw: torch.Generator) -> Tensor:
        return canonical(J, draw)

    def against(self, J: Tensor) -> Tensor:
        return hamiltonicity(J)

    def plain(self, z: Tensor) -> Tensor:
        slope: Tensor = torch.func.vmap(torch.func.grad(lambda one: self.energy(one)[0]))(z)
        return (slope @ symplectic_form(z.shape[1]).to(z).T)[None]

    def mismatch(self, x: Tensor) -> Tensor:
        """E |dz/dt - Omega grad H|^2 / E |dz/dt|^2 at samples x (B, D)."""
        z = self.chart(x)
        moved = self.motion(z)
        ratio: Tensor = (moved - self.plain(z)[0]).square().sum() / moved.square().sum()
        return ratio


class Modules(Charted):
    """The motion of each module alone: v_k(x) = Df^-1 P_k Df phi(x), P_k on the first half of z = f(x) or the other.

    If the modules move on their own, each of these fields keeps the law: [v_k, phi] = 0.
    """

    fields = 2

    def linear(self, J: Tensor, draw: torch.Generator) -> Tensor:
        return decoupled(J, draw)

    def against(self, J: Tensor) -> Tensor:
        return modularity(J)

    def plain(self, z: Tensor) -> Tensor:
        moved = self.motion(z)
        first = torch.arange(z.shape[1]) < z.shape[1] // 2
        return torch.stack([moved * first, moved * ~first])


def _columns(of: Callable[[Tensor], Tensor], x: Tensor, axes: Tensor) -> Tensor:
    """The derivatives of a map along each of N axes (N, D), (B, D) -> (B, D, N), differentiable by its parameters."""

    def along(axis: Tensor) -> Tensor:
        moved: Tensor = torch.func.jvp(of, (x,), (axis.expand_as(x),))[1]
        return moved

    columns: Tensor = torch.func.vmap(along, out_dims=2)(axes)
    return columns


def canonical(J: Tensor, draw: torch.Generator) -> Tensor:
    """S such that in S u the slopes J (B, D, D) of a law are Omega times symmetric, as nearly as a matrix can: (D, D).

    The two-form M = S'Omega S is the antisymmetric matrix with the smallest E |M J - (M J)'|^2, and of several that
    vanish a combination with a large determinant; the rows of S are its eigenvectors.
    """
    D = J.shape[1]
    basis = torch.stack([pair(D, i, j) for i in range(D) for j in range(i)]).to(J)
    MJ = torch.einsum("aij,bjk->abik", basis, J)
    forms = lowest((MJ - MJ.mT).flatten(1), basis, draw)
    M = forms[torch.linalg.det(forms).argmax()]
    values, vectors = torch.linalg.eigh(1j * M)
    values, vectors = values[D // 2 :].clamp(min=1e-3 * values[-1].item()), vectors[:, D // 2 :]
    rows = torch.cat([vectors.imag, vectors.real], 1) * values.repeat(2).sqrt() * 2**0.5
    S: Tensor = rows.T.contiguous()
    return S


def decoupled(J: Tensor, draw: torch.Generator) -> Tensor:
    """S such that in S u the slopes J (B, D, D) of a law are two blocks, as nearly as a matrix can: (D, D).

    A matrix C that commutes with all J has blocks as invariant subspaces: that of the D / 2 eigenvalues with the
    smallest real parts, and that of the others. C has the smallest E |C J - J C|^2, without the trace.
    """
    D = J.shape[1]
    basis = torch.eye(D * D).to(J).reshape(-1, D, D)
    basis = basis[:-1] - torch.eye(D).to(J) * basis[:-1].diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
    apart = torch.einsum("aij,bjk->abik", basis, J) - torch.einsum("bij,ajk->abik", J, basis)
    bases = torch.stack([torch.cat(halves(C), 1) for C in lowest(apart.flatten(1), basis, draw)])
    singular = torch.linalg.cond(bases)
    best = bases[singular.argmin()] if singular.min() < SINGULAR else torch.eye(D).to(J)
    S: Tensor = torch.linalg.inv(best)
    return S


def lowest(rates: Tensor, basis: Tensor, draw: torch.Generator) -> Tensor:
    """The combination of matrices with the smallest rate; of several that vanish, random combinations: (n, D, D).

    Arguments:
        rates: linear in the matrices, (N, R).
        basis: (N, D, D), independent.
    """
    norms, axes = torch.linalg.eigh(basis.flatten(1) @ basis.flatten(1).T)
    unit = axes / norms.sqrt()
    values, vectors = torch.linalg.eigh(unit.T @ (rates @ rates.T) @ unit)
    count = int((values < NULL * values.mean()).sum())
    c = torch.ones(1, 1) if count < 2 else torch.randn(DRAWS, count, generator=draw)
    c = (c / c.norm(dim=1, keepdim=True)).to(basis)
    return torch.einsum("nk,ak,aij->nij", c, (unit @ vectors)[:, : c.shape[1]], basis)


def halves(C: Tensor) -> list[Tensor]:
    """Orthonormal bases of two invariant subspaces of C, (D, D / 2) each: by the real parts of the eigenvalues."""
    D = len(C)
    values, vectors = torch.linalg.eig(C)
    ordered = vectors[:, values.real.argsort()]
    parts = [torch.cat([part.real, part.imag], 1) for part in ordered.split(D // 2, 1)]
    return [torch.linalg.svd(part, full_matrices=False).U[:, : D // 2] for part in parts]


def pair(D: int, i: int, j: int) -> Tensor:
    """E_ij - E_ji."""
    matrix = torch.zeros(D, D)
    matrix[i, j], matrix[j, i] = 1, -1
    return matrix
