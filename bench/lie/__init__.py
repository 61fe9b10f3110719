"""Lie algebras of matrices, spans and their angles."""

from bench.lie.algebra import bracket, closure_residual, jacobi_residual, structure_constants
from bench.lie.spans import grassmann, orthonormaliser, principal_angles

__all__ = [
    "bracket", "closure_residual", "grassmann", "jacobi_residual", "orthonormaliser", "principal_angles",
    "structure_constants",
]  # fmt: skip
