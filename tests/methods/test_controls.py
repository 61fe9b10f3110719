import pytest
import torch
from bench.methods.kernel import InKernel, Kernel
from bench.methods.none import Nothing
from bench.methods.random_field import RandomField
from bench.methods.truth import Truth

from bench.contracts import BenchError, Field, Linear, MatrixSymmetry, Oracle, Samples, Task, rms_speed

from .tasks import SquaredLength, gaussian_task, radial_share

ACTIONS = [Field((4,)), Linear((4,))]


def test_nothing_is_found() -> None:
    symmetry = Nothing().discover(gaussian_task(Field((3,))))
    assert (symmetry.K, symmetry.M) == (0, 0)


def test_the_truth_is_handed_back() -> None:
    truth = MatrixSymmetry.of(Linear((2,)), torch.tensor([[[0.0, -1], [1, 0]]]))
    task = Task(Samples(torch.randn(4, 2)), Samples(torch.randn(4, 2)), Linear((2,)), 0, truth=truth)
    assert Truth().discover(task) is truth
    assert Truth.uses == {"truth"}


def test_an_unknown_truth_is_an_error() -> None:
    with pytest.raises(BenchError, match="the truth of this track is unknown"):
        Truth().discover(gaussian_task(Field((2,))))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.kind)
def test_random_fields_have_unit_speed_and_no_law(action: Field | Linear) -> None:
    task = gaussian_task(action)
    symmetry = RandomField(K=2).discover(task)
    torch.testing.assert_close(rms_speed(symmetry, task.train.x), torch.ones(2), atol=1e-4, rtol=0)
    assert radial_share(symmetry.velocity(task.train.x), task.train.x) > 0.05


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.kind)
def test_the_kernel_keeps_the_oracle(action: Field | Linear) -> None:
    task = gaussian_task(action)
    symmetry = Kernel(K=2).discover(task)
    assert radial_share(symmetry.velocity(task.valid.x), task.valid.x) < 1e-8
    torch.testing.assert_close(rms_speed(symmetry, task.train.x[:1000]), torch.ones(2), atol=1e-3, rtol=0)


def test_the_kernel_is_that_of_the_oracle_at_every_point() -> None:
    class Two(Oracle):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            first = x[:, :1] * x[:, 1:2]
            return torch.cat([first, -first, x[:, 2:3].sin()], 1)

    task = gaussian_task(Field((5,)))
    task = Task(task.train, task.valid, task.action, 0, oracle=Two())
    symmetry = Kernel().discover(task)
    x = task.valid.x
    rate = torch.func.jvp(Two(), (x,), (symmetry.velocity(x)[0],))[1]
    assert rate.abs().max() < 1e-3


def test_the_kernel_is_rebuilt_with_the_track_oracle() -> None:
    task = gaussian_task(Field((3,)))
    symmetry = Kernel().discover(task)
    again = InKernel(task.action, **symmetry.config(), oracle=SquaredLength())
    again.load_state_dict(symmetry.state_dict())
    assert not any("oracle" in name for name in symmetry.state_dict())
    torch.testing.assert_close(again.velocity(task.valid.x), symmetry.velocity(task.valid.x))


def test_the_kernel_needs_an_oracle() -> None:
    task = Task(Samples(torch.randn(4, 2)), Samples(torch.randn(4, 2)), Field((2,)), 0)
    with pytest.raises(BenchError, match="needs an oracle"):
        Kernel().discover(task)
