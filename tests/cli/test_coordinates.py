"""bench coordinates: from a record to a picture."""

from __future__ import annotations

import json

import pytest
import torch

from bench.contracts import Linear, MatrixSymmetry
from bench.jobs.work.portray import directions

METHODS = """
class Doubled(MatrixSymmetry):
    def coordinates(self, x): return 2 * x

@dataclass(frozen=True)
class Charted(Method):
    def discover(self, task):
        return Doubled.of(task.action, torch.tensor([[[0., -1.], [1., 0.]]]))

class Uncharted(Method):
    uses = frozenset()
    def discover(self, task): return NoSymmetry(task.action)
"""


@pytest.fixture(scope="module")
def bench(new_bench):
    bench = new_bench({"methods.py": METHODS})
    bench("run", "--method", "charted", "--method", "uncharted", "--dataset", "plane", code=0)
    return bench


def drawn(bench, method, *words, code):
    (path,) = bench.folder.glob(f"results/plane/{method}/*.json")
    plugins = [word for plugin in bench.folder.glob("*.py") for word in ("--plugin", plugin)]
    return bench("coordinates", path, *words, *plugins, code=code)


def test_a_run_is_drawn_from_the_cache(bench):
    drawn(bench, "charted", "--output", "picture.svg", code=0)
    text = (bench.folder / "picture.svg").read_text()
    assert text.startswith("<?xml")
    assert "plane/charted" in text or "<path" in text


@pytest.mark.parametrize(("method", "words", "says"), [
    ("charted", ("--axes", "0", "0", "--output", "x.svg"), "two different components"),
    ("charted", ("--axes", "0", "5", "--output", "x.svg"), "no coordinates [0, 5]"),
    ("uncharted", ("--output", "x.svg"), "no coordinates [0, 1]"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_said(bench, method, words, says):
    code = 2 if "different" in says else 1
    assert says in drawn(bench, method, *words, code=code).err
    assert not (bench.folder / "x.svg").exists()


def test_a_record_is_a_json_file(bench):
    (bench.folder / "no.json").write_text(json.dumps({"spec": 1}))
    assert bench("coordinates", "no.json", "--output", "x.svg").code in (1, 2)


def test_directions_are_those_of_the_orbits():
    x = torch.randn(20, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    turn = torch.tensor([[[0.0, -1, 0], [1, 0, 0], [0, 0, 0]]]).double()
    rising = torch.tensor([[[0.0, 0, 0], [0, 0, 0], [0, 0, 1]]]).double()
    symmetry = MatrixSymmetry.of(Linear((3,)), torch.cat([turn + rising, rising]))
    found = directions(symmetry, x, [0, 1])
    torch.testing.assert_close(found.norm(dim=1), torch.ones(20).double())
    torch.testing.assert_close((found * x[:, :2]).sum(1), torch.zeros(20).double(), atol=1e-9, rtol=0)
