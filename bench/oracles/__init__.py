"""What a symmetry must preserve: trained classifiers, and formulas of physics."""

from bench.oracles.classifier import Classifier
from bench.oracles.invariances import PhysicsOracle, Transformation, truth_of
from bench.oracles.physics import image_oracles, jet_oracles
from bench.oracles.profile import RadialProfile
from bench.oracles.stacked import Stacked

__all__ = [
    "Classifier", "PhysicsOracle", "RadialProfile", "Stacked", "Transformation", "image_oracles", "jet_oracles",
    "truth_of",
]  # fmt: skip
