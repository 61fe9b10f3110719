"""CPU-seconds of finding so(3), so(1,3) and so(10), and of five starts beside one: `make bench`."""

from __future__ import annotations

import time

import pytest
import torch
from bench.methods.lie_loss import LieLoss
from bench.methods.polarization import Polarization

from bench.contracts import Linear, Task

from ..methods.test_spectral import Quadratic, task_of  # noqa: TID252

PAIRS = 5
MOST = {3: 4.0, 4: 5.0, 10: 60.0}


def minkowski(n: int) -> Task:
    """so(n), or so(1,3) for n = 4."""
    signs = torch.ones(n)
    if n == 4:
        signs[1:] = -1
    return task_of(Linear((n,)), Quadratic(torch.diag(signs)), count=1000)


def cpu_seconds(method: LieLoss | Polarization, task: Task) -> float:
    start = time.process_time()
    K = method.discover(task).K
    seconds = time.process_time() - start
    assert task.action.n * (task.action.n - 1) == 2 * K
    return seconds


@pytest.mark.parametrize("method", [Polarization(), LieLoss()], ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("n", [3, 4, 10])
@pytest.mark.benchmark(group="an algebra found whole")
def test_finding_an_algebra(benchmark, method, n):
    if n == 10 and not benchmark.enabled:
        pytest.skip("45 generators take seconds")
    seconds = benchmark.pedantic(cpu_seconds, args=(method, minkowski(n)), rounds=1)
    benchmark.extra_info["cpu_s"] = seconds
    if benchmark.enabled:
        assert seconds < MOST[n]


@pytest.mark.benchmark(group="starts")
def test_five_starts_take_less_than_twice_one(benchmark):
    task = minkowski(4)
    one, five = (LieLoss(restarts=count) for count in (1, 5))

    def ratio() -> float:
        cpu_seconds(one, task)
        least = [min(cpu_seconds(method, task) for _ in range(PAIRS)) for method in (one, five)]
        return least[1] / least[0]

    found = benchmark.pedantic(ratio, rounds=1)
    benchmark.extra_info["five starts / one"] = found
    if benchmark.enabled:
        assert found < 2
