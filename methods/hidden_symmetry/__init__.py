"""Hidden symmetry: coordinates in which a symmetry is plain to see, after arXiv:2109.09721."""

from .fields import HiddenGenerators
from .method import HiddenSymmetry
from .structure import EnergyFlow, Modules

__all__ = ["EnergyFlow", "HiddenGenerators", "HiddenSymmetry", "Modules"]
