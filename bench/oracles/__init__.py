"""What `prepare` trains for a symmetry to preserve."""

from bench.oracles.classifier import Classifier
from bench.oracles.profile import RadialProfile
from bench.oracles.stacked import Stacked

__all__ = ["Classifier", "RadialProfile", "Stacked"]
