"""How the violation of equations is minimised: Adam on batches, then L-BFGS on a fixed set of samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.contracts.samples import Progress
from bench.training import Schedule, optimise

__all__ = ["Minimiser"]

MEMORY = 30


@dataclass(frozen=True)
class Minimiser:
    """Adam leaves equations solved to a few per cent; what remains is a smooth problem of some thousand unknowns.

    Arguments:
        schedule: of Adam.
        polish: steps of L-BFGS after it (Nocedal 1980).
        seed: of the order of the samples.
        progress: told (step, steps, loss) of Adam.
    """

    schedule: Schedule
    polish: int
    seed: int
    progress: Progress

    def lower(
        self, network: nn.Module, size: int, batch: Callable[[Tensor], Tensor], fixed: Callable[[], Tensor],
        valid: Callable[[], Tensor],
    ) -> None:
        """Leave the network in the state that was best on validation.

        Arguments:
            size: number of training samples.
            batch: the loss of samples, given by their indices.
            fixed: the loss of samples that are the same at every call.
            valid: the loss on validation.
        """  # fmt: skip
        draw = torch.Generator().manual_seed(self.seed)

        def valid_loss() -> float:
            return valid().item()

        best = optimise(
            network, lambda index, done: batch(index), valid_loss, size, self.schedule, draw, self.progress
        )
        before = [parameter.detach().clone() for parameter in network.parameters()]
        self._polish(network, fixed)
        with torch.no_grad():
            if not valid().item() <= best:
                for parameter, old in zip(network.parameters(), before, strict=True):
                    parameter.copy_(old)

    def _polish(self, network: nn.Module, fixed: Callable[[], Tensor]) -> None:
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        optimiser = torch.optim.LBFGS(
            trained, max_iter=self.polish, history_size=MEMORY, line_search_fn="strong_wolfe", tolerance_change=1e-12
        )

        def closure() -> float:
            optimiser.zero_grad()
            value = fixed()
            torch.autograd.backward(value)
            return value.item()

        optimiser.step(closure)  # type: ignore[no-untyped-call]
