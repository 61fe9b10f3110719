"""What a dataset says of itself is kept, and asked for again when its files may be others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATASET = """
from bench.data import find_files

@dataclass(frozen=True)
class Folder(Dataset):
    track = ("identity", "norm", "linear")
    def files(self):
        note("files")
        return find_files("points", ("*.txt",), "write one")
    def load(self, split, seed): return Samples(torch.zeros(9, 2))
    def actions(self): return {"linear": Linear((2,))}
    def oracles(self): return {}
"""


@pytest.fixture
def bench(new_bench, tmp_path):
    for root in ("first", "second"):
        (tmp_path / root / "points").mkdir(parents=True)
    (tmp_path / "second" / "points" / "b.txt").touch()
    folders = os.pathsep.join(str(tmp_path / root) for root in ("first", "second"))
    return new_bench({"folder.py": DATASET}, datasets=False, BENCH_DATA=folders)


def fetched(bench) -> tuple[str, bool]:
    """The names of the dataset's files, and whether it was asked for them."""
    before = bench.called("files")
    out = bench("data", "fetch", "folder", "--plugin", bench.folder / "folder.py", code=0).out
    return " ".join(Path(path).name for path in out.split()), bench.called("files") > before


def test_a_file_that_comes_or_changes_is_noticed(bench, tmp_path):
    first, second = (tmp_path / root / "points" for root in ("first", "second"))
    assert fetched(bench) == ("b.txt", True)
    assert fetched(bench) == ("b.txt", False)
    (second / "c.txt").touch()
    assert fetched(bench) == ("b.txt c.txt", True)
    (second / "b.txt").write_text("other")
    assert fetched(bench) == ("b.txt c.txt", True)
    (first / "a.txt").touch()
    assert fetched(bench) == ("a.txt", True)
