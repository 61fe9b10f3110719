"""Lie algebras of matrices, spans and their angles, derivatives along fields."""

from bench.lie.algebra import bracket, closure_residual, jacobi_residual, structure_constants
from bench.lie.derivatives import jacobian, rates_of_change
from bench.lie.spans import grassmann, orthonormaliser, principal_angles

__all__ = [
    "bracket", "closure_residual", "grassmann", "jacobi_residual", "jacobian", "orthonormaliser", "principal_angles",
    "rates_of_change", "structure_constants",
]  # fmt: skip
