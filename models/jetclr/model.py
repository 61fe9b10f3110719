"""JetCLR: a representation learned from jets alone, and a linear classifier on it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.augmentation import Augmentation
from bench.contracts import BenchError, Model, Problem, Samples, Symmetry, Task
from bench.contracts.model import Needs
from bench.learning import STEPS, problem_of
from bench.training import Schedule, initialise, optimise

from .._jets import check_jets
from .._plane import in_plane
from .augmentations import AUGMENTATIONS
from .contrast import nt_xent
from .encoder import Encoder

__all__ = ["JetCLR", "LinearOnRepresentation"]

ITERATIONS = 500
TINY = 1e-6


class LinearOnRepresentation(nn.Module):
    """Logits W (f(x) - mean) / deviation + b of the representation f of a jet: (B, N, 4) -> (B, classes).

    Arguments:
        width: of the encoder's hidden layers.
        size: of the representation.
        classes: number of classes.
    """

    def __init__(self, width: int, size: int, classes: int) -> None:
        super().__init__()
        self.encoder = Encoder(width, size)
        self.linear = nn.Linear(size, classes)
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.linear(self.standardised(x)).to(x.dtype)
        return logits

    def represent(self, jets: Tensor) -> Tensor:
        """f, of jets in the plane: (B, N, 3) -> (B, size)."""
        f: Tensor = self.encoder(jets.to(self.mean.dtype))
        return f

    def standardised(self, x: Tensor) -> Tensor:
        """(f(x) - mean) / deviation, (B, size)."""
        return (self.represent(in_plane(x)) - self.mean) / self.deviation


@dataclass(frozen=True)
class JetCLR(Model):
    """Two augmented views of a jet are brought together, those of other jets apart (Dillon et al., arXiv:2108.04253).

    With a symmetry, a random move along it is one more augmentation. Labels are seen by the linear classifier alone.
    The network computes in float32, whatever the jets' precision.

    Arguments:
        augmentations: of rotation, translation, collinear (splitting) and soft (smearing).
        width: of the encoder's hidden layers.
        size: of the representation.
        temperature: of the contrastive loss.
        steps: at the standard budget.
        batch: jets a step.
        rate: highest learning rate.
        penalty: on the squared weights of the linear classifier.
    """

    augmentations: tuple[str, ...] = ("rotation", "translation", "collinear", "soft")
    width: int = 64
    size: int = 64
    temperature: float = 0.1
    steps: int = STEPS
    batch: int = 128
    rate: float = 3e-3
    penalty: float = 1.0

    needs: ClassVar[Needs] = "transform"
    paper: ClassVar[str] = "https://arxiv.org/abs/2108.04253"

    def __post_init__(self) -> None:
        unknown = set(self.augmentations) - set(AUGMENTATIONS)
        if unknown:
            what = f"augmentations {', '.join(sorted(unknown))}; allowed are {', '.join(AUGMENTATIONS)}"
            raise BenchError(what, "choose among them, or none")

    def build(self, problem: Problem, symmetry: Symmetry | None) -> nn.Module:
        """Unsuitable if samples are no jets of four-vectors."""
        check_jets(self, problem)
        return LinearOnRepresentation(self.width, self.size, problem.width)

    def fit(self, task: Task, symmetry: Symmetry | None) -> nn.Module:
        """The logits of a linear classifier on what was learned without labels."""
        problem, train, valid = problem_of(task), task.train, task.valid
        predictor = self.build(problem, symmetry)
        assert isinstance(predictor, LinearOnRepresentation)
        initialise(predictor, task.seed)
        predictor.to(train.x.device)
        order, moves = (torch.Generator().manual_seed(task.seed + stream) for stream in (0, 1))
        move = Augmentation(symmetry, train.x, seed=task.seed) if symmetry is not None else None

        def contrast(samples: Samples, draw: torch.Generator) -> Tensor:
            first, second = (predictor.represent(self._view(samples, move, draw)) for _ in range(2))
            return nt_xent(first, second, self.temperature)

        def valid_loss() -> float:
            return contrast(valid, torch.Generator().manual_seed(task.seed)).item()

        schedule = Schedule(task.steps(self.steps), self.batch, self.rate)
        optimise(
            predictor.encoder,
            lambda index, done: contrast(train[index], moves),
            valid_loss, len(train), schedule, order, task.progress,
        )  # fmt: skip
        _classify(predictor, train, self.penalty)
        return predictor.eval()

    def _view(self, samples: Samples, move: Augmentation | None, draw: torch.Generator) -> Tensor:
        """One augmented view of each jet in the plane, (B, N', 3)."""
        x = samples.x if move is None or samples.y is None else move(samples.x, samples.y, draw)[0]
        jets = in_plane(x)
        for name, augmented in AUGMENTATIONS.items():
            if name in self.augmentations:
                jets = augmented(jets, draw)
        return jets


def _classify(predictor: LinearOnRepresentation, train: Samples, penalty: float) -> None:
    """Minimise the summed cross-entropy plus penalty |W|^2 / 2, on the standardised representation."""
    assert train.y is not None
    predictor.eval()
    with torch.no_grad():
        f = predictor.represent(in_plane(train.x))
        predictor.mean.copy_(f.mean(0))
        predictor.deviation.copy_(f.std(0, correction=0).clamp(min=TINY))
        f, y = predictor.standardised(train.x).double(), train.y.long()
    linear = deepcopy(predictor.linear).double()
    optimiser = torch.optim.LBFGS(linear.parameters(), max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = F.cross_entropy(linear(f), y, reduction="sum") + penalty * linear.weight.square().sum() / 2
        torch.autograd.backward(value)
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    predictor.linear.load_state_dict(linear.state_dict())
