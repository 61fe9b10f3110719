import pytest
import torch
from bench.methods.supervised_mlp import PairedFields, SupervisedMLP
from bench.methods.supervised_mlp.linear import change_of_density
from torch import Tensor

from bench.contracts import (
    Action,
    BenchError,
    Field,
    ImageAffine,
    Linear,
    MatrixSymmetry,
    Pairs,
    PairSource,
    Samples,
    Symmetry,
    Task,
)  # fmt: skip

from .tasks import gaussian_task

PLANE = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 0]])
BOOST = torch.tensor([[0.0, 0, 1], [0, 0, 0], [1, 0, 0]])


class Bent(Symmetry):
    """The rotation of a plane seen through y -> y + x^2 / 2: no matrix moves samples like this."""

    def __init__(self) -> None:
        super().__init__(Field((2,)), 1)

    def velocity(self, x: Tensor) -> Tensor:
        a, b = x[:, 0], x[:, 1] - x[:, 0].square() / 2
        return torch.stack([-b, a - a * b], 1)[None]


def pairs_of(truth: Symmetry, x: Tensor) -> PairSource:
    def pairs(fraction: float, coefficient: float | None = None) -> Pairs:
        some = x[: round(fraction * len(x))]
        one = torch.randint(truth.K, (len(some),), generator=torch.Generator().manual_seed(0))
        t = (coefficient or 0.0) * torch.eye(truth.K)[one]
        return Pairs(some, truth.transform(some, t), t)

    return pairs


def paired_task(action: Action, truth: Symmetry, x: Tensor) -> Task:
    return Task(Samples(x), Samples(x[:64]), action, 0, pairs=pairs_of(truth, x))


@pytest.mark.parametrize("truth", [PLANE[None], BOOST[None], torch.stack([PLANE, BOOST])], ids=["turn", "boost", "two"])
def test_matrices_are_found_exactly(truth: Tensor) -> None:
    action, x = Linear((3,)), torch.randn(500, 3, generator=torch.Generator().manual_seed(1))
    task = paired_task(action, MatrixSymmetry.of(action, truth), x)
    symmetry = SupervisedMLP(consistency=0).discover(task)
    torch.testing.assert_close(symmetry.matrices(), truth, atol=1e-3, rtol=0)
    assert (symmetry.scores < 1e-5).all()


def test_the_rotation_of_images_is_found() -> None:
    rows = torch.linspace(-1, 1, 16)
    blob = torch.exp(-((rows[:, None] - 0.3) ** 2 + 2 * (rows - 0.1) ** 2) / 0.1)
    images = blob[None, None] * (1 + torch.rand(8, 1, 16, 1, generator=torch.Generator().manual_seed(0)))
    action = ImageAffine((1, 16, 16))
    task = paired_task(action, MatrixSymmetry.of(action, PLANE[None]), images)
    found = SupervisedMLP().discover(task).matrices()
    assert found is not None
    torch.testing.assert_close(found[0], PLANE, atol=0.05, rtol=0)


def test_the_rotation_of_lone_peaks_is_found_though_they_do_not_overlap() -> None:
    draw = torch.Generator().manual_seed(0)
    images = torch.zeros(64, 1, 32, 32)
    row, column = torch.randint(7, 25, (2, 64, 2), generator=draw)
    images[torch.arange(64)[:, None], 0, row, column] = 1
    action = ImageAffine(images.shape[1:])
    found = SupervisedMLP().discover(paired_task(action, MatrixSymmetry.of(action, PLANE[None]), images))
    torch.testing.assert_close(found.matrices()[0], PLANE, atol=0.02, rtol=0)


def test_fields_bend_where_no_matrix_fits() -> None:
    x = torch.randn(2000, 2, generator=torch.Generator().manual_seed(0))
    task = paired_task(Field((2,)), Bent(), x + torch.tensor([0.0, 0.5]) * x[:, :1].square())
    linear, bent = (SupervisedMLP(steps=steps, width=32).discover(task) for steps in (0, 400))
    v = Bent().velocity(task.valid.x)
    cosine = [torch.cosine_similarity(s.velocity(task.valid.x).flatten(), v.flatten(), 0) for s in (linear, bent)]
    assert cosine[1] > 0.99 > cosine[0]
    assert bent.scores < linear.scores


def test_unlabelled_samples_help_few_pairs() -> None:
    """Three noisy pairs in R^5; the samples are round in the first plane and have corners elsewhere."""
    draw = torch.Generator().manual_seed(3)
    x = 2 * torch.randint(2, (3000, 5), generator=draw) - 1.0
    x[:, :2] = 2**0.5 * torch.nn.functional.normalize(torch.randn(3000, 2, generator=draw))
    truth = torch.zeros(1, 5, 5)
    truth[0, 0, 1], truth[0, 1, 0] = -1, 1
    action = Linear((5,))
    exact = pairs_of(MatrixSymmetry.of(action, truth), x)(3 / 3000, 0.5)
    noisy = Pairs(exact.x, exact.moved + 0.1 * torch.randn(3, 5, generator=draw), exact.coefficient)
    task = Task(Samples(x), Samples(x[:64]), action, 0, pairs=lambda fraction, coefficient=None: noisy)
    alone, helped = (SupervisedMLP(consistency=price).discover(task).matrices() for price in (0, 100))
    cosine = [torch.cosine_similarity(L.flatten(), truth.flatten(), 0) for L in (alone, helped)]
    assert cosine[1] > 0.9
    assert cosine[1] > cosine[0] + 0.1


def test_the_density_changes_under_stretching_and_not_under_rotation() -> None:
    action, x = Linear((3,)), torch.randn(20_000, 3, generator=torch.Generator().manual_seed(0))
    form = change_of_density(torch.stack([PLANE, BOOST]), action, x)
    assert form[0, 0] < 0.01 * form[1, 1]
    assert form.diagonal().mean().item() == pytest.approx(1)


def test_is_rebuilt_from_config_and_state() -> None:
    x = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    symmetry = SupervisedMLP(steps=20, width=8).discover(paired_task(Field((2,)), Bent(), x))
    assert isinstance(symmetry, PairedFields)
    again = PairedFields(symmetry.action, **symmetry.config())
    again.load_state_dict(symmetry.state_dict())
    torch.testing.assert_close(again.transform(x, x[:, :1]), symmetry.transform(x, x[:, :1]))
    assert torch.equal(again.scores, symmetry.scores)


def test_a_truth_without_generators_gives_none() -> None:
    action, x = Linear((2,)), torch.randn(20, 2)
    none = Pairs(x, x, torch.zeros(20, 0))
    task = Task(Samples(x), Samples(x), action, 0, pairs=lambda fraction, coefficient=None: none)
    symmetry = SupervisedMLP().discover(task)
    assert (symmetry.K, symmetry.M) == (0, 0)


@pytest.mark.parametrize("fraction", [0.0, -1.0, 1.5])
def test_a_fraction_is_a_fraction(fraction: float) -> None:
    with pytest.raises(BenchError, match=r"labelled_fraction = .*; allowed is more than 0 and at most 1"):
        SupervisedMLP(labelled_fraction=fraction)


def test_pairs_are_needed() -> None:
    with pytest.raises(BenchError, match="needs labelled pairs"):
        SupervisedMLP().discover(gaussian_task(Field((2,))))
