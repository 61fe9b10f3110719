"""The verbs on a small benchmark: what they print, and how they end."""

from __future__ import annotations

import json

import pytest

METHODS = """
@dataclass(frozen=True)
class Scaled(Method):
    \"\"\"Turns at a speed.

    Arguments:
        speed: how fast, in radians.
        names: some words.
    \"\"\"
    speed: float = 1.0
    names: tuple[str, ...] = ("a", "b")
    paper = "arXiv:2302.00806"
    def discover(self, task):
        torch.manual_seed(0)
        return MatrixSymmetry.of(task.action, self.speed * torch.tensor([[[0., -1.], [1., 0.]]]))

class OnImages(Scaled):
    \"\"\"Searches in images only.\"\"\"
    actions = ("image_affine",)

class Slow(Scaled):
    uses = frozenset()
    def discover(self, task):
        for step in range(3):
            task.progress(step + 1, 3, 0.5)
        return NoSymmetry(task.action)
"""
SUITE = """
name = "two"
version = 1
[[run]]
methods = ["scaled"]
datasets = ["plane"]
[[run]]
methods = ["scaled", "slow"]
datasets = ["plane"]
seeds = "1"
set = { "scaled.speed" = 2.0 }
"""


@pytest.fixture(scope="module")
def bench(new_bench):
    bench = new_bench({"methods.py": METHODS})
    (bench.folder / "two.toml").write_text(SUITE)
    return bench


@pytest.fixture(scope="module")
def ran(bench):
    return bench("run", "--suite", "two.toml", code=0)


def test_a_suite_runs_and_its_name_is_in_the_records(bench, ran):
    assert len(bench.records()) == 3
    assert {record["provenance"]["suite"] for record in bench.records()} == {"two 1"}
    assert "Results" in ran.out
    assert "scaled (speed=2.0)" in ran.out
    assert "plane/slow#1 discover: started" in ran.err


def test_records_say_what_was_asked_and_what_was_used(bench, ran):
    record = bench.by("method", "seed")["scaled", 1]
    assert record["spec"]["set"] == {"method": {"speed": 2.0}}
    assert record["spec"]["params"]["method"] == {"speed": 2.0, "names": ["a", "b"]}
    assert (record["spec"]["representation"], record["spec"]["oracle"], record["spec"]["action"]) == (
        "identity", "norm", "linear"
    )  # fmt: skip
    assert record["provenance"]["method"] == {"uses": ["oracle"], "control": False}
    assert record["cost"]["cpu_s"] >= 0
    assert bench.by("method", "seed")["slow", 1]["cost"]["steps"] == 3
    assert (bench.folder / "cache" / record["symmetry"] / "symmetry.safetensors").exists()


def test_a_dry_run_prints_the_plan_and_runs_nothing(bench, ran):
    out = bench("run", "-m", "scaled", "-d", "plane", "--seeds", "0-1", "--dry-run", code=0).out
    rows = [[cell.strip() for cell in line.split("│")][4:8] for line in out.splitlines() if line.startswith("│")]
    assert rows == [["0", "keep", "up to date", "discover, score"], ["1", "run", "never run", ""]]
    assert len(bench.records()) == 3


def test_settings_equal_to_the_default_are_the_same_run(bench, ran):
    settings = ("--set", "method.speed=1", "--set", "dataset.n=200", "--set", "method.names=a,b")
    names = ("--representation", "identity", "--oracle", "norm", "--action", "linear")
    result = bench("run", "-m", "scaled", "-d", "plane", *settings, *names, "--json", code=0)
    (record,) = json.loads(result.out)
    assert record == bench.by("method", "seed")["scaled", 0]
    assert result.err == ""


