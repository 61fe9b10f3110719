"""Message passing on the products of momenta under a metric that follows from a symmetry."""

from .forms import Forms, invariant_forms
from .model import Lorentz
from .network import FreeBranch, InvariantBranch, Mixed

__all__ = ["Forms", "FreeBranch", "InvariantBranch", "Lorentz", "Mixed", "invariant_forms"]
