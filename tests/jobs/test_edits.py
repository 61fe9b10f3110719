"""What is edited while the runs are planned and under way is refused, and what comes of it is kept under no name."""

from __future__ import annotations

import json

import pytest

METHODS = """
@dataclass(frozen=True)
class {name}(Method):
    uses = frozenset()
    def discover(self, task):
        note("{name}")
        return NoSymmetry(task.action)
"""
EDITING = """
class Learned(Oracle):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.ones(1))
    def forward(self, x): return self.w * x
    def fit(self, train, valid, **kwargs):
        if (HERE / "edit").exists():
            path = HERE / (HERE / "edit").read_text()
            path.write_text(path.read_text() + "# another line\\n")
        return {}

@dataclass(frozen=True)
class Edited(Dataset):
    track = ("identity", "learned", "linear")
    def load(self, split, seed): return Samples(torch.randn(50, 2), torch.zeros(50).long())
    def actions(self): return {"linear": Linear((2,))}
    def oracles(self): return {"learned": Learned()}
"""
METRIC = """
class Counted(Metric):
    version = 1
    asks = frozenset({"symmetry"})
    def score(self, symmetry): return {"counted": 1.0}
"""
RUN = ("run", "-m", "first", "-m", "second", "-d", "edited")


@pytest.fixture
def bench(new_bench):
    files = {f"{name.lower()}.py": METHODS.format(name=name) for name in ("First", "Second")}
    return new_bench({**files, "editing.py": EDITING, "counted.py": METRIC})


def kept(bench):
    """The jobs in the cache that discovered or scored."""
    requests = [json.loads(path.read_text()) for path in bench.folder.glob("cache/jobs/*/*/request.json")]
    return [request["kind"] for request in requests if request["kind"] != "prepare_oracle"]


@pytest.mark.parametrize(("file", "status", "ran"), [
    ("second.py", {"first": "ok", "second": "interrupted"}, (1, 0)),
    ("counted.py", {"first": "interrupted", "second": "interrupted"}, (1, 1)),
    ("editing.py", {"first": "interrupted", "second": "interrupted"}, (0, 0)),
])  # fmt: skip
def test_a_file_that_changed_after_the_plan_is_refused_and_the_next_run_takes_it(bench, file, status, ran):
    (bench.folder / "edit").write_text(file)
    bench(*RUN, code=1)
    records = bench.by("method")
    assert {name: record["status"] for name, record in records.items()} == status
    reason = f"{bench.folder / file} changed after the run was planned (run again)"
    assert {record["reason"] for record in records.values() if record["status"] == "interrupted"} == {reason}
    assert (bench.called("First"), bench.called("Second")) == ran
    assert len(kept(bench)) == sum(ran) + list(status.values()).count("ok")
    (bench.folder / "edit").unlink()
    bench(*RUN, code=0)
    assert (bench.called("First"), bench.called("Second")) == (1, 1)
