"""What a task holds, and what it says of what it does not hold."""

from __future__ import annotations

import pytest
import torch

from bench.contracts import BenchError, Linear, Samples, Task

from ..methods.tasks import SquaredLength  # noqa: TID252


@pytest.mark.parametrize(("what", "name"), [("oracle", "an oracle"), ("pairs", "labelled pairs")])
def test_what_a_method_needs_is_named_where_it_is_missing(what, name):
    samples = Samples(torch.zeros(2, 3))
    with pytest.raises(BenchError, match=f"needs {name} and the task has none") as error:
        Task(samples, samples, Linear((3,)), 0).need(what)
    assert error.value.hint.startswith("choose")


def test_what_is_there_is_handed_over():
    samples, oracle = Samples(torch.zeros(2, 3)), SquaredLength()
    assert Task(samples, samples, Linear((3,)), 0, oracle=oracle).need("oracle") is oracle


@pytest.mark.parametrize(("y", "labelled"), [
    (None, False), (torch.full((3,), -1), False), (torch.tensor([-1, 0, 1]), True), (torch.full((3,), -1.0), True),
])  # fmt: skip
def test_classes_that_are_all_minus_one_are_no_labels(y, labelled):
    assert Samples(torch.zeros(3, 2), y).labelled == labelled
