"""Seeds: one derivation for everything random."""

from __future__ import annotations

import hashlib

__all__ = ["derive"]

ROOT = 20230206


def derive(dataset: str, repeat: int, component: str) -> int:
    """A seed in [0, 2^31) from (root, dataset, repeat, component); methods do not enter, so comparisons are paired."""
    digest = hashlib.sha256(f"{ROOT}/{dataset}/{repeat}/{component}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
