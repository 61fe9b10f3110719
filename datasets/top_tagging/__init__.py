"""Top tagging: jets as four-vectors, simulated or of the reference sample."""

from .top_tagging import TopTagging

__all__ = ["TopTagging"]
