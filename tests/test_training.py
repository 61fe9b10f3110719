"""Laws of the training loop."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bench.training import Schedule, initialise, optimise


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(("size", "batch"), [(10, 3), (10, 5), (4, 9), (129, 128)])
def test_batches_are_full_and_repeat_nothing_within_an_epoch(size, batch):
    seen, line = [], nn.Linear(1, 1)

    def loss(index, done):
        seen.append(index)
        return line.weight.sum()

    per_epoch = max(1, size // batch)
    optimise(line, loss, lambda: 0.0, size, Schedule(per_epoch, batch), generator())
    together = torch.cat(seen)
    assert {len(index) for index in seen} == {min(batch, size)}
    assert len(together.unique()) == len(together)


def test_the_best_state_is_kept_and_patience_ends_the_training():
    line, values, states, steps = nn.Linear(1, 1), iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0]), [], []

    def valid_loss():
        assert not line.training
        states.append(line.weight.item())
        return next(values)

    schedule = Schedule(100, 1, checks=10, patience=3)
    best = optimise(
        line, lambda index, done: line.weight.sum(), valid_loss, 5, schedule, generator(), lambda *a: steps.append(a[0])
    )
    assert best == 1.0
    assert line.weight.item() == states[1]
    assert steps == list(range(1, 51))
    assert not line.training


def test_least_squares_are_solved():
    x = torch.randn(500, 3, generator=generator())
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 3
    line = nn.Linear(3, 1)
    initialise(line, 0)

    def error(index):
        return (line(x[index]) - y[index]).square().mean()

    schedule = Schedule(800, rate=0.05)
    optimise(line, lambda index, done: error(index), lambda: error(slice(None)).item(), 500, schedule, generator())
    assert torch.allclose(line.weight, torch.tensor([[1.0, -2.0, 0.5]]), atol=1e-3)


def test_the_rate_rises_then_falls_to_zero():
    schedule = Schedule(1000)
    factors = [schedule.factor(step) for step in range(1001)]
    top = factors.index(max(factors))
    assert 50 < top < 150
    assert factors[:top] == sorted(factors[:top])
    assert factors[top:] == sorted(factors[top:], reverse=True)
    assert factors[-1] == 0


def test_initialise_is_a_function_of_the_seed_and_touches_nothing_else():
    torch.manual_seed(1)
    first = nn.Linear(3, 3)
    initialise(first, 7)
    after = torch.rand(2)
    torch.manual_seed(1)
    second = nn.Linear(3, 3)
    assert torch.equal(after, torch.rand(2))
    initialise(second, 7)
    assert torch.equal(first.weight, second.weight)
