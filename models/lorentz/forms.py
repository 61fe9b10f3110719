"""The symmetric forms x'J y that generators keep: one of them is the metric of an orthogonal group."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.linalg import qr
from torch import Tensor

from bench.contracts import BenchError
from bench.lie import orthonormaliser

__all__ = ["Forms", "invariant_forms"]

NULL = 0.15
DILATION = 0.5**0.5


@dataclass(frozen=True)
class Forms:
    """Symmetric forms J with A'J + J A = c_A J for the generators A.

    Arguments:
        J: (m, n, n), float64, of spectral norm 1 each.
        residual: how far they are from that, 0 exact, 1 as far as any form; above 0.15 they count as not kept.
        dilated: whether a scaling x -> c x, which keeps forms up to a factor, is nearer to the generators' span than
            45 degrees.
    """

    J: Tensor
    residual: float
    dilated: bool

    @property
    def words(self) -> str:
        """What is unusual about them; empty for a single form that is kept."""
        if self.residual > NULL:
            return f"no symmetric form is kept; the nearest is off by {self.residual:.2f}, where 1 is any"
        return f"{len(self.J)} symmetric forms are kept, all are used" if len(self.J) > 1 else ""

    def metric(self) -> Tensor:
        """The only form that is kept, (n, n). BenchError if there is none, or more than one."""
        if self.words:
            raise BenchError(f"the generators tell no metric: {self.words}", "strict=false takes what there is")
        return self.J[0]


def invariant_forms(generators: Tensor) -> Forms:
    """The symmetric forms that generators (K, n, n) keep up to a factor.

    For a J that has an inverse the trace gives the factor, c_A = 2 tr A / n: the traceless part of A keeps J itself,
    so J spans a null space in n (n + 1) / 2 unknowns, of a map with singular values s. Over generators that are
    orthonormal these do not depend on the basis. Forms with s < 0.15 max s are kept; where there is none, the nearest
    is taken. Their basis has each form alone on one of its m entries, and the first entry of a form, row by row, of at
    least half the size of its largest is positive: neither basis nor sign knows of a truth. From LieGNN
    (arXiv:2302.00236), where J is learned.

    Raises:
        BenchError: there is no generator, or one that is not finite.
    """
    if not len(generators) or not generators.isfinite().all():
        raise BenchError("a metric needs generators and all of them finite", "leave out what is not")
    span, dilated = _span(generators.detach().cpu().double())
    S = _symmetric(span.shape[-1])
    change = span.mT[:, None] @ S + S @ span[:, None]
    _, s, basis = torch.linalg.svd(change.transpose(0, 1).flatten(1).T, full_matrices=False)
    s = s / s[0] if s[0] > 1e-9 else torch.zeros_like(s)
    kept = max(1, int((s <= NULL).sum()))
    J = torch.einsum("ma,aij->mij", _reduced(basis[-kept:]), S)
    return Forms(_normalised(J), s[-kept].item(), dilated)


def _span(generators: Tensor) -> tuple[Tensor, bool]:
    """The traceless parts of an orthonormal basis of the generators' span, and whether a scaling is in it."""
    n = generators.shape[-1]
    flat = generators.flatten(1)
    basis: Tensor = (orthonormaliser(flat) @ flat).reshape(-1, n, n)
    trace = basis.diagonal(dim1=1, dim2=2).sum(1)
    dilated = bool(trace.norm() > DILATION * n**0.5)
    return basis - trace[:, None, None] / n * torch.eye(n).double(), dilated


def _symmetric(n: int) -> Tensor:
    """A Frobenius-orthonormal basis of the symmetric matrices, (n (n + 1) / 2, n, n), in the order of their entries."""
    rows, columns = torch.triu_indices(n, n)
    S = torch.zeros(len(rows), n, n, dtype=torch.float64)
    number = torch.arange(len(rows))
    S[number, rows, columns] = 1
    S[number, columns, rows] = 1
    scaled: Tensor = S / S.flatten(1).norm(dim=1)[:, None, None]
    return scaled


def _reduced(basis: Tensor) -> Tensor:
    """The basis of the span of orthonormal rows (m, d) that is the unit matrix on m columns, those of a pivoted QR."""
    _, order = qr(basis.numpy(), mode="r", pivoting=True)
    columns = torch.from_numpy(order[: len(basis)].copy()).sort().values
    reduced: Tensor = torch.linalg.solve(basis[:, columns], basis)
    return reduced


def _normalised(J: Tensor) -> Tensor:
    """Each form with spectral norm 1 and its sign."""
    flat = J.flatten(1)
    first = (flat.abs() >= 0.5 * flat.abs().amax(1, keepdim=True)).int().argmax(1)
    sign = flat.gather(1, first[:, None]).sign()
    scaled: Tensor = J * (sign / torch.linalg.matrix_norm(J, 2)[:, None])[..., None]
    return scaled
