"""Artifacts: a symmetry comes back as it was, by its class's name, and from nowhere else."""

from __future__ import annotations

import json
import sys

import pytest
import torch

from bench.contracts import Combination, FourVector, ImageAffine, Linear, MatrixSymmetry, NoSymmetry, RandomFields
from bench.errors import BenchError
from bench.jobs.artifacts import check_symmetry, load_symmetry, save_symmetry
from bench.plugins import Registry

LOOSE = """
import torch
from bench.contracts import Method, NoSymmetry, Symmetry

class Constant(Symmetry):
    asks = frozenset({"oracle"})
    def __init__(self, action, width, oracle=None):
        super().__init__(action, 1)
        self.direction = torch.nn.Parameter(torch.zeros(width))
        self.borrow("oracle", oracle)
    def config(self): return {"width": len(self.direction)}
    def velocity(self, x): return self.direction.expand(1, *x.shape)

class NotASymmetry: pass

class Own(Method):
    def discover(self, task): return Constant(task.action, 2)
"""


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(LOOSE)
    return Registry([path]).get("method", "own")


def given(asks):
    return {name: torch.nn.Identity() for name in asks}


@pytest.mark.parametrize("make", [
    lambda draw: MatrixSymmetry.of(
        Linear((6,), 3), torch.randn(2, 3, 3, generator=draw), torch.randn(1, 3, 3, generator=draw), torch.rand(2)
    ),
    lambda draw: MatrixSymmetry.of(ImageAffine((1, 9, 9)), torch.randn(4, 3, 3, generator=draw)),
    lambda draw: MatrixSymmetry.of(FourVector((5, 4)), torch.randn(6, 4, 4, generator=draw).double()),
    lambda draw: NoSymmetry(Linear((2,))),
    lambda draw: RandomFields.over(Linear((3,)), torch.randn(40, 3, generator=draw), 2),
])  # fmt: skip
def test_round_trip(tmp_path, plugin, make):
    draw = torch.Generator().manual_seed(3)
    symmetry = make(draw)
    save_symmetry(symmetry, plugin, tmp_path)
    again = load_symmetry(tmp_path, plugin, symmetry.action, given)
    assert type(again) is type(symmetry)
    assert (again.K, again.M) == (symmetry.K, symmetry.M)
    x = torch.randn(5, *symmetry.action.shape, generator=draw).to(next(iter(symmetry.state_dict().values())).dtype)
    torch.testing.assert_close(again.velocity(x).to(x), symmetry.velocity(x).to(x), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(again.scores, symmetry.scores)


def test_a_class_of_the_method_is_found_and_gets_what_it_asks_for(tmp_path, plugin):
    from bench.plugins import load

    symmetry = load(plugin)().discover(type("Task", (), {"action": Linear((2,))}))
    save_symmetry(symmetry, plugin, tmp_path)
    again = load_symmetry(tmp_path, plugin, symmetry.action, given)
    assert isinstance(again.oracle, torch.nn.Identity)
    assert "oracle" not in "".join(again.state_dict())


def test_a_truth_of_the_dataset_is_found_in_its_module(tmp_path, plugin):
    path = tmp_path / "data.py"
    path.write_text("""
from bench.contracts import Dataset, Symmetry
class Drift(Symmetry):
    def velocity(self, x): return 1 + 0 * x[None]
class Data(Dataset): pass
""")
    dataset = Registry([path]).get("dataset", "data")
    from bench.plugins import load

    drift = sys.modules[load(dataset).__module__].Drift(Linear((2,)), 1)
    with pytest.raises(BenchError, match=r"Drift is neither in bench.contracts nor in the module of method 'own'"):
        save_symmetry(drift, plugin, tmp_path)
    save_symmetry(drift, plugin, tmp_path, dataset)
    again = load_symmetry(tmp_path, plugin, drift.action, lambda asks: {"K": 1}, dataset)
    assert type(again) is type(drift)


def test_the_precision_of_the_artifact_is_kept(tmp_path, plugin):
    exact = MatrixSymmetry.of(Linear((2,)), torch.tensor([[[0.0, -1 / 3], [1 / 3, 0]]]).double())
    save_symmetry(exact, plugin, tmp_path)
    assert torch.equal(load_symmetry(tmp_path, plugin, exact.action, given).generators, exact.generators)


def test_a_class_that_could_not_be_found_again_is_refused(tmp_path, plugin):
    class Local(NoSymmetry):
        pass

    with pytest.raises(BenchError, match=r"Local is neither in bench.contracts nor in the module of method 'own'"):
        save_symmetry(Local(Linear((2,))), plugin, tmp_path)


@pytest.mark.parametrize("name", ["os.system", "NotASymmetry", "Linear", "missing", "__class__"])
def test_no_other_class_is_ever_built(tmp_path, plugin, name):
    save_symmetry(NoSymmetry(Linear((2,))), plugin, tmp_path)
    (tmp_path / "symmetry.json").write_text(json.dumps({"class": name, "plugin": "own", "config": {}}))
    with pytest.raises(BenchError, match="is no Symmetry of method 'own'"):
        load_symmetry(tmp_path, plugin, Linear((2,)), given)


@pytest.mark.parametrize(("file", "content"), [
    ("symmetry.json", b""), ("symmetry.json", b"[]"), ("symmetry.json", b'{"class": 5}'),
    ("symmetry.safetensors", b""), ("symmetry.safetensors", b"\xff" * 64), ("symmetry.safetensors", None),
])  # fmt: skip
def test_damage_is_named(tmp_path, plugin, file, content):
    save_symmetry(NoSymmetry(Linear((2,))), plugin, tmp_path)
    (tmp_path / file).unlink() if content is None else (tmp_path / file).write_bytes(content)
    with pytest.raises(BenchError, match=str(tmp_path / file)) as caught:
        load_symmetry(tmp_path, plugin, Linear((2,)), given)
    assert "\n" not in str(caught.value)


def test_state_of_another_shape_is_refused(tmp_path, plugin):
    save_symmetry(MatrixSymmetry.of(Linear((2,)), torch.eye(2)[None]), plugin, tmp_path)
    with pytest.raises(BenchError, match="does not load into MatrixSymmetry"):
        load_symmetry(tmp_path, plugin, Linear((3,)), given)


@pytest.mark.parametrize(("wrong", "reason"), [
    (None, "returned a NoneType, not a Symmetry"),
    (torch.eye(2), "returned a Tensor, not a Symmetry"),
    (MatrixSymmetry.of(Linear((2,)), torch.full((1, 2, 2), torch.inf)), "non-finite values in 'generators'"),
    (Combination(MatrixSymmetry.of(Linear((2,)), torch.eye(2)[None]), torch.full((1, 1), torch.nan)), "in 'c'"),
    (MatrixSymmetry.of(Linear((2,)), 1e38 * torch.ones(1, 2, 2)), "velocity is not finite"),
])  # fmt: skip
def test_what_a_method_returns_is_checked(wrong, reason):
    with pytest.raises(BenchError) as caught:
        check_symmetry(wrong, 100 * torch.ones(4, 2))
    assert reason in str(caught.value)


def test_finding_nothing_is_a_valid_answer():
    check_symmetry(NoSymmetry(Linear((2,))), torch.ones(4, 2))
