"""The normalised autoencoder: anomalies by an energy whose density is normalised."""

from .autoencoder import JetAutoencoder, jet_image
from .chains import Chains
from .langevin import langevin
from .model import NormalizedAutoencoder

__all__ = ["Chains", "JetAutoencoder", "NormalizedAutoencoder", "jet_image", "langevin"]
