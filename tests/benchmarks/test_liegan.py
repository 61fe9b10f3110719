"""What it takes to play five games side by side instead of one: `make bench`, in CPU-seconds of one core."""

from __future__ import annotations

import time

import pytest
import torch
from bench.methods._adversarial import Critics, Features, Game, Player, play
from bench.methods._search_space import search_space
from bench.methods.liegan.generators import Generators
from bench.methods.liegan.method import LieGAN
from bench.methods.liegan.proposals import Penalties, Proposals
from bench.methods.symmetry_gan import Maps, SymmetryGAN

from bench.contracts import Linear, Samples

STEPS = 100
PAIRS = 5
PLANE = Linear((2,))


def proposals(space: torch.Tensor, restarts: int, features: Features, draw: torch.Generator) -> Player:
    generators = Generators(space, restarts, 1, unit=True, size=1.0, draw=draw)
    return Proposals(
        PLANE, generators, lambda shape: torch.randn(shape, generator=draw), features, Penalties(0, 0, 0, False)
    )


def maps(space: torch.Tensor, restarts: int, features: Features, draw: torch.Generator) -> Player:
    return Maps(PLANE, space, restarts, features, order=0, cyclic=1.0, away=0.6, draw=draw)


def cpu_seconds(player, restarts: int, steps: int) -> float:
    """A game about rotations of the plane with the networks and batches of the methods' defaults."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(4000, 2, generator=draw)
    samples = Samples(x, x.square().sum(1, keepdim=True) if player is proposals else None)
    features = Features(samples)
    movers = player(search_space(PLANE, x), restarts, features, draw)
    critics = Critics(restarts, features.count, 64, 2, draw)
    start = time.process_time()
    batch = (LieGAN if player is proposals else SymmetryGAN).batch
    play(critics, movers, samples, Game(steps, batch, 0.01, 0.003), draw)
    return time.process_time() - start


@pytest.mark.benchmark(group="starts")
@pytest.mark.parametrize("player", [proposals, maps], ids=["LieGAN", "SymmetryGAN"])
def test_five_games_beside_one(benchmark, player) -> None:
    steps, pairs = (STEPS, PAIRS) if benchmark.enabled else (1, 1)

    def ratio() -> float:
        one, five = zip(*[[cpu_seconds(player, count, steps) for count in (1, 5)] for _ in range(pairs)], strict=True)
        return min(five) / min(one)

    benchmark.extra_info["five games / one"] = benchmark.pedantic(ratio, rounds=1)
