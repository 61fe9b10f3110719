"""Claims: how fast an oracle changes along a direction, against chance, and how slowly it would without a symmetry."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.contracts import Symmetry
from bench.lie import jacobian, orthonormaliser, softened, upper_limits
from bench.metrics._space import Phi, Space

__all__ = ["Moving", "Rates", "threshold"]

SAMPLES = 512
DRAWS = 16
TASKS = 100
ENOUGH = 40
OUTPUTS = 4
TERMS = 2
SHARE = 0.05
LARGEST = 0.05


@dataclass(frozen=True)
class Rates:
    """What K directions change and how far they move, at n samples: |L_u phi|^2 and |v_u|^2, weighted, (K, n) each."""

    changes: Tensor
    speeds: Tensor

    def ratios(self) -> Tensor:
        """E |L_u phi|^2 / E |v_u|^2, (K,)."""
        return self.changes.mean(1) / self.speeds.mean(1)

    def upper(self) -> Tensor:
        """The upper 95 % limits of the ratios, one-sided."""
        return upper_limits(self.changes, self.speeds)


class Moving:
    """Samples, and how an action moves them; all sums over samples are weighted by 1 / (q + 0.1 median q).

    q = sum_a |v_a|^2 over an orthonormal basis of the action, so that a few fast samples do not decide.

    Arguments:
        z: samples in the view, (n, *shape).
        basis: of the action.
    """

    def __init__(self, space: Space, z: Tensor, basis: Symmetry) -> None:
        self.space = space
        self.z = z
        self.basis = basis
        moves = self._pushed(basis)
        even = orthonormaliser(moves.flatten(1) / math.sqrt(len(z)))
        speed = torch.einsum("ra,and->rnd", even, moves).square().sum((0, 2))
        self.root = softened(speed).rsqrt()
        self.unit = orthonormaliser((moves * self.root[:, None]).flatten(1) / math.sqrt(len(z)))

    def _pushed(self, symmetry: Symmetry) -> Tensor:
        v = symmetry.velocity(self.z)
        return torch.stack([self.space.push(self.z, one) for one in v]).double()

    def moves(self, symmetry: Symmetry) -> Tensor:
        """Weighted velocities in data space, (K, n, d)."""
        return self._pushed(symmetry) * self.root[:, None]

    def changes(self, phi: Phi, symmetry: Symmetry) -> Tensor:
        """Weighted L_k phi, (K, n, m); by the gradients of phi where those are fewer than the fields."""
        if phi.carried or int(phi.kept.sum()) >= symmetry.K:
            rates = phi.rates(symmetry, self.z)
        else:
            rates = torch.einsum("nmd,knd->knm", jacobian(phi.at, self.z), symmetry.velocity(self.z).flatten(2))
        return rates.double() * self.root[:, None]

    def along(self, changes: Tensor, moves: Tensor, c: Tensor) -> Rates:
        """The rates of the directions c (G, K)."""
        both = (torch.einsum("gk,kni->gni", c.to(side), side).square().sum(2) for side in (changes, moves))
        return Rates(*both)

    def chance(self, phi: Phi, seed: int) -> float:
        """E |L_r phi|^2 / E |v_r|^2 over random r: a random orthonormal frame of the action, 16 directions at most."""
        draw = torch.Generator().manual_seed(seed)
        turn = torch.linalg.qr(torch.randn(len(self.unit), len(self.unit), generator=draw, dtype=torch.float64)).Q
        frame = self.basis.combine((turn.to(self.unit) @ self.unit)[:DRAWS].to(self.z))
        return self.changes(phi, frame).square().sum(2).mean().item()


def threshold(fit: Moving, test: Moving, m: int, seed: int) -> float:
    """tau: the 5 % quantile of the least held-out rho in 100 tasks without a symmetry, and 0.05 at most.

    A task is a random law on the same samples and action with m outputs, 4 at most. In each the null-space method is
    fitted anew: the direction of the action with the least E |L_u phi|^2 / E |v_u|^2. 40 tasks if none of these goes
    under 0.05.
    """
    mean, root = _whitening(fit.z.flatten(1).double())
    steps = [(side, side.basis.velocity(side.z).flatten(2).double()) for side in (fit, test)]
    moves = [side.moves(side.basis) for side in (fit, test)]
    draw = torch.Generator().manual_seed(seed)
    least: list[Tensor] = []
    for _ in range(TASKS):
        if len(least) == ENOUGH and min(least) > LARGEST:
            break
        law = _Law(min(m, OUTPUTS), root.shape[1], draw)
        known, held = (
            torch.einsum("nmd,and->anm", law.slope((side.z.flatten(1).double() - mean) @ root) @ root.T, v)
            * side.root[:, None]
            for side, v in steps
        )
        flat = fit.unit @ known.flatten(1)
        c = torch.linalg.eigh(flat @ flat.T).eigenvectors[:, :1].T @ fit.unit
        chance = test.along(held, moves[1], test.unit).changes.mean()
        least.append(test.along(held, moves[1], c).ratios()[0] / chance)
    return min(LARGEST, torch.stack(least).quantile(SHARE).item())


class _Law:
    """A random law on R^D that no matrix keeps: m sums of Hermite polynomials, half of degree 2 and half of degree 3.

    phi = sum_j c_j He_2(a_j . u) + sum_j e_j He_3(b_j . u), 2 D terms each, unit vectors a and b, parts of variance 1.
    The fewer the terms, the nearer some direction is to a symmetry: with 2 D tau is below that of richer laws.
    """

    def __init__(self, m: int, D: int, draw: torch.Generator) -> None:
        self.parts = [self._part(degree, m, D, draw) for degree in (2, 3)]

    def _part(self, degree: int, m: int, D: int, draw: torch.Generator) -> tuple[int, Tensor, Tensor]:
        a = torch.randn(m, TERMS * D, D, generator=draw, dtype=torch.float64)
        c = torch.randn(m, TERMS * D, generator=draw, dtype=torch.float64)
        a = a / a.norm(dim=2, keepdim=True)
        variance = math.factorial(degree) * torch.einsum("mj,mjk,mk->m", c, (a @ a.mT) ** degree, c)
        return degree, a, c / variance.sqrt()[:, None]

    def slope(self, u: Tensor) -> Tensor:
        """d phi / du: (n, D) -> (n, m, D), by He_2' = 2 He_1 and He_3' = 3 He_2."""
        total = torch.zeros(len(u), len(self.parts[0][2]), u.shape[1]).to(u)
        for degree, a, c in self.parts:
            at = torch.einsum("nd,mjd->nmj", u, a.to(u))
            steep = 2 * at if degree == 2 else 3 * (at.square() - 1)
            total += torch.einsum("nmj,mj,mjd->nmd", steep, c.to(u), a.to(u))
        return total


def _whitening(flat: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (D,) and root (D, R) that make samples (n, D) uncorrelated with variance 1; what does not vary is left."""
    values, columns = torch.linalg.eigh(torch.cov(flat.T).reshape(flat.shape[1], flat.shape[1]))
    kept = values > 1e-9 * values.max()
    return flat.mean(0), columns[:, kept] / values[kept].sqrt()
