"""Supervised generators: from pairs (x, g x) with known coefficients to the fields that move one to the other."""

from .fields import PairedFields
from .method import SupervisedMLP

__all__ = ["PairedFields", "SupervisedMLP"]
