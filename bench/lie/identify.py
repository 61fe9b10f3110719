"""Naming a Lie algebra of matrices by its Killing form and its derived series."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import torch
from torch import Tensor

from bench.lie.algebra import structure_constants

__all__ = ["derived_series", "killing_form", "name", "simple_ideals"]

OPEN = 0.05
RANK = 0.03
COMMUTING = 0.02
LARGEST = 10


def name(generators: Tensor) -> str:
    """The real Lie algebra that matrices (K, n, n) span, up to isomorphism.

    "trivial"; "so(2)", "so(1,1)" for one generator of rotations, or of boosts; "abelian R^k"; "nilpotent dim d" and
    "solvable dim d"; classical simple algebras, "so(1,3)", and sums, "so(3) + R", "gl(3)"; with a radical that is no
    centre, "so(3) with radical dim 3"; "not closed" if over 5 % of the brackets leave the span.
    """
    generators = generators.cpu()
    c, outside = structure_constants(generators)
    dimension = len(c)
    if dimension == 0:
        return "trivial"
    if dimension == 1:
        return _one(generators[generators.flatten(1).norm(dim=1).argmax()])
    size = (c.square().sum() + outside.square().sum()).sqrt().item()
    if size < COMMUTING * dimension:
        return f"abelian R^{dimension}"
    if outside.norm() > OPEN * size:
        return "not closed"
    quotient, radical = _levi(c)
    if not len(quotient):
        return f"{'nilpotent' if _nilpotent(c) else 'solvable'} dim {dimension}"
    parts = Counter(_simple(ideal) for ideal in simple_ideals(quotient))
    return _sum(parts, len(radical), central=_central(c, radical), n=generators.shape[1])


def killing_form(c: Tensor) -> Tensor:
    """B_ij = tr(ad_i ad_j) of structure constants c_ijk with [e_i, e_j] = sum_k c_ijk e_k: (R, R, R) -> (R, R)."""
    return torch.einsum("ikl,jlk->ij", c, c)


def derived_series(generators: Tensor) -> list[int]:
    """Dimensions of g, [g, g], [[g, g], [g, g]], ... until they stay the same."""
    c, _ = structure_constants(generators)
    basis, scale = torch.eye(len(c)).to(c), _scale(c)
    dimensions = [len(basis)]
    while len(basis):
        basis = _rows(_brackets(c, basis).flatten(0, 1), scale)
        if len(basis) == dimensions[-1]:
            break
        dimensions.append(len(basis))
    return dimensions


def simple_ideals(c: Tensor) -> list[Tensor]:
    """Structure constants of the simple ideals of a semisimple algebra, each in an orthonormal basis of its own.

    A root vector, an eigenvector of ad of a random element, lies in one ideal and generates it.
    """
    element = torch.randn(len(c), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values, vectors = torch.linalg.eig(torch.einsum("i,ijk->kj", element, c))
    roots = vectors[:, values.abs() > 1e-3 * values.abs().max()]
    found, ideals = torch.zeros(0, len(c)).to(c), []
    while len(found) < len(c):
        outside = roots - found.T.to(roots) @ (found.to(roots) @ roots)
        root = roots[:, outside.norm(dim=0).argmax()]
        basis = _generated(torch.stack([root.real, root.imag]), c)
        ideals.append(_restricted(c, basis))
        found = torch.linalg.qr(torch.cat([found, basis]).T).Q.T
    return ideals


def _generated(vectors: Tensor, c: Tensor) -> Tensor:
    """An orthonormal basis of the ideal that vectors (V, R) generate."""
    basis, scale = _rows(vectors, 1.0), _scale(c)
    while True:
        brackets = torch.einsum("ia,abk->ibk", basis, c).flatten(0, 1) / scale
        larger = _rows(torch.cat([basis, brackets]), 1.0)
        if len(larger) == len(basis):
            return basis
        basis = larger


def _one(A: Tensor) -> str:
    values = torch.linalg.eigvals(A.double())
    size = values.abs().max()
    if size < RANK * A.double().norm():
        return "abelian R^1"
    values = values / size
    if values.real.abs().max() < 0.05:
        return "so(2)"
    balanced = (values.real.sort().values + values.real.sort(descending=True).values).abs().max() < 0.05
    return "so(1,1)" if values.imag.abs().max() < 0.05 and balanced else "abelian R^1"


def _brackets(c: Tensor, basis: Tensor) -> Tensor:
    """[b_i, b_j] of the rows b of a basis (D, R): (D, D, R)."""
    out: Tensor = torch.einsum("ia,jak->ijk", basis, torch.einsum("jb,abk->jak", basis, c))
    return out


def _restricted(c: Tensor, basis: Tensor) -> Tensor:
    """The brackets of an orthonormal basis (D, R), projected on it: (D, D, D)."""
    return _brackets(c, basis) @ basis.T


def _scale(c: Tensor) -> float:
    """The largest stretch of a bracket, or what counts as commuting."""
    return max(torch.linalg.matrix_norm(c.flatten(0, 1), 2).item(), COMMUTING) if len(c) else 0.0


def _rows(vectors: Tensor, scale: float) -> Tensor:
    """An orthonormal basis of the span of the rows, without directions smaller than a share of the scale."""
    _, sizes, rows = torch.linalg.svd(vectors, full_matrices=False)
    kept: Tensor = rows[sizes > RANK * scale]
    return kept


def _levi(c: Tensor) -> tuple[Tensor, Tensor]:
    """Structure constants of g / radical, and a basis of the radical: what the Killing form puts at right angles to
    [g, g] (Cartan)."""
    pairing = _rows(c.flatten(0, 1), _scale(c)) @ killing_form(c)
    _, sizes, rows = torch.linalg.svd(pairing, full_matrices=True)
    rank = int((sizes > RANK * c.square().sum() / len(c)).sum())
    rest = rows[:rank]
    return _restricted(c, rest), rows[rank:]


def _nilpotent(c: Tensor) -> bool:
    """Whether the lower central series g, [g, g], [g, [g, g]], ... ends in 0."""
    basis, scale = torch.eye(len(c)).to(c), _scale(c)
    for _ in range(len(c)):
        basis = _rows(torch.einsum("jb,abk->ajk", basis, c).flatten(0, 1), scale)
    return not len(basis)


def _central(c: Tensor, radical: Tensor) -> bool:
    return bool(torch.einsum("ra,abk->rbk", radical, c).norm() < RANK * c.norm())


def _simple(c: Tensor) -> str:
    """Of a simple algebra, by its dimension and the signature of its Killing form."""
    positive = int((torch.linalg.eigvalsh(killing_form(c)) > 0).sum())
    known = [label for label, size, boosts in _classical() if (size, boosts) == (len(c), positive)]
    return " or ".join(known) or f"simple dim {len(c)} with {positive} non-compact"


def _classical() -> Iterator[tuple[str, int, int]]:
    """Classical simple algebras, each isomorphism class once where a smaller one is the same: (name, dimension,
    non-compact directions)."""
    for n in range(3, LARGEST + 1):
        for p in range(n // 2 + 1):
            if n != 4 or p == 1:
                yield (f"so({p},{n - p})" if p else f"so({n})"), n * (n - 1) // 2, p * (n - p)
    for n in range(3, LARGEST + 1):
        if n != 4:
            yield f"sl({n})", n * n - 1, n * (n + 1) // 2 - 1
            for p in range(n // 2 + 1):
                yield (f"su({p},{n - p})" if p else f"su({n})"), n * n - 1, 2 * p * (n - p)
    for n in range(3, LARGEST // 2 + 1):
        yield f"sp({2 * n})", n * (2 * n + 1), n * (n + 1)


def _sum(parts: Counter[str], radical: int, *, central: bool, n: int) -> str:
    """The name of a sum of simple algebras and a radical of this dimension."""
    for two, one in (("so(3)", "so(4)"), ("so(1,2)", "so(2,2)")):
        if parts == Counter({two: 2}):
            parts = Counter({one: 1})
    whole = "so(1,2)" if n == 2 else "so(3,3)" if n == 4 else f"sl({n})"
    if central and radical == 1 and parts == Counter({whole: 1}):
        return f"gl({n})"
    words = [label for label, count in sorted(parts.items()) for _ in range(count)]
    if radical and central:
        words.append("R" if radical == 1 else f"R^{radical}")
    named = " + ".join(words)
    return f"{named} with radical dim {radical}" if radical and not central else named
