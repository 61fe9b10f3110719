from dataclasses import replace

import pytest
import torch
from bench.methods.augerino import Augerino, paired

from bench.contracts import Action, BenchError, ImageAffine, Linear, NoSymmetry, Samples, Symmetry, Task
from bench.lie import grassmann, principal_angles

from .tasks import gaussian_task

SHORT = {"steps": 400, "width": 32}


def angle(symmetry: Symmetry, *truth: torch.Tensor) -> float:
    """Grassmann distance from the true span."""
    found = symmetry.matrices()
    assert found is not None
    spans = [torch.linalg.qr(span.flatten(1).double().T).Q.T for span in (found, torch.stack(truth))]
    return grassmann(principal_angles(*spans), len(spans[0]), len(spans[1]))


@pytest.mark.parametrize("n", [2, 3])
def test_rotations_are_wide_where_the_length_is_the_target(n: int) -> None:
    symmetry = Augerino(**SHORT).discover(gaussian_task(Linear((n,))))
    rotations = paired(Linear((n,)))[: n * (n - 1) // 2]
    assert angle(symmetry, *rotations) < 1e-3
    assert len(rotations) == symmetry.K


def test_the_widest_come_first() -> None:
    symmetry = Augerino(K=4, **SHORT).discover(gaussian_task(Linear((2,))))
    assert symmetry.K == 4
    assert torch.equal(symmetry.scores, symmetry.scores.sort().values)
    first = symmetry.matrices()[0]
    torch.testing.assert_close(first, -first.T)


def test_labels_are_classes() -> None:
    task = gaussian_task(Linear((2,)))
    label = {name: Samples(s.x, (s.x[:, 0] > 0).long()) for name, s in (("train", task.train), ("valid", task.valid))}
    symmetry = Augerino(K=1, **SHORT).discover(replace(task, oracle=None, **label))
    stretch = torch.zeros(2, 2)
    stretch[1, 1] = 1
    torch.testing.assert_close(torch.nn.functional.normalize(symmetry.matrices()[0]), stretch, atol=1e-3, rtol=0)


def test_a_target_that_turns_with_the_sample() -> None:
    action = Linear((2,), target=Linear((2,)))
    task = gaussian_task(action)
    whirl = torch.tensor([[0.5, -1], [1, 0.5]])
    moving = {name: Samples(s.x, s.x @ whirl.T) for name, s in (("train", task.train), ("valid", task.valid))}
    symmetry = Augerino(K=1, **SHORT).discover(replace(task, oracle=None, **moving))
    assert angle(symmetry, paired(action)[0]) < 1e-3


def test_the_answer_is_none_where_every_move_costs() -> None:
    task = gaussian_task(Linear((2,)))
    bent = {n: Samples(s.x, s.x[:, :1] + s.x[:, 1:] ** 3) for n, s in (("train", task.train), ("valid", task.valid))}
    symmetry = Augerino(reward=1e-3, **SHORT).discover(replace(task, oracle=None, **bent))
    assert isinstance(symmetry, NoSymmetry)


@pytest.mark.parametrize("action", [Linear((4,)), ImageAffine((1, 8, 8))], ids=lambda a: a.kind)
def test_the_basis_spans_the_algebra(action: Action) -> None:
    basis = paired(action).flatten(1)
    candidates = action.candidates(torch.zeros(1, *action.shape)).matrices()
    assert candidates is not None
    together = torch.cat([basis, candidates.flatten(1)])
    assert torch.linalg.matrix_rank(together) == torch.linalg.matrix_rank(basis) == len(basis) == len(candidates)


def test_a_target_is_needed() -> None:
    task = Task(Samples(torch.randn(4, 2)), Samples(torch.randn(4, 2)), Linear((2,)), 0)
    with pytest.raises(BenchError, match="needs an oracle"):
        Augerino().discover(task)
