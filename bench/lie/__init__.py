"""Lie algebras of matrices, spans and their angles, derivatives along fields and their ratios, elements of groups."""

from bench.lie.algebra import bracket, closure_residual, jacobi_residual, structure_constants
from bench.lie.derivatives import jacobian, rates_of_change
from bench.lie.identify import derived_series, killing_form, simple_ideals
from bench.lie.ratios import softened, upper_limits
from bench.lie.sampling import group_elements
from bench.lie.spans import ROUNDING, deviation, grassmann, orthonormaliser, principal_angles

__all__ = [
    "ROUNDING", "bracket", "closure_residual", "derived_series", "deviation", "grassmann", "group_elements",
    "jacobi_residual", "jacobian", "killing_form", "orthonormaliser", "principal_angles", "rates_of_change",
    "simple_ideals", "softened", "structure_constants", "upper_limits",
]  # fmt: skip
