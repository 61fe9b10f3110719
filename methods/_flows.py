"""How an oracle changes over the flow of a field of images: its derivatives drown in what a network adds of its own."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.contracts import ImageAffine, MatrixSymmetry, Symmetry

from ._rates import CHUNK, Law, Rates, along, velocity, whitening

__all__ = ["measured"]

TURNS = 7
NEAR = 2.0
FAR = 4.0
STEPS = 2
QUARTER = 4
COARSE = 7
LENGTH = 0.5
WHITE = 0.1


def measured(law: Law, fields: Symmetry) -> tuple[Tensor, Tensor, Rates]:
    """E (L_a phi)'(L_b phi) and E v_a'v_b over training samples, (N, N) each, and the rates over validation samples.

    Of images, rates are means over the flow of the field that phi keeps best: half of chance is left of a rotation of
    digits at once, a thirtieth in the mean over 70 degrees. Which field that is, moves twice as far tell; so the first
    form has no terms between it and what is orthogonal to it, which would be noise.
    """
    form, norm = Rates.of(law, fields, law.train).forms()
    if not isinstance(fields.action, ImageAffine):
        return form, norm, Rates.of(law, fields, law.valid)
    kept = _lowest(form, norm)
    train, valid = (x[: max(1, len(x) // QUARTER)] for x in (law.train, law.valid))
    for _ in range(STEPS):
        kept = _Flow(law, fields, kept, train, FAR).kept()
    form, norm = _Flow(law, fields, kept, train, NEAR).rates().forms()
    return _apart(form, norm, kept), norm, _Flow(law, fields, kept, valid, NEAR).rates()


def _lowest(form: Tensor, norm: Tensor) -> Tensor:
    """The c of least c' form c / c' norm c, (N,)."""
    T, relative = whitening(form, norm)
    lowest: Tensor = torch.linalg.eigh(relative).eigenvectors[:, 0] @ T
    return lowest


def _apart(form: Tensor, norm: Tensor, c: Tensor) -> Tensor:
    """The form without its terms between c and the fields orthogonal to it."""
    along_c = norm @ c / (c @ norm @ c)
    rest = torch.eye(len(c)).to(c) - c.outer(along_c)
    return rest.T @ form @ rest + (c @ form @ c) * along_c.outer(along_c)


class _Flow:
    """phi on images g x of samples x (B, *s), g = exp(t A) at 7 times t, A = sum_a c_a E_a.

    Arguments:
        reach: how far the speed at x leads both ways, in deviations of x.
    """

    def __init__(self, law: Law, fields: Symmetry, c: Tensor, x: Tensor, reach: float) -> None:
        E = fields.matrices()
        assert E is not None
        self.fields, self.c, self.x = fields, c, x
        self.E = E.double()
        self.A = torch.einsum("a,aij->ij", c, self.E)
        self.times = torch.linspace(-1, 1, TURNS).to(c) * reach / self._speed()
        values: list[Tensor] = []
        rates: list[Tensor] = []
        coarse: list[Tensor] = []
        for g in torch.linalg.matrix_exp(self.times[:, None, None] * self.A):
            carried = MatrixSymmetry.of(fields.action, (g @ self.E @ torch.linalg.inv(g)).to(x))
            images = fields.action.act(g.to(x).expand(len(x), -1, -1), x)
            parts = torch.split(images, CHUNK)
            rates.append(torch.cat([along(law, velocity(carried, part), part) for part in parts], 1))
            values.append(torch.cat([law.oracle(part) @ law.axes for part in parts]))
            coarse.append(F.adaptive_avg_pool2d(images, COARSE).flatten(1))
        self.values, self.coarse = torch.stack(values).double(), torch.cat(coarse).double()
        self.mean_rates = torch.stack(rates).double().mean(0)

    def _speed(self) -> Tensor:
        """The root mean square of the speed along A, in deviations of x."""
        moves = self.fields.combine(self.c[None].to(self.x)).velocity(self.x)
        return (moves.square().sum() / (self.x - self.x.mean(0)).square().sum()).sqrt()

    def rates(self) -> Rates:
        """The mean over g of the rates of Ad_g E_a at g x: those of phi smoothed over the g.

        It is the derivative of mean_g phi(g exp(tE_a) x): what a trained phi adds of its own to the law differs from
        one g x to the next and averages out.
        """
        return Rates.weighted(self.mean_rates, self.fields, self.x)

    def kept(self) -> Tensor:
        """The field, near A, along which phi changes least over the whole flow, (N,).

        With r_t = phi(g_t x) less its mean over t, and its derivatives in A,

            d r_t / dc_a = L_b phi, b = int_0^t Ad_exp(-sA) E_a ds, of phi smoothed over the flow,

        that is a step of Gauss and Newton for r' S^-1 r. S is the covariance of what a network adds of its own, which
        is alike on images that are alike: a one that stands is preferred to one that lies, which a narrower ellipse
        for an orbit explains, and all ones say the same.
        """
        drift = self.values - self.values.mean(0)
        paths = self._paths()
        bends = torch.einsum("tba,bnm->atnm", paths - paths.mean(0), self.mean_rates)
        _, norm = self.rates().forms()
        share = norm @ self.c / (self.c @ norm @ self.c)
        beside = drift - torch.einsum("a,atnm->tnm", self.c, bends)
        changes = (bends + share[:, None, None, None] * beside).flatten(1, 2)
        white = torch.linalg.solve_triangular(self._noise(), changes.transpose(0, 1).flatten(1), upper=False)
        flat = white.reshape(len(white), len(changes), -1).transpose(0, 1).flatten(1)
        return _lowest(flat @ flat.T, norm)

    def _paths(self) -> Tensor:
        """int_0^t Ad_exp(-sA) ds in the basis E, (T, N, N), as the corner of one exponential (Van Loan 1978)."""
        N = len(self.E)
        brackets = (self.A @ self.E - self.E @ self.A).flatten(1)
        block = self.c.new_zeros(2 * N, 2 * N)
        block[:N, :N] = -(brackets @ torch.linalg.pinv(self.E.flatten(1))).T
        block[:N, N:] = torch.eye(N)
        corner: Tensor = torch.linalg.matrix_exp(self.times[:, None, None] * block)[:, :N, N:]
        return corner

    def _noise(self) -> Tensor:
        """The Cholesky factor of exp(-d^2 / 2 l^2) + 0.1, d between images at 7 x 7, l half the median of d."""
        apart = torch.cdist(self.coarse, self.coarse)
        alike = (-0.5 * (apart / (LENGTH * apart.median())).square()).exp()
        factor: Tensor = torch.linalg.cholesky(alike + WHITE * torch.eye(len(alike)).to(alike))
        return factor