def test_wrong_parameters_are_usage_errors_all_at_once(bench, ran):
    settings = ("--set", "scaled.sped=2", "--set", "slow.speed=fast", "--set", "dataset.n=many")
    names = ("--set", "identity.k=1", "--oracle", "nrm", "--action", "linar", "--representation", "identity")
    err = bench("run", "-m", "scaled", "-m", "slow", "-d", "plane", *settings, *names, code=2).err
    assert len(err.splitlines()) == 6
    assert "dataset 'plane' in the representation 'identity' has no action 'linar', did you mean 'linear'?" in err
    assert "dataset 'plane' has no oracle 'nrm', did you mean 'norm'?" in err
    assert "representation 'identity' has no parameter 'k'" in err
    assert "method 'scaled' has no parameter 'sped', did you mean 'speed'? There are: speed, names" in err
    assert "method 'slow': speed=\"fast\": Input should be a valid number" in err
    assert "dataset 'plane': n=\"many\": Input should be a valid integer" in err


def test_wrong_names_of_a_track(bench, ran):
    err = bench("run", "-m", "scaled", "-d", "plane", "--oracle", "nrm", code=2).err
    assert "dataset 'plane' has no oracle 'nrm', did you mean 'norm'? There are: norm" in err
    err = bench("run", "-m", "scaled", "-d", "plane", "--representation", "identity", "--action", "field", code=2).err
    assert "dataset 'plane' in the representation 'identity' has no action 'field'" in err


def test_nothing_ran(bench, ran):
    result = bench("run", "-m", "on_images", "-d", "plane", code=3)
    assert "skipped: method 'on_images' does not search in the action 'linear', only in image_affine" in result.out


def test_show(bench, ran):
    out = bench("show", "method", "scaled", code=0).out
    for part in ("Turns at a speed.", "arXiv:2302.00806", "uses:         oracle", "speed = 1.0  [float]", "in radians",
                 'names = ["a", "b"]'):  # fmt: skip
        assert part in out
    out = bench("show", "dataset", "plane", code=0).out
    for part in ("Gaussian points", "oracle norm, action linear", "linear: norm", "n = 200  [int]", "number of points"):
        assert part in out
    assert "did you mean 'scaled'?" in bench("show", "method", "scald", code=2).err


def test_status_filters_and_counts(bench, ran):
    out = bench("status", "-m", "scaled", "--all", code=0).out
    assert out.splitlines()[-1] == "2 fresh"
    assert "slow" not in out


def test_records_that_differ_in_the_seed_alone_are_one_row(bench, ran):
    bench("run", "-m", "scaled", "-d", "plane", "--seeds", "1-2", code=0)
    rows = [line for line in bench("status", "--all", code=0).out.splitlines() if " scaled  " in line]
    assert len(rows) == 1
    assert [cell.strip() for cell in rows[0].split("│")[3:5]] == ["0-2", "fresh"]


def test_a_record_whose_plugin_is_gone_is_an_orphan(bench, ran):
    (path,) = (bench.folder / "results" / "plane" / "slow").glob("*.json")
    orphan = path.parent.parent / "sloow" / path.name
    orphan.parent.mkdir()
    orphan.write_text(path.read_text().replace('"slow"', '"sloow"'))
    out = bench("status", code=0).out
    orphan.unlink()
    assert "orphan" in out
    assert "no method named 'sloow', did you mean 'slow'?" in out


def test_doctor(bench, ran):
    path = bench.write("bad.py", "import nothing_there\nclass Bad(Method): pass\n")
    out = bench("doctor", code=1).out
    path.unlink()
    for part in ("ok  python", "ok  torch", "ok  cache (BENCH_CACHE)", "ok  method scaled", "ok  dataset plane",
                 "BAD method bad                        broken: ModuleNotFoundError"):  # fmt: skip
        assert part in out


@pytest.mark.parametrize("verb", ["run", "list", "show", "status", "reproduce", "coordinates", "leaderboard", "data",
                                  "doctor"])  # fmt: skip
def test_every_verb_has_help(bench, verb):
    assert f"Usage: python -m bench {verb}" in bench(verb, "--help", code=0).out
