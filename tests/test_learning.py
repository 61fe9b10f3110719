"""Laws of how every model learns."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from bench.contracts import Linear, Problem, Samples, Task
from bench.errors import BenchError
from bench.learning import learn, problem_of, unit_of
from bench.training import Schedule

ACTION = Linear((3,))
QUICK = Schedule(40, 16, rate=0.05, checks=8, patience=100)


def task(count: int = 50, classes: bool = False, **changes) -> Task:
    x = torch.randn(count + 30, 3, generator=torch.Generator().manual_seed(0))
    y = (x[:, 0] > 0).long() if classes else x @ torch.tensor([1.0, -2, 0.5]) + 3
    samples = Samples(x, y)
    made = Task(samples[:count], samples[count:], ACTION, 0, problem=Problem.of(samples, ACTION))
    return replace(made, **changes)


class Line(nn.Linear):
    def __init__(self) -> None:
        super().__init__(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[:, 0]


def valid_loss(network: nn.Module, task: Task) -> float:
    problem = problem_of(task)
    with torch.no_grad():
        return problem.loss(network(task.valid.x), task.valid.y, unit_of(problem, task.train.y)).item()


def test_the_state_that_was_best_on_validation_is_kept():
    given = task()
    wrong = replace(given, valid=Samples(given.valid.x, -given.valid.y))  # learning more makes it worse
    network, seen = Line(), []

    def look(x: Tensor, y: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        seen.append(valid_loss(network, wrong))
        return x, y

    learn(network, wrong, QUICK, look)
    checks = seen[5::5]  # the state before the sixth step is that of the first check
    assert valid_loss(network, wrong) == pytest.approx(min(checks), rel=1e-6)
    assert valid_loss(network, wrong) < seen[-1]
    assert not network.training


@pytest.mark.parametrize("count", [4, 30, 1000])
@pytest.mark.parametrize("effort", [0.5, 1.0, 2.0])
def test_steps_are_those_of_the_budget_whatever_the_number_of_samples(count, effort):
    steps = []
    learn(Line(), task(count, effort=effort, progress=lambda step, of, loss: steps.append((step, of))), QUICK)
    assert steps == [(step, round(40 * effort)) for step in range(1, round(40 * effort) + 1)]


def test_the_loss_is_in_units_of_the_target():
    given = task()
    assert given.train.y is not None
    far = replace(given, train=Samples(given.train.x, 1000 * given.train.y))
    for one in (given, far):
        assert unit_of(problem_of(one), one.train.y).item() == pytest.approx(one.train.y.std(correction=0).item())
        losses = []
        learn(Line(), replace(one, progress=lambda step, of, loss, seen=losses: seen.append(loss)), QUICK)
        predicts_mean = ((one.train.y.mean() / one.train.y.std()) ** 2 + 1).item()
        assert losses[0] == pytest.approx(predicts_mean, rel=0.5)


def test_classes_have_no_unit():
    given = task(classes=True)
    assert unit_of(problem_of(given), given.train.y).tolist() == [1.0]


def test_a_seed_gives_the_same_network_whatever_was_in_it_before():
    def noisy(x: Tensor, y: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        return x + 0.1 * torch.randn(x.shape, generator=draw), y

    one, two, other = (learn(Line(), task(seed=seed), QUICK, noisy)(task().valid.x) for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_parameters_are_kept_where_they_are_not_to_be_drawn():
    started = []

    def look(x: Tensor, y: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        started.append(network.weight.detach().clone())
        return x, y

    network = Line()
    nn.init.constant_(network.weight, 7.0)
    learn(network, task(), QUICK, look, draw=False)
    assert started[0].tolist() == [[7.0] * 3]


def test_moves_reach_training_samples_alone():
    flipped = task()

    def flip(x: Tensor, y: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        assert not any((row == flipped.valid.x).all(1).any() for row in x)
        return -x, y

    network = learn(Line(), flipped, QUICK, flip)
    assert flipped.train.y is not None
    problem, unit = problem_of(flipped), unit_of(problem_of(flipped), flipped.train.y)
    kept = problem.loss(network(flipped.valid.x), flipped.valid.y, unit).item()
    assert kept == pytest.approx(valid_loss(network, flipped))
    assert kept > 1  # the weights learned from the flipped samples have the wrong sign


def test_validation_in_parts_is_validation_at_once(monkeypatch: pytest.MonkeyPatch):
    whole = learn(Line(), task(), QUICK)(task().valid.x)
    monkeypatch.setattr("bench.learning.CHUNK", 7)
    assert torch.allclose(whole, learn(Line(), task(), QUICK)(task().valid.x))


def test_a_task_without_labels_or_problem_is_refused():
    given = task()
    for broken in (replace(given, problem=None), replace(given, train=Samples(given.train.x))):
        with pytest.raises(BenchError, match="learns from labels"):
            learn(Line(), broken, QUICK)
