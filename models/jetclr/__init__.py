"""Contrastive representations of jets."""

from .augmentations import AUGMENTATIONS, rotated, smeared, split, translated
from .contrast import nt_xent
from .encoder import Encoder
from .model import JetCLR

__all__ = ["AUGMENTATIONS", "Encoder", "JetCLR", "nt_xent", "rotated", "smeared", "split", "translated"]
