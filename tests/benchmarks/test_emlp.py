"""The solver and a network of the equivariant MLP, in CPU seconds on one core: `make bench`.

Warm times of the JAX library of Finzi et al. (arXiv:2104.09459) for the same spaces, as measured for the project's
goals: 0.82, 0.26, 56.6 and 33 s; its SO(3) network with 384 hidden channels builds in 16.5 s and takes 5.3 s a step.
"""

import time

import pytest
import torch
from bench.models.emlp import EquivariantMLP, Group, T, invariants
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

pytestmark = pytest.mark.benchmark(timer=time.process_time)


def orthogonal(n: int, times: int = 0) -> Tensor:
    """so(times, n - times)."""
    generators = torch.zeros(n, n, n, n, dtype=torch.float64)
    for i in range(n):
        for j in range(i):
            generators[i, j, i, j], generators[i, j, j, i] = 1, 1 if j < times <= i else -1
    return generators.flatten(0, 1)[generators.flatten(0, 1).flatten(1).any(1)]


def permutations(n: int) -> Tensor:
    one = torch.eye(n, dtype=torch.float64)
    return torch.stack([one[[1, 0, *range(2, n)]], one.roll(1, 0)])


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("generators", "elements", "rank", "dimension"),
    [
        (orthogonal(3), None, 3, 15),
        (orthogonal(4, 1), None, 2, 4),
        (orthogonal(4, 1), None, 3, 25),
        (None, permutations(8), 2, 15),
    ],
    ids=["SO(3) T3-T3", "SO(1,3) T2-T2", "SO(1,3) T3-T3", "S_8 T2-T2"],
)
def test_equivariant_maps(
    benchmark: BenchmarkFixture, generators: Tensor | None, elements: Tensor | None, rank: int, dimension: int
) -> None:
    group = Group(generators, elements)
    found = benchmark.pedantic(invariants, (group, rank, rank), rounds=3, warmup_rounds=1)
    assert len(found) == dimension


def network() -> EquivariantMLP:
    return EquivariantMLP(Group(orthogonal(3)), 4 * T(1) + T(0), T(1) + T(2), width=384, depth=3)


def test_building_a_network(benchmark: BenchmarkFixture) -> None:
    benchmark.pedantic(network, rounds=3, warmup_rounds=1)


def test_a_step_of_a_network(benchmark: BenchmarkFixture) -> None:
    built, x = network(), torch.randn(500, 13)

    def step() -> None:
        built(x).square().mean().backward()

    benchmark.pedantic(step, rounds=5, warmup_rounds=1)
