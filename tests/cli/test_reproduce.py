"""bench reproduce: claims are read, run, judged and written."""

from __future__ import annotations

import json
from itertools import product

import pytest

from bench.errors import BenchError
from bench.reproductions.claims import chosen, read_claims

METRIC = """
class Seeded(Metric):
    version = 1
    asks = frozenset({"test"})
    def score(self, test):
        return {"seeded": float(test.samples.x[0, 0] > -100), "seeded.empty": None}
"""
FAR = """
@dataclass(frozen=True)
class Far(Dataset):
    track = ("identity", "norm", "linear")
    def files(self): raise BenchError("numbers.gz is nowhere", "put it into BENCH_DATA")
    def load(self, split, seed): raise AssertionError
    def actions(self): return {"linear": Linear((2,))}
    def oracles(self): return {}
"""
CLAIMS = """
name = "claims"
version = 1

[[claim]]
name = "right"
claim = "It finds nothing."
source = "a paper"
run = { method = "noop", dataset = "plane", seeds = "0-1" }
check = [
    { figure = "seeded", at_least = 1, published = "1" },
    { figure = "cost.cpu_s", over = "mean" },
    { figure = "seeded", over = "share", counts = [1, 1], at_least = 1 },
]

[[claim]]
name = "wrong"
claim = "It finds less."
source = "another | paper"
run = { method = "noop", dataset = "plane", each = { "dataset.n" = [150, 200] } }
check = [{ figure = "seeded", over = "median", at_most = 0.5 }, { figure = "seeded.empty", over = "mean" }]

[[claim]]
name = "elsewhere"
claim = "It is not installed."
source = "a third paper"
run = { method = "nope", dataset = "plane" }
check = [{ figure = "seeded", at_least = 1 }]
"""


@pytest.fixture(scope="module")
def bench(new_bench):
    bench = new_bench({"seeded.py": METRIC}, noop=True)
    (bench.folder / "suites").mkdir()
    (bench.folder / "suites" / "reproductions.toml").write_text(CLAIMS)
    return bench


def plugins(bench):
    return [word for file in sorted(bench.folder.glob("*.py")) for word in ("--plugin", file)]


def verdicts(result):
    return [(one["name"], one["figure"], one["verdict"]) for one in json.loads(result.out)]


def test_claims_are_judged_by_runs_that_are_kept(bench):
    result = bench("reproduce", "--json", *plugins(bench), code=1)
    assert verdicts(result) == [
        ("right", "seeded", "reached"), ("right", "cost.cpu_s", "shown"), ("right", "seeded", "reached"),
        ("wrong", "seeded", "not reached"), ("wrong", "seeded.empty", "failed"), ("elsewhere", "seeded", "missing"),
    ]  # fmt: skip
    found = {(one["name"], one["figure"]): one for one in json.loads(result.out)}
    assert found["right", "seeded"]["runs"] == found["wrong", "seeded"]["runs"] == 2
    assert found["wrong", "seeded.empty"]["reason"] == "2 of 2 runs have no seeded.empty"
    assert found["elsewhere", "seeded"]["reason"].startswith("no method named 'nope'")
    assert bench.called("noop") == 3
    assert len(list(bench.folder.glob("results/reproductions/plane/noop/*.json"))) == 3
    assert bench.records() == []


def test_what_is_reached_exits_with_0_and_the_page_shows_what_was_asked(bench):
    result = bench("reproduce", "right", "--output", "page.md", *plugins(bench), code=0)
    assert "2 reached, 1 shown" in result.out
    assert bench.called("noop") == 3
    bench("reproduce", "--judge", "--output", "page.md", *plugins(bench), code=1)
    page = (bench.folder / "page.md").read_text()
    assert "| worst seeded, wanted ≥ 1 | 1 | 1 (2 runs) | reached |" in page
    assert "It finds less. Source: another | paper." in page
    assert page.startswith("# Reproductions")


def test_a_device_that_is_not_here_is_refused(bench):
    result = bench("reproduce", "right", "--device", "abacus", code=2)
    assert "'abacus' cannot be used" in result.err
    assert result.err.count("\n") == 1


def test_records_of_other_code_say_nothing(bench):
    path = bench.folder / "methods.py"
    path.write_text(path.read_text() + "\n# edited\n")
    result = bench("reproduce", "right", "--judge", "--json", *plugins(bench), code=1)
    assert {verdict for _, _, verdict in verdicts(result)} == {"missing"}
    assert "2 of 2 runs were never run" in result.out


def test_data_that_are_not_here_are_what_is_missing(new_bench):
    bench = new_bench({"seeded.py": METRIC, "far.py": FAR}, noop=True)
    (bench.folder / "suites").mkdir()
    text = CLAIMS.replace('method = "noop", dataset = "plane", seeds', 'method = "noop", dataset = "far", seeds')
    (bench.folder / "suites" / "reproductions.toml").write_text(text)
    result = bench("reproduce", "right", "--judge", "--json", *plugins(bench), code=1)
    assert {verdict for _, _, verdict in verdicts(result)} == {"missing"}
    assert "numbers.gz is nowhere" in result.out


@pytest.mark.parametrize(("old", "new", "said"), [
    ('over = "mean"', 'over = "best"', "over = 'best'; allowed are worst, median, mean, share"),
    ("at_least = 1, published", "at_leest = 1, published", "no key 'at_leest', did you mean 'at_least'?"),
    ("at_least = 1, published", "published", "the worst of a figure without a limit"),
    ("at_most = 0.5", "at_most = '0.5'", "a limit is '0.5'"),
    ("at_most = 0.5", "at_most = 0.5, at_least = 0.1", "at_most and at_least"),
    ('name = "wrong"', 'name = "right"', "two claims are called right"),
    ('source = "a paper"', "", "claim 1 lacks source"),
    ('"0-1"', '"0-x"', "seeds '0-x' are not numbers"),
    ('"dataset.n"', '"n"', "is not of the form component.parameter=value"),
    ("[[claim]]", "[[claims]]", "has no claims"),
])  # fmt: skip
def test_a_wrong_suite_is_one_line_of_what_to_mend(tmp_path, old, new, said):
    file = tmp_path / "claims.toml"
    file.write_text(CLAIMS.replace(old, new))
    with pytest.raises(BenchError) as error:
        read_claims(file)
    assert said in str(error.value)
    assert str(error.value).startswith(str(file))
    assert error.value.usage
    assert len(str(error.value).splitlines()) == 1


def test_a_wrong_name_is_answered_with_the_right_ones(tmp_path):
    (tmp_path / "claims.toml").write_text(CLAIMS)
    claims = read_claims(tmp_path / "claims.toml")
    assert [claim.name for claim in chosen(claims, [])] == ["right", "wrong", "elsewhere"]
    with pytest.raises(BenchError, match="no claim 'rihgt', did you mean 'right'"):
        chosen(claims, ["rihgt"])


def test_each_value_and_each_seed_is_a_run(tmp_path):
    text = CLAIMS.replace("each = {", 'seeds = "0-2", each = { "method.speed" = "1-2",')
    (tmp_path / "claims.toml").write_text(text)
    runs = read_claims(tmp_path / "claims.toml")[1].request.runs()
    assert {(run.seed, run.set["dataset"]["n"], run.set["method"]["speed"]) for run in runs} == set(
        product((0, 1, 2), (150, 200), (1, 2))
    )
