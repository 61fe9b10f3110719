"""Steerable networks: what the group leaves alone is exact, and a state is all that a predictor is made of."""

import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from bench.models.steerable import Convolution, Steerable
from bench.models.steerable._escnn import RECIPE, escnn, sylvester
from scipy.sparse import kronsum, vstack
from torch import Tensor

from bench.contracts import Field, ImageAffine, Problem, Task, Unsuitable
from bench.errors import BenchError

from .tasks import learning_task

needs_escnn = pytest.mark.skipif(find_spec("escnn") is None, reason=f"escnn is not installed: {RECIPE}")

SMALL = Steerable("C4", lite=True, steps=5, batch=16)
ELSEWHERE = """
import sys
import torch
from bench.models.steerable import Steerable
from bench.contracts import ImageAffine, Problem

assert "escnn" not in sys.modules
network = Steerable("C4", lite=True).build(Problem("classification", (1, 12, 12), (2,), ImageAffine((1, 12, 12))), None)
network.load_state_dict(torch.load(sys.argv[1]))
torch.save(network.eval()(torch.load(sys.argv[2])), sys.argv[3])
"""


def images(count: int, side: int, channels: int = 1) -> Tensor:
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(side))


def problem(side: int, channels: int = 1) -> Problem:
    shape = (channels, side, side)
    return Problem("classification", shape, (3,), ImageAffine(shape))


def task(seed: int = 0) -> Task:
    """Is there more light in the middle?"""
    x = images(80, 12)
    middle = x[:, 0, 4:8, 4:8].mean((1, 2))
    return learning_task(x, (middle > middle.median()).long(), ImageAffine((1, 12, 12)), 60, seed)


def test_sylvester_equations_are_the_numbers_that_scipy_has() -> None:
    draw = np.random.default_rng(0)
    left, right, X = draw.normal(size=(3, 4, 4)), draw.normal(size=(3, 2, 2)), draw.normal(size=(4, 2))
    found = sylvester(left, right).toarray()
    both = list(zip(left, right, strict=True))
    assert np.array_equal(found, vstack([kronsum(A, -B.T) for A, B in both]).toarray())
    residues = np.concatenate([(A @ X - X @ B).flatten("F") for A, B in both])
    assert np.allclose(found @ X.flatten("F"), residues)


def deviation(network: torch.nn.Module, x: Tensor, moved: Tensor) -> float:
    """How far predictions move, the largest, in units of their deviation."""
    with torch.no_grad():
        return ((network(moved) - network(x)).abs().max() / network(x).std()).item()


def blobs(angle: float, count: int = 20, side: int = 28) -> Tensor:
    """Sums of three smooth blobs near the middle, turned by an angle in closed form."""
    draw = torch.Generator().manual_seed(0)
    centres = (torch.rand(count, 3, 2, generator=draw) - 0.5) @ torch.linalg.matrix_exp(
        angle * torch.tensor([[0.0, 1], [-1, 0]])
    )
    axis = torch.linspace(-1, 1, side)
    points = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)
    squares = (points[None, None] - centres[:, :, None, None]).square().sum(-1)
    return torch.exp(-squares / 0.05).sum(1)[:, None]


@needs_escnn
@pytest.mark.parametrize("side", [28, 25, 6])
@pytest.mark.parametrize("group", ["C4", "C8", "D4", "D8", "SO2"])
def test_quarter_turns_and_reflections_are_exact_on_every_side(group: str, side: int) -> None:
    torch.manual_seed(0)
    network = Steerable(group, lite=True).build(problem(side, 2), None).eval()
    x = images(8, side, 2)
    for turns in (1, 2, 3):
        assert deviation(network, x, torch.rot90(x, turns, (2, 3))) < 1e-5
    for reflected in (x.flip(3), x.flip(2), x.mT):
        assert (deviation(network, x, reflected) < 1e-5) == (group[0] == "D")


@needs_escnn
def test_eighths_of_a_turn_move_the_predictions_of_c8_less_than_those_of_c4() -> None:
    errors = []
    for group in ("C4", "C8"):
        torch.manual_seed(0)
        network = Steerable(group).build(problem(28), None).eval()
        with torch.no_grad():
            still, turned = network(blobs(0)), network(blobs(torch.pi / 4))
        errors.append(((turned - still).square().mean() / still.var(0).mean()).sqrt())
    assert errors[1] < 0.7 * errors[0]


@needs_escnn
@pytest.mark.parametrize("group", ["C8", "SO2"])
def test_predictors_have_an_exact_derivative(group: str) -> None:
    network = Steerable(group, lite=True).build(problem(14), None).double().eval()
    x, v = images(4, 14).double(), images(8, 14)[4:].double()
    with torch.no_grad():
        expected = (network(x + 1e-5 * v) - network(x - 1e-5 * v)) / 2e-5
    assert torch.allclose(torch.func.jvp(network, (x,), (v,))[1], expected, atol=1e-6)


@needs_escnn
def test_a_state_rebuilds_the_predictor_in_another_process(tmp_path: Path) -> None:
    network, x = SMALL.fit(task(), None), images(10, 12)
    files = [str(tmp_path / name) for name in ("state", "x", "y")]
    torch.save(network.state_dict(), files[0])
    torch.save(x, files[1])
    subprocess.run([sys.executable, "-c", ELSEWHERE, *files], check=True)
    with torch.no_grad():
        assert torch.allclose(torch.load(files[2]), network(x), atol=1e-6)


@needs_escnn
def test_a_seed_gives_the_same_predictor_and_another_seed_another() -> None:
    x = images(10, 12)
    one, two, other = (SMALL.fit(task(seed), None)(x) for seed in (0, 0, 1))
    assert torch.equal(one, two)
    assert not torch.allclose(one, other)


@needs_escnn
def test_it_learns_and_is_invariant_afterwards() -> None:
    network, x = replace(SMALL, steps=100, rate=0.01).fit(task(), None), task().train.x
    assert (network(x).argmax(1) == task().train.y).float().mean() > 0.9
    assert deviation(network, x, torch.rot90(x, 1, (2, 3))) < 1e-5


@needs_escnn
@pytest.mark.parametrize("group", ["C4", "C8", "D4", "D8", "SO2"])
def test_lite_has_a_quarter_of_the_channels(group: str) -> None:
    counts = []
    for lite in (False, True):
        network = Steerable(group, lite).build(problem(14), None)
        layers = [layer for layer in network.modules() if isinstance(layer, Convolution)]
        counts.append(sum(layer.weight().shape[0] for layer in layers))
    assert counts[1] / counts[0] == pytest.approx(0.25, abs=0.05)


def test_without_escnn_the_error_has_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "escnn.gspaces", None)
    escnn.cache_clear()
    with pytest.raises(BenchError, match="pip install --no-deps escnn"):
        SMALL.build(problem(12), None)


@pytest.mark.parametrize("shape", [(12,), (1, 12, 14), (12, 12)])
def test_what_is_no_square_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(Unsuitable, match="square images"):
        SMALL.build(Problem("classification", shape, (2,), Field(shape)), None)
