"""CMS calorimeter images: simulated, published, and of real collisions."""

from .cms import CMS
from .real import CMSReal

__all__ = ["CMS", "CMSReal"]
