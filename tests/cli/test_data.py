"""bench data build on a small builder: resumed, the same bytes from any number of processes, nothing half-written."""

from __future__ import annotations

import pytest

BUILDER = """
import os
from dataclasses import dataclass
from pathlib import Path
from bench.contracts.builder import Builder, chunk_seed
from bench.errors import BenchError

@dataclass(frozen=True)
class Words(Builder):
    events = 3
    forms = ("text", "capitals")
    seed: int = 0
    pileup: float = 0.0
    def chunk(self, index, count, path):
        path.write_text("half")
        if index == 2 and (Path(__file__).parent / "broken").exists():
            raise BenchError("the generator stopped", "mend it")
        path.write_text("".join(f"event {chunk_seed(self.seed, index)} {i} {self.pileup}\\n" for i in range(count)))
    def join(self, chunks, path, form):
        text = "".join(chunk.read_text() for chunk in chunks)
        path.write_text(text.upper() if form == "capitals" else text)
"""
DATASETS = """
class Told(Dataset):
    builder = "words_builder:Words"
    track = ("identity", "none", "linear")
    def load(self, split, seed): return Samples(torch.zeros(1, 2), torch.zeros(1))
    def actions(self): return {}
    def oracles(self): return {}
"""


@pytest.fixture(scope="module")
def bench(new_bench):
    bench = new_bench({"told.py": DATASETS})
    (bench.folder / "words_builder.py").write_text(BUILDER)
    bench.environment["PYTHONPATH"] = str(bench.folder)
    return bench


def build(bench, *words, code=0):
    return bench("data", "build", "told", "--plugin", "told.py", *words, code=code)


def test_the_bytes_are_those_of_the_seed_alone(bench):
    asked = ["--events", 11, "--seed", 4, "--pileup", 20, "--format", "capitals"]
    build(bench, *asked, "--jobs", 1, "--out", "one")
    build(bench, *asked, "--jobs", 3, "--out", "three")
    one, three = ((bench.folder / name).read_text() for name in ("one", "three"))
    assert one == three
    assert one.isupper()
    assert [line.split()[-2:] for line in one.splitlines()] == [[str(i % 3), "20.0"] for i in range(11)]
    assert not list(bench.folder.glob("*.chunks"))


def test_what_failed_goes_on_where_it_was(bench):
    (bench.folder / "broken").touch()
    failed = build(bench, "--events", 12, "--jobs", 1, "--out", "words", code=1)
    assert failed.err.splitlines()[-1] == "error: the generator stopped (mend it)"
    assert not (bench.folder / "words").exists()
    assert sorted(path.name for path in (bench.folder / "words.chunks").iterdir()) == ["000000", "000001", "asked.json"]
    other = build(bench, "--events", 12, "--seed", 1, "--out", "words", code=1)
    assert "words.chunks holds chunks of another request" in other.err
    (bench.folder / "broken").unlink()
    assert "2 of 4 chunks from before" in build(bench, "--events", 12, "--out", "words").out
    assert len((bench.folder / "words").read_text().splitlines()) == 12
    assert bench.leftovers() == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--out", "told.py"], "told.py is there already (name another --out, or remove it)"),
        (["--out", "x", "--format", "gold"], "no format 'gold'. There are: text, capitals"),
        (["--out", "x", "--set", "seed"], "--set 'seed' is not of the form NAME=VALUE"),
        (["--out", "none/x"], "no folder none (make it, or name another --out)"),
    ],
)
def test_a_wrong_request_is_one_line(bench, words, text):
    result = build(bench, "--events", 3, *words, code=2)
    assert text in result.err
    assert len(result.err.splitlines()) == 1
    assert not list(bench.folder.glob("*.chunks"))


def test_a_dataset_without_builder_says_so(bench):
    result = bench("data", "build", "plane", "--plugin", "data.py", "--events", 1, "--out", "x", code=2)
    assert "dataset 'plane' cannot be simulated" in result.err


def test_what_is_there_is_listed_fetched_and_described(bench):
    plugin = ["--plugin", "data.py", "--plugin", "told.py"]
    listed = bench("data", "list", *plugin, code=0).out
    assert [line.split("│")[4].strip() for line in listed.splitlines() if "told" in line] == ["yes"]
    assert bench("data", "fetch", "points", *plugin, code=0).out.strip() == str(bench.folder / "points.txt")
    described = bench("data", "describe", "plane", "--set", "n=70", *plugin, code=0).out
    assert [row.split("│")[2].strip() for row in described.splitlines() if "train" in row] == ["70"]
    (bench.folder / "points.txt").rename(bench.folder / "gone.txt")
    missing = bench("data", "fetch", "points", *plugin, code=1)
    assert missing.err == "error: points.txt is not there (put it beside the plugin)\n"
