"""The plain baselines: what they learn, with a symmetry and without, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from bench.models.cnn import CNN
from bench.models.mlp import MLP
from bench.models.vit import ViT
from torch import Tensor

from bench.contracts import ImageAffine, Linear, MatrixSymmetry, Model, NoSymmetry, Problem, Samples, Task, Unsuitable
from bench.errors import BenchError

from .tasks import learning_task

MODELS = [
    CNN(width=4, hidden=16, steps=8, batch=32),
    MLP(width=16, depth=2, steps=8, batch=32),
    ViT(width=16, depth=1, heads=2, steps=8, batch=32),
]
NAMES = ["cnn", "mlp", "vit"]
every = pytest.mark.parametrize("model", MODELS, ids=NAMES)
SHAPE = (1, 8, 8)
TURN = torch.tensor([[[0.0, -1, 0], [1, 0, 0], [0, 0, 0]]])


def flags(count: int, turned: bool, seed: int = 0) -> tuple[Tensor, Tensor]:
    """A flag to the right of the middle, above or below its pole, upright or at any angle."""
    draw = torch.Generator().manual_seed(seed)
    y = torch.randint(2, (count,), generator=draw)
    x = torch.zeros(count, *SHAPE)
    x[:, 0, 3:5, 3:8] = 1.0
    x[y == 0, 0, 1:3, 6:8] = 1.0
    x[y == 1, 0, 5:7, 6:8] = 1.0
    x = x + 0.1 * torch.randn(x.shape, generator=draw)
    if turned:
        angle = 6.2832 * torch.rand(count, generator=draw)
        x = ImageAffine(SHAPE).act(torch.linalg.matrix_exp(angle[:, None, None] * TURN), x)
    return x, y


def upright() -> Task:
    return learning_task(*flags(160, turned=False), ImageAffine(SHAPE), 120)


def rotation() -> MatrixSymmetry:
    return MatrixSymmetry.of(ImageAffine(SHAPE), TURN)


def numbers(shape: tuple[int, ...] = (), scale: float = 1.0) -> Task:
    """A target of numbers: brightness, with a deviation of 1, as often as its shape asks."""
    x, _ = flags(160, turned=False)
    y = x.mean((1, 2, 3)) / x.mean((1, 2, 3)).std() * scale + 100 * scale
    return learning_task(x, y.reshape(-1, *[1] * len(shape)).expand(-1, *shape), ImageAffine(SHAPE), 120)


@every
def test_a_state_rebuilds_the_predictor(model: Model) -> None:
    x, _ = flags(20, turned=True, seed=1)
    for task in (upright(), numbers((2, 1))):
        assert task.problem is not None
        predictor = model.fit(task, rotation())
        rebuilt = model.build(task.problem, rotation())
        rebuilt.load_state_dict(predictor.state_dict())
        assert not predictor.training
        assert predictor(x).shape == (20, *task.problem.outputs)
        assert torch.equal(rebuilt.eval()(x), predictor(x))


@every
def test_a_seed_gives_the_same_predictor(model: Model) -> None:
    x, _ = flags(20, turned=True, seed=1)
    torch.manual_seed(1)
    one, two, other = (model.fit(replace(upright(), seed=seed), rotation())(x) for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


@every
def test_nothing_found_is_nothing_given_and_a_rotation_is_something(model: Model) -> None:
    x, _ = flags(20, turned=True, seed=1)
    plain, empty, turned = (model.fit(upright(), s)(x) for s in (None, NoSymmetry(ImageAffine(SHAPE)), rotation()))
    assert torch.equal(plain, empty)
    assert not torch.allclose(plain, turned)


@pytest.mark.parametrize(
    "model",
    [
        CNN(width=8, hidden=32, steps=150, batch=32),
        MLP(width=64, depth=2, steps=300, batch=32),
        ViT(patch=2, width=32, depth=1, heads=2, steps=300, batch=32, rate=4e-3),
    ],
    ids=NAMES,
)
def test_augmentation_makes_upright_samples_do_for_rotated_ones(model: Model) -> None:
    x, y = flags(500, turned=True, seed=1)

    def accuracy(symmetry: MatrixSymmetry | None) -> float:
        return (model.fit(upright(), symmetry)(x).argmax(1) == y).float().mean().item()

    plain, turned = accuracy(None), accuracy(rotation())
    assert plain < 0.7
    assert turned > 0.9


@every
def test_predictors_have_exact_derivatives(model: Model) -> None:
    """jvp, of which invariance is measured, against central differences."""
    task = upright()
    double = replace(task, train=Samples(task.train.x.double(), task.train.y))
    double = replace(double, valid=Samples(task.valid.x.double(), task.valid.y))
    predictor = model.fit(double, None)
    x, v = double.valid.x[:5], ImageAffine(SHAPE).velocity(TURN.double(), double.valid.x[:5])[0]
    assert predictor(x).dtype == torch.float64
    with torch.no_grad():
        exact = torch.func.jvp(predictor, (x,), (v,))[1]
        assert torch.allclose(exact, (predictor(x + 1e-5 * v) - predictor(x - 1e-5 * v)) / 2e-5, atol=1e-6)
    assert exact.abs().max() > 1e-3


@every
@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_targets_are_predicted_in_their_own_units(model: Model, scale: float) -> None:
    task = numbers(scale=scale)
    assert task.valid.y is not None
    error = (replace(model, steps=60).fit(task, None)(task.valid.x) - task.valid.y).square().mean().sqrt()
    assert error < 2 * scale


@pytest.mark.parametrize("scale", [torch.ones(4), torch.tensor([1e-3, 1, 1e3, 0])])
def test_the_units_of_coordinates_do_not_matter_to_mlp(scale: Tensor) -> None:
    x = torch.randn(300, 4, generator=torch.Generator().manual_seed(0))
    task = learning_task((x + 5) * scale, x[:, 0] - 2 * x[:, 1] + x[:, 2], Linear((4,)), 200)
    predictor = MLP(width=32, depth=1, steps=300, rate=0.01).fit(task, None)
    assert (predictor(task.valid.x) - task.valid.y).square().mean() < 0.1


def test_coordinates_that_do_not_vary_in_training_may_do_so_later() -> None:
    x = torch.randn(100, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 0])
    turn = MatrixSymmetry.of(Linear((2,)), torch.tensor([[[0.0, -1], [1, 0]]]))
    task = learning_task(x, x.norm(dim=1), Linear((2,)), 60)
    predictor = MLP(width=32, depth=1, steps=300).fit(task, turn)
    assert (predictor(task.valid.x.flip(1)) - task.valid.y).square().mean() < 0.1


@every
@pytest.mark.parametrize("shape", [(3, 7, 10), (1, 28, 28), (3, 24, 24), (2, 3, 3)])
def test_images_of_any_size(model: Model, shape: tuple[int, ...]) -> None:
    predictor = model.build(Problem("classification", shape, (4,), ImageAffine(shape)), None)
    assert predictor(torch.randn(2, *shape)).shape == (2, 4)


def test_mlp_takes_any_shape() -> None:
    predictor = MODELS[1].build(Problem("classification", (5, 4), (2,), Linear((5, 4), 4)), None)
    assert predictor(torch.randn(3, 5, 4)).shape == (3, 2)


@pytest.mark.parametrize("model", [MODELS[0], MODELS[2]], ids=["cnn", "vit"])
def test_what_is_no_image_is_refused(model: Model) -> None:
    with pytest.raises(Unsuitable, match=r"takes images \(C, H, W\), these samples have the shape \(6,\)"):
        model.build(Problem("classification", (6,), (2,), Linear((6,))), None)


@every
def test_an_anomaly_search_is_refused(model: Model) -> None:
    with pytest.raises(Unsuitable, match="learns classification and regression, not anomaly"):
        model.fit(learning_task(*flags(40, False), ImageAffine(SHAPE), 30, anomaly=True), None)


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(BenchError, match="3 heads do not divide a width of 64"):
        ViT(heads=3).fit(upright(), None)
