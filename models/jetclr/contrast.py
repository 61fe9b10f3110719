"""The contrastive loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["nt_xent"]


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """The mean of -ln( e^{s(z, z') / T} / sum_{u != z} e^{s(z, u) / T} ) over all 2B views z, a scalar.

    z' is the other view of the same jet, u runs over all other views, s is the cosine (Chen et al., arXiv:2002.05709).

    Arguments:
        first, second: the two views of each jet, (B, D).
        temperature: T.
    """
    z = F.normalize(torch.cat([first, second]), dim=1)
    own = torch.eye(len(z), dtype=torch.bool, device=z.device)
    likeness = (z @ z.T / temperature).masked_fill(own, -torch.inf)
    return F.cross_entropy(likeness, torch.arange(len(z), device=z.device).roll(len(first)))
