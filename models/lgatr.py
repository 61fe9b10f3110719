"""The Lorentz-equivariant geometric-algebra transformer, by its library."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from bench.contracts import Model, Problem, Symmetry, Task
from bench.contracts.problem import Kind
from bench.learning import STEPS
from bench.training import Schedule

from ._jets import AtRest, check_jets, fit_jets, missing, present

__all__ = ["LGATr"]


class Transformer(AtRest):
    """Attention between constituents as vectors and scalars, and an MLP of the sum of the scalars.

    Momenta are taken to the rest frame first. To a network that commutes with boosts this changes only the rounding:
    its products in float32 are of numbers near 1.

    Arguments:
        encoder: (vectors (B, C, 4), scalars (B, C, 2), mask (B, 1, C, C)) -> scalars (B, C, width).
        width: how many scalars come out of it.
        slots: by which their sum is divided.
    """

    def __init__(self, encoder: nn.Module, width: int, slots: int, classes: int) -> None:
        super().__init__()
        self.encoder, self.slots = encoder, slots
        self.read = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, classes))

    def predict(self, x: Tensor) -> Tensor:
        there = present(x)
        p = self.momenta(x)
        square = p[..., 0].square() - p[..., 1:].square().sum(-1)
        scalars = torch.stack([p[..., 0].asinh(), square.asinh()], -1)
        mask = there[:, None, None] | torch.eye(x.shape[1], dtype=torch.bool, device=x.device)
        with sdpa_kernel(SDPBackend.MATH):  # the only one on CPUs with a jvp
            h = self.encoder(p, scalars, mask)
        out: Tensor = self.read((there[..., None] * h).sum(1) / self.slots)
        return out


@dataclass(frozen=True)
class LGATr(Model):
    """L-GATr (Spinner et al., arXiv:2405.14806; Brehmer et al., arXiv:2411.00446) by the library lgatr, without
    reference vectors: invariant under the proper Lorentz group.

    Arguments:
        slim: its lean form, with vectors and scalars alone (arXiv:2512.17011); otherwise all multivectors, at six
            times the cost.
        channels: hidden vectors or multivectors of a constituent.
        width: hidden scalars.
        depth: blocks.
        heads: of the attention.
        steps: at the standard budget.
        batch: jets a step.
        rate: highest learning rate.
        decay: decoupled weight decay.
    """

    slim: bool = True
    channels: int = 8
    width: int = 16
    depth: int = 2
    heads: int = 2
    steps: int = STEPS
    batch: int = 64
    rate: float = 3e-3
    decay: float = 0.01

    problems: ClassVar[tuple[Kind, ...]] = ("classification",)
    paper: ClassVar[str] = "https://arxiv.org/abs/2405.14806"

    def build(self, problem: Problem, symmetry: Symmetry | None) -> nn.Module:
        """Unsuitable if samples are no jets of four-vectors, BenchError if the library is not installed."""
        check_jets(self, problem)
        return Transformer(self._encoder(), self.width, problem.shape[0], problem.width)

    def fit(self, task: Task, symmetry: Symmetry | None) -> nn.Module:
        """The trained predictor x -> logits."""
        return fit_jets(self, task, None, Schedule(self.steps, self.batch, self.rate, self.decay))

    def _encoder(self) -> nn.Module:
        return (Slim if self.slim else Full)(self.channels, self.width, self.depth, self.heads)


class Slim(nn.Module):
    """The library's transformer of vectors and scalars."""

    def __init__(self, channels: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.network = _library().LGATrSlim(depth, 1, 0, channels, 2, width, width, heads)

    def forward(self, vectors: Tensor, scalars: Tensor, mask: Tensor) -> Tensor:
        out: Tensor = self.network(vectors[:, :, None], scalars, attn_mask=mask)[1]
        return out


class Full(nn.Module):
    """The library's transformer of multivectors; its sparse product has no jvp."""

    def __init__(self, channels: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        library = _library()
        self.embed = library.embed_vector
        parts = {"attention": {"num_heads": heads}, "mlp": {"mlp_ratio": 2}, "primitives": {"sparse_gp": False}}
        self.network = library.LGATr(depth, 1, 1, channels, 2, width, width, **parts)

    def forward(self, vectors: Tensor, scalars: Tensor, mask: Tensor) -> Tensor:
        out: Tensor = self.network(self.embed(vectors)[:, :, None], scalars, attn_mask=mask)[1]
        return out


def _library() -> ModuleType:
    try:
        import lgatr
    except ImportError:
        raise missing("lgatr", "lgatr", "2.0.0") from None
    module: ModuleType = lgatr
    return module
