"""The normalised autoencoder as a downstream model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from bench.contracts import Model, Problem, Progress, Symmetry, Task
from bench.contracts.model import Needs
from bench.contracts.problem import Kind
from bench.learning import STEPS, problem_of
from bench.training import Schedule, initialise, optimise

from .._jets import check_jets
from .autoencoder import JetAutoencoder
from .chains import Chains

__all__ = ["NormalizedAutoencoder"]

TINY = 1e-12


@dataclass(frozen=True)
class NormalizedAutoencoder(Model):
    """An autoencoder whose error is the energy of a normalised density: the score of a jet is that of its image.

    It begins as a plain autoencoder. Then d/dtheta -ln p(x) = dE(x) - <dE>_p is followed, <>_p the mean over Langevin
    chains: the energy rises where the decoder has images and the data have none (Yoon et al., arXiv:2105.05735; on
    jets Dillon et al., arXiv:2206.14225).

    Arguments:
        normalise: False leaves it a plain autoencoder, for as many steps.
        normal: the label of normal jets.
        share: of the steps in which it is normalised.
        side, power: pixels along a side of the image, and the power to which shares of pT are taken.
        width: of the hidden layers.
        latent: dimension of the latent space.
        steps: at the standard budget.
        batch: jets, and chains, a step.
        rate, slow: highest learning rates of the two phases.
    """

    normalise: bool = True
    normal: int = 0
    share: float = 0.4
    side: int = 8
    power: float = 0.5
    width: int = 64
    latent: int = 3
    steps: int = STEPS
    batch: int = 64
    rate: float = 2e-3
    slow: float = 1e-3

    needs: ClassVar[Needs] = "nothing"
    problems: ClassVar[tuple[Kind, ...]] = ("anomaly",)
    paper: ClassVar[str] = "https://arxiv.org/abs/2206.14225"

    def build(self, problem: Problem, symmetry: Symmetry | None) -> nn.Module:
        """Unsuitable if samples are no jets of four-vectors."""
        check_jets(self, problem)
        return JetAutoencoder(self.side, self.power, self.width, self.latent)

    def fit(self, task: Task, symmetry: Symmetry | None) -> nn.Module:
        """The energy of a jet in units of that of normal jets, larger for others."""
        network = self.build(problem_of(task), symmetry)
        assert isinstance(network, JetAutoencoder)
        initialise(network, task.seed)
        network.to(task.train.x.device)
        x, x_valid = network.image(task.train.x), network.image(task.valid.x)
        draw = torch.Generator().manual_seed(task.seed)
        steps = task.steps(self.steps)
        energetic = round(self.share * steps) if self.normalise else 0

        def loss(index: Tensor, done: float) -> Tensor:
            return network.energy(x[index]).mean()

        def valid_loss() -> float:
            return network.energy(x_valid).mean().item()

        taken = 0

        def progress(step: int, phase: int, loss: float) -> None:
            nonlocal taken
            taken += 1
            task.progress(taken, steps, loss)

        plain = Schedule(max(1, steps - energetic), self.batch, self.rate)
        error = optimise(network, loss, valid_loss, len(x), plain, draw, progress)
        network.temperature.mul_(max(error, TINY))
        if energetic:
            self._normalise(network, x, replace(plain, steps=energetic, rate=self.slow), draw, progress)
        return network.eval()

    def _normalise(
        self, network: JetAutoencoder, x: Tensor, schedule: Schedule, draw: torch.Generator, progress: Progress
    ) -> None:
        """Descend on <E> of the data - <E> of the chains."""
        chains = Chains(network, self.latent, self.batch, draw)
        optimiser = torch.optim.Adam(network.parameters(), schedule.rate)
        rates = torch.optim.lr_scheduler.LambdaLR(optimiser, schedule.factor)
        for step in range(schedule.steps):
            index = torch.randint(len(x), (self.batch,), generator=draw).to(x.device)
            value = network.energy(x[index]).mean() - network.energy(chains()).mean()
            optimiser.zero_grad()
            torch.autograd.backward(value)
            optimiser.step()
            rates.step()
            progress(step + 1, schedule.steps, value.item())
