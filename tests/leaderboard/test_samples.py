"""What a dataset says of its samples is in the record and under the table."""

from __future__ import annotations

from dataclasses import replace

from .conftest import runs


def said(method, **facts):
    return [replace(run, provenance=run.provenance | {"samples": facts}) for run in runs(method, [0.5, 0.6])]


def test_the_source_is_printed_under_the_table(board):
    text = board(said("flow", source="simulated", labels="1 is a quark")).text()
    assert "- Samples: labels 1 is a quark, source simulated." in text


def test_nothing_is_printed_where_nothing_is_said(board):
    assert "Samples:" not in board(runs("flow", [0.5])).text()


def test_runs_on_different_samples_are_not_passed_off_as_one(board):
    text = board(said("flow", source="simulated"), said("other", source="file")).text()
    assert "- Samples: source simulated." in text
    assert "- Samples: source file." in text


def test_facts_reach_the_record(new_bench):
    from_file = new_bench({}, datasets=False)
    from_file.write("data.py", DATA)
    from_file("run", "-m", "noop", "-d", "measured", "--budget", "smoke", code=0)
    (record,) = from_file.records()
    assert record["provenance"]["samples"] == {"source": "file", "labels": "1 is a quark"}


DATA = """
class Norm(Oracle):
    def forward(self, x): return x.square().sum(-1, keepdim=True)

@dataclass(frozen=True)
class Measured(Dataset):
    track = ("identity", "norm", "linear")
    def facts(self): return {"source": "file", "labels": "1 is a quark"}
    def load(self, split, seed):
        x = torch.randn(200, 2, generator=torch.Generator().manual_seed(seed + len(split)))
        return Samples(x, (x[:, 0] > 0).long())
    def actions(self): return {"linear": Linear((2,))}
    def oracles(self): return {"norm": Norm()}

@dataclass(frozen=True)
class Noop(Method):
    uses = frozenset()
    def discover(self, task): return NoSymmetry(task.action)
"""
