"""What is run again and why: exactly the runs that an edit affects."""

from __future__ import annotations

import json
import shutil

import pytest

PLAIN = """
@dataclass(frozen=True)
class Plain(Method):
    speed: float = 1.0
    uses = frozenset()
    def discover(self, task):
        note("plain")
        return NoSymmetry(task.action)
"""
HELPED = """
from .helper import ANGLE

@dataclass(frozen=True)
class Helped(Method):
    uses = frozenset()
    def discover(self, task):
        note("helped")
        return NoSymmetry(task.action)
"""
FLAKY = """
@dataclass(frozen=True)
class Flaky(Method):
    uses = frozenset()
    def discover(self, task):
        note("flaky")
        if not (HERE / "mended").exists(): raise RuntimeError("not today")
        return NoSymmetry(task.action)
"""
METRIC = """
class Counted(Metric):
    version = 1
    asks = frozenset({"symmetry"})
    def score(self, symmetry):
        note("score")
        return {"counted": 10.0 * self.version + symmetry.K}
"""
RUN = ("run", "-m", "plain", "-m", "helped", "-d", "plane", "-d", "points")


@pytest.fixture(scope="module")
def bench(new_bench):
    """Four runs that are done; a test leaves all of them fresh again."""
    bench = new_bench({"plain.py": PLAIN, "helped.py": HELPED, "counted.py": METRIC})
    (bench.folder / "helper").mkdir()
    (bench.folder / "helper" / "__init__.py").write_text("ANGLE = 1\n")
    bench(*RUN, code=0)
    return bench


def calls(bench):
    return bench.called("plain"), bench.called("helped"), bench.called("score")


def again(bench, *more):
    """How often plain, helped and the metric are called by another run."""
    before = calls(bench)
    bench(*RUN, *more, code=0)
    return tuple(after - earlier for earlier, after in zip(before, calls(bench), strict=True))


def states(bench):
    """(dataset, method) -> state and reason, as `bench status` prints them."""
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in bench("status", "--all").out.splitlines()
            if line.startswith("│")]  # fmt: skip
    return {(row[0], row[1]): (row[3], row[4]) for row in rows}


def test_what_is_up_to_date_is_not_run_again(bench):
    assert again(bench) == (0, 0, 0)
    assert set(states(bench).values()) == {("fresh", "up to date")}
    assert bench("status", code=0).out.strip() == "4 fresh"


def test_an_edited_data_file_makes_its_dataset_stale(bench):
    with (bench.folder / "points.txt").open("a") as file:
        file.write("\n0.5\n-0.5")
    found = states(bench)
    assert {key for key, (state, _) in found.items() if state == "stale"} == {("points", "plain"), ("points", "helped")}
    assert found["points", "plain"][1] == "changed: dataset files"
    assert again(bench) == (1, 1, 2)
    assert again(bench) == (0, 0, 0)


def test_an_edited_helper_makes_the_plugins_that_import_it_stale(bench):
    (bench.folder / "helper" / "__init__.py").write_text("ANGLE = 2\n")
    found = states(bench)
    assert {key for key, (state, _) in found.items() if state == "stale"} == {("plane", "helped"), ("points", "helped")}
    assert found["plane", "helped"][1] == "changed: method source"
    assert again(bench, "--rerun", "missing") == (0, 0, 0)
    assert again(bench) == (0, 2, 2)


def test_a_parameter_is_another_run(bench):
    before = len(bench.records())
    assert again(bench, "--set", "points.n=150", "--set", "plain.speed=3") == (2, 1, 3)
    assert len(bench.records()) == before + 3


def test_a_changed_default_and_a_raised_metric(bench):
    """A new default is discovered anew; a new version of a metric is scored anew, and discovers nothing."""
    for path in bench.folder.glob("results/*/*/*.json"):
        if json.loads(path.read_text())["spec"]["set"]:
            path.unlink()
    for name, old, new in (("plain", "speed: float = 1.0", "speed: float = 2.0"), ("counted", "= 1", "= 2")):
        path = bench.folder / f"{name}.py"
        path.write_text(path.read_text().replace(old, new))
    found = states(bench)
    assert {why for (_, method), (_, why) in found.items() if method == "plain"} == {
        "changed: method source, method parameters"
    }
    assert {why for (_, method), (_, why) in found.items() if method == "helped"} == {"metrics to score again: counted"}
    assert again(bench) == (2, 0, 4)
    assert {record["scores"]["counted"] for record in bench.records()} == {20.0}
    assert {record["metric_versions"]["counted"] for record in bench.records()} == {2}


def test_a_metric_that_is_broken_leaves_the_records_as_they_are(bench):
    path = bench.folder / "counted.py"
    text = path.read_text()
    path.write_text(text + "\nimport no_such_module_at_all\n")
    result = bench(*RUN, code=0)
    assert "note: metric 'counted' is broken and scores nothing: ModuleNotFoundError" in result.err
    assert all("counted" in record["scores"] for record in bench.records())
    path.write_text(text)


def test_records_outlive_the_cache_and_rerun_all_discovers_again(bench):
    shutil.rmtree(bench.folder / "cache")
    assert again(bench) == (0, 0, 0)
    assert again(bench, "--rerun", "all") == (2, 2, 4)


def test_what_failed_is_run_again_only_on_demand(new_bench):
    bench = new_bench({"flaky.py": FLAKY})
    run = ("run", "-m", "flaky", "-d", "plane")
    assert "plane/flaky#0: failed: RuntimeError: not today" in bench(*run, code=1).out
    (bench.folder / "mended").write_text("")
    assert "[before; --rerun failed tries again]" in bench(*run, code=1).out
    assert bench.called("flaky") == 1
    bench(*run, "--rerun", "failed", code=0)
    assert bench.called("flaky") == 2


def test_damaged_artifacts_are_made_again_or_named(bench):
    folders = [bench.folder / "cache" / record["symmetry"] for record in bench.records()]
    shutil.rmtree(bench.folder / "results")
    for path in bench.folder.glob("cache/jobs/*/*/outcome.json"):
        if '"counted"' in path.read_text():
            shutil.rmtree(path.parent)
    cut, gone, halved, flipped = folders
    (cut / "symmetry.safetensors").write_bytes((cut / "symmetry.safetensors").read_bytes()[:-1])
    (gone / "symmetry.json").unlink()
    (halved / "outcome.json").write_text('{"status": "ok"')
    content = (flipped / "symmetry.safetensors").read_bytes()
    (flipped / "symmetry.safetensors").write_bytes(b"\xff" * len(content))
    before = calls(bench)
    result = bench(*RUN, code=1)
    assert sum(calls(bench)[:2]) - sum(before[:2]) == 3
    (failed,) = [record for record in bench.records() if record["status"] != "ok"]
    assert f"{flipped}/symmetry.safetensors does not load" in failed["reason"]
    assert "delete its folder and run again" in result.out
