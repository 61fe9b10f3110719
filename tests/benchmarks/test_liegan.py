"""What it takes to play five games side by side instead of one: `make bench`, in CPU-seconds of one core."""

from __future__ import annotations

import time

import pytest
import torch
from bench.methods._adversarial import Critics, Features, Game, play
from bench.methods._search_space import search_space
from bench.methods.liegan.generators import Generators
from bench.methods.liegan.proposals import Penalties, Proposals

from bench.contracts import Linear, Samples

STEPS = 100


def game(restarts: int, steps: int) -> None:
    """A game about rotations of the plane with the networks and batches of the method's defaults."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(4000, 2, generator=draw)
    samples = Samples(x, x.square().sum(1, keepdim=True))
    features = Features(samples)
    generators = Generators(search_space(Linear((2,)), x), restarts, 1, unit=True, size=1.0, draw=draw)
    proposals = Proposals(
        Linear((2,)), generators, lambda shape: torch.randn(shape, generator=draw), features, Penalties(0, 0, 0, False)
    )
    critics = Critics(restarts, features.count, 64, 2, draw)
    play(critics, proposals, samples, Game(steps, 256, 0.01, 0.003), draw)


@pytest.mark.benchmark(group="100 steps of LieGAN", timer=time.process_time)
@pytest.mark.parametrize("restarts", [1, 5])
def test_games_side_by_side(benchmark, request, restarts) -> None:
    steps = STEPS if request.config.getoption("benchmark_enable") else 1
    benchmark.pedantic(game, (restarts, steps), rounds=3)
