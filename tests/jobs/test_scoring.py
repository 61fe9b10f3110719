"""Which metrics score a run, and what of an earlier scoring is kept: one run, to which each test adds."""

from __future__ import annotations

import shutil

import pytest

METRIC = """
class {name}(Metric):
    version = {version}
    asks = frozenset({asks})
    {more}
    def score(self, **asked):
        note("{file}")
        return {{"{file}": {value}, "{file}.detail": 1.0}}
"""
FACTS = 'def facts(self, **asked): return {"first.name": "plain"}'
RUN = ("run", "-m", "noop", "-d", "plane")


def metric(name, asks="", more="pass", version=1, value="1.0"):
    return METRIC.format(
        name=name, file=name.lower(), asks=set(asks.split()) or "()", more=more, version=version, value=value
    )


@pytest.fixture(scope="module")
def bench(new_bench):
    """A run that two metrics have scored; a third one is not about its action."""
    made = new_bench({
        "first.py": metric("First", "symmetry", FACTS),
        "total.py": metric("Total", "scores", value='float(len(asked["scores"]))'),
        "other.py": metric("Other", "symmetry", 'actions = ("field",)'),
    }, noop=True)  # fmt: skip
    made(*RUN, code=0)
    return made


def asked(bench, *more):
    """The record after another run, and how often that called the method and each metric."""
    names = ("noop", "first", "total", "other", "second")
    before = [bench.called(name) for name in names]
    bench(*RUN, *more, code=0)
    (record,) = bench.records()
    return record, tuple(bench.called(name) - earlier for name, earlier in zip(names, before, strict=True))


def own(scores):
    """The scores of the metrics of these tests; the installed ones score as well."""
    return {name for name in scores if name in ("first", "total", "other", "second")}


def test_a_metric_of_another_kind_of_action_neither_scores_nor_makes_stale(bench):
    record, again = asked(bench)
    assert again == (0, 0, 0, 0, 0)
    assert bench.called("other") == 0
    assert "other" not in record["metric_versions"]
    assert own(record["scores"]) == {"first", "total"}
    assert record["facts"] == {"first.name": "plain"}


def test_a_new_metric_alone_is_asked_and_its_scores_join_the_others(bench):
    (before,) = bench.records()
    bench.write("second.py", metric("Second", "symmetry", value="5.0"))
    assert "metrics to score again: second" in bench("status", code=0).out
    record, again = asked(bench)
    assert again == (0, 0, 1, 0, 1)
    assert record["scores"]["second"] == 5.0
    assert record["facts"] == before["facts"]
    kept = {name for name in before["scores"] if not name.startswith("total")}
    assert {name: record["scores"][name] for name in kept} == {name: before["scores"][name] for name in kept}
    spent = {key: value for key, value in record["cost"].items() if key.startswith("score_cpu_s.")}
    assert spent["score_cpu_s.first"] == before["cost"]["score_cpu_s.first"]
    assert "score_cpu_s.second" in spent
    assert record["cost"]["score_cpu_s"] == pytest.approx(sum(spent.values()), abs=1e-3)


def test_what_metrics_of_another_version_have_found_is_gone(bench):
    path = bench.folder / "first.py"
    path.write_text(path.read_text().replace("version = 1", "version = 2").replace(".detail", ".part"))
    record, again = asked(bench)
    assert again == (0, 1, 1, 0, 0)
    assert "first.part" in record["scores"]
    assert "first.detail" not in record["scores"]
    assert record["metric_versions"]["first"] == 2


def test_a_symmetry_that_is_discovered_anew_is_scored_by_all(bench):
    assert asked(bench, "--rerun", "all")[1] == (1, 1, 1, 0, 1)
    path = bench.folder / "second.py"
    path.write_text(path.read_text().replace("version = 1", "version = 2"))
    shutil.rmtree(bench.folder / "cache")
    assert asked(bench)[1] == (1, 1, 1, 0, 1)
