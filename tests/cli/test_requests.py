"""The command line refuses what is wrong before anything is started: all errors at once, a line each, exit code 2."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cli.options import DURATION, MEMORY
from bench.cli.run import command
from bench.errors import BenchError
from bench.jobs.request import Request, problems, read_suite
from bench.jobs.specs import RunSpec, parse_seeds, parse_set, seed_ranges
from bench.plugins import Registry

SUITES = Path(__file__).parents[2] / "suites"
SUITE = """
name = "mine"
version = 3
[[run]]
methods = ["noop"]
datasets = ["plane"]
seeds = "0-1"
set = { "dataset.n" = 120 }
"""


@pytest.mark.parametrize(("text", "seeds"), [
    ("0", [0]), ("0-4", [0, 1, 2, 3, 4]), ("0,2,7-9", [0, 2, 7, 8, 9]), ("3,1,3", [1, 3]), (5, [5]),
])  # fmt: skip
def test_seeds(text, seeds):
    assert parse_seeds(text) == seeds


@given(st.sets(st.integers(0, 30), min_size=1))
def test_ranges_of_seeds_read_as_the_seeds(seeds):
    assert parse_seeds(seed_ranges(list(seeds))) == sorted(seeds)


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "1,,2", "4-0", "²", "1.5"])
def test_wrong_seeds(text):
    with pytest.raises(BenchError, match=r"seeds '.*' are .*as in 0-4"):
        parse_seeds(text)


@pytest.mark.parametrize(("text", "value"), [
    ("50", 50), ("1e-3", 1e-3), ("true", True), ("null", None), ("[1, 2]", [1, 2]), ("[0,1]", [0, 1]), ("1,2", [1, 2]),
    ("maximum_likelihood", "maximum_likelihood"), ("a,b", ["a", "b"]), ('"5"', "5"), ("", ""), ("x=y", "x=y"),
    ('{"a": 1}', {"a": 1}), ("NaN", "NaN"),
])  # fmt: skip
def test_settings(text, value):
    setting = parse_set(f"method.width={text}")
    assert (setting.target, setting.parameter, setting.value) == ("method", "width", value)


@pytest.mark.parametrize("text", ["epochs=5", "method.epochs", "method.=5", ".epochs=5", ""])
def test_wrong_settings(text):
    with pytest.raises(BenchError, match=r"is not of the form component.parameter=value \(as in method.epochs=50\)"):
        parse_set(text)


def test_the_product_of_methods_datasets_and_seeds_with_targeted_settings():
    settings = [parse_set(text) for text in ("method.a=1", "second.a=2", "dataset.n=3", "here.m=4", "vae.z=5")]
    runs = Request(["first", "second"], ["here", "there"], [0, 1], "vae", settings=settings).runs()
    assert [(run.dataset, run.method, run.seed) for run in runs] == [
        (dataset, method, seed) for dataset in ("here", "there") for method in ("first", "second") for seed in (0, 1)
    ]
    assert [run.set["method"]["a"] for run in runs] == [1, 1, 2, 2] * 2
    assert [run.set["dataset"] for run in runs] == [{"n": 3, "m": 4}] * 4 + [{"n": 3}] * 4
    assert all(run.set["representation"] == {"z": 5} for run in runs)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("1d", 86400)])
def test_durations(text, seconds):
    assert DURATION.convert(text, None, None) == seconds


@pytest.mark.parametrize(("text", "size"), [("800M", 800 * 2**20), ("4G", 2**32), ("1.5g", 3 * 2**29), ("1 MB", 2**20)])
def test_sizes(text, size):
    assert MEMORY.convert(text, None, None) == size


@pytest.mark.parametrize("words", [
    ["--timeout", "soon"], ["--timeout", "0"], ["--timeout", "-5m"], ["--memory", "4"], ["--memory", "0G"],
    ["--jobs", "0"], ["--rerun", "some"], ["--seed", "1"], ["extra"], ["--plugin", "missing.py"],
])  # fmt: skip
def test_wrong_options_are_one_line(bench, words):
    result = bench("run", "-m", "noop", "-d", "plane", *words, code=2)
    assert result.out == ""
    assert result.err.startswith("error: ")
    assert len(result.err.splitlines()) == 1


def test_all_errors_at_once(bench):
    words = ("--set", "epochs=5", "--set", "other.n=2", "--seeds", "x", "--budget", "smok", "--representation", "vea",
             "--jobs", "none", "--timeout", "soon", "--memory", "4", "--rerun", "some")  # fmt: skip
    result = bench("run", "-m", "nop", "-m", "noop", "-d", "plain", *words, code=2)
    lines = result.err.splitlines()
    assert len(lines) == 11
    assert all(line.startswith("error: ") for line in lines)
    for part in (
        "'epochs=5' is not of the form", "there is no 'other' here", "seeds 'x'", "no budget 'smok', did you mean",
        "no representation 'vea', did you mean 'vae'", "no method named 'nop', did you mean 'noop'?",
        "no dataset named 'plain', did you mean 'plane'?", "Invalid value for '--jobs'",
        "Invalid value for '--timeout'", "Invalid value for '--memory'", "Invalid value for '--rerun'",
    ):  # fmt: skip
        assert part in result.err


@pytest.mark.parametrize("words", [[], ["-m", "noop"], ["-d", "plane"]])
def test_what_is_left_out_is_asked_for_with_the_list(bench, words):
    err = bench("run", *words, code=2).err
    assert (re.search("no method is named. There are: .*kernel", err) is not None) == ("-m" not in words)
    assert bool(re.search(r"no dataset is named\. There are: .*plane, points", err)) == ("-d" not in words)


def test_a_suite_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(SUITE)
    name, (request,) = read_suite(path)
    assert name == "mine 3"
    nothing = {"representation": {}, "method": {}}
    assert request.runs() == [RunSpec("plane", "noop", seed, set={"dataset": {"n": 120}, **nothing}) for seed in (0, 1)]


@pytest.mark.parametrize("name", ["standard", "smoke", "cms_published"])
def test_the_suites_of_the_project_name_what_there_is(name):
    title, requests = read_suite(SUITES / f"{name}.toml")
    assert title.split()[0] == name
    registry = Registry()
    assert [line for request in requests for line in problems(request, registry)] == []
    runs = [run.slot for request in requests for run in request.runs()]
    assert len(runs) == len(set(runs))


def test_each_makes_a_run_of_every_combination(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(SUITE + 'each = { "dataset.task" = "0-1", "method.group" = ["C4", "C8"] }\n')
    (request,) = read_suite(path)[1]
    runs = request.runs()
    assert len(runs) == len({run.slot for run in runs}) == 8
    found = {(run.seed, run.set["dataset"]["task"], run.set["method"]["group"]) for run in runs}
    assert found == {(seed, task, group) for seed in (0, 1) for task in (0, 1) for group in ("C4", "C8")}
    assert {run.set["dataset"]["n"] for run in runs} == {120}


@pytest.mark.parametrize(("old", "new", "reason"), [
    ("set =", "each = 3\nset =", "run 1: each = 3 is not a table"),
    ("set =", 'each = { "dataset.n" = [] }\nset =', "run 1: each 'dataset.n' has no values"),
    ('"mine"', "mine", "mine.toml: Invalid value (at line 2"),
    ("version = 3\n", "", "a suite has the keys name, version and [[run]]"),
    ("version = 3", "version = 3\nowner = 1", "a suite has the keys name, version and [[run]]"),
    ("[[run]]", "[run]", "'run' is no list of tables"),
    ("methods", "method", "run 1: no key 'method', did you mean 'methods'? Allowed: action, budget"),
    ('["noop"]', '"noop"', "run 1: methods = 'noop' is not a list of names"),
    ('["noop"]', "[1]", "run 1: methods = [1] is not a list of names"),
    ('"0-1"', "[0, 1]", "run 1: seeds = [0, 1] is not a string as '0-4'"),
    ('"0-1"', '"zero"', "run 1: seeds 'zero' are not numbers or ranges"),
    ('{ "dataset.n" = 120 }', "5", "run 1: set = 5 is not a table"),
    ("dataset.n", "n", "run 1: --set 'n=0' is not of the form"),
    ("set =", "budget = 3\nset =", "run 1: budget = 3 is not a string"),
])  # fmt: skip
def test_wrong_suite_files_are_named(tmp_path, old, new, reason):
    path = tmp_path / "mine.toml"
    path.write_text(SUITE.replace(old, new))
    with pytest.raises(BenchError) as caught:
        read_suite(path)
    assert str(path) in str(caught.value)
    assert reason in str(caught.value)


def test_suites_and_their_names_are_checked_by_run_and_status(bench):
    assert "no such file" in bench("run", "--suite", "nowhere.toml", code=2).err.lower()
    assert "a suite says itself what to run" in bench("run", "--suite", "s.toml", "-m", "noop", code=2).err
    (bench.folder / "s.toml").write_text(SUITE.replace("noop", "nop"))
    for verb in ("run", "status"):
        assert "no method named 'nop', did you mean 'noop'?" in bench(verb, "--suite", "s.toml", code=2).err


def test_a_record_that_cannot_be_read_is_named(bench):
    path = bench.folder / "results" / "plane" / "noop" / "0123456789abcdef.json"
    path.parent.mkdir(parents=True)
    path.write_text('<<<<<<< ours\n{"schema": 1')
    line = f"error: {path}: not a record: JSONDecodeError"
    assert bench("leaderboard", code=1).err.startswith(line)
    status = bench("status", code=0).out
    assert "unreadable" in status
    assert "0123456789abcdef.json: not a record" in status.replace("\n", "")


def test_a_folder_that_cannot_be_written_is_one_line(bench):
    (bench.folder / "file").write_text("")
    err = bench("run", "-m", "noop", "-d", "plane", code=1, BENCH_CACHE=str(bench.folder / "file" / "cache")).err
    assert err.splitlines()[-1].startswith("error: ")
    assert "Not a directory" in err


def test_the_help_names_every_exit_code():
    assert "0 all runs are ok, 1 some failed, 2 wrong request, 3 nothing ran, 130 interrupted" in str(command.help)
