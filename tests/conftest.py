"""A small benchmark in a folder of its own, and the real command line to run it with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

HEAD = """
from __future__ import annotations
import os, time
from dataclasses import dataclass
from pathlib import Path
import torch
from bench.contracts import *
HERE = Path(__file__).parent

def note(name):
    with open(HERE / f"{name}.called", "a") as file: file.write("x")
"""

DATASETS = """
class Norm(Oracle):
    def forward(self, x): return x.square().sum(-1, keepdim=True)

@dataclass(frozen=True)
class Plane(Dataset):
    \"\"\"Gaussian points in the plane.

    Arguments:
        n: number of points.
    \"\"\"
    n: int = 200
    track = ("identity", "norm", "linear")
    def load(self, split, seed):
        x = torch.randn(self.n, 2, generator=torch.Generator().manual_seed(seed + len(split)))
        return Samples(x, (x[:, 0] > 0).long())
    def actions(self): return {"linear": Linear((2,))}
    def oracles(self): return {"norm": Norm()}
    def truth(self, action, law):
        return MatrixSymmetry.of(Linear((2,)), torch.tensor([[[0., -1.], [1., 0.]]]))

class Points(Plane):
    \"\"\"Points from a file.\"\"\"
    def files(self):
        if not (HERE / "points.txt").exists():
            raise BenchError("points.txt is not there", "put it beside the plugin")
        return [HERE / "points.txt"]
    def load(self, split, seed):
        numbers = [float(line) for line in (HERE / "points.txt").read_text().split()]
        x = torch.tensor(numbers).reshape(-1, 2)
        return Samples(x, (x[:, 0] > 0).long())
"""


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Bench:
    """`bench` in a folder: plugins are written there, cache and results stand there."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str, *, head: str = HEAD) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + text)
        return path

    @property
    def env(self) -> dict[str, str]:
        own = {"BENCH_CACHE": str(self.folder / "cache"), "BENCH_RESULTS": str(self.folder / "results")}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BENCH_")}
        return inherited | own | {"OMP_NUM_THREADS": "1", "COLUMNS": "250"} | self.environment

    def command(self, *words: Any) -> list[str]:
        verb = str(words[0]) if words else ""
        plugins = sorted(self.folder.glob("*.py")) if verb in ("run", "list", "show", "status", "doctor") else []
        loose = [word for plugin in plugins if not plugin.name.startswith("_") for word in ("--plugin", str(plugin))]
        return [sys.executable, "-m", "bench", *map(str, words), *loose]

    def __call__(self, *words: Any, code: int | None = None, **environment: str) -> Result:
        """Run a verb with all plugins of the folder; `code` is the exit code that is expected."""
        done = subprocess.run(
            self.command(*words), cwd=self.folder, env=self.env | environment, capture_output=True, text=True,
            timeout=240, check=False,
        )  # fmt: skip
        result = Result(done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in result.err, result.text
        assert code is None or result.code == code, result.text
        return result

    def start(self, *words: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*words), cwd=self.folder, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("results/*/*/*.json"))]

    def by(self, *names: str) -> dict[Any, dict[str, Any]]:
        """The records by parts of their spec."""
        found: dict[Any, dict[str, Any]] = {}
        for record in self.records():
            key = tuple(record["spec"][name] for name in names)
            assert key not in found, f"two records of {key}"
            found[key if len(names) > 1 else key[0]] = record
        return found

    def scores(self) -> Mapping[str, Any]:
        """What a table is made of: status and scores, by slot."""
        return {record["slot"]: (record["status"], record["scores"]) for record in self.records()}

    def called(self, name: str) -> int:
        """How often a plugin noted that it was called, as `note(name)` does."""
        path = self.folder / f"{name}.called"
        return path.stat().st_size if path.exists() else 0

    def processes(self) -> list[psutil.Process]:
        """All processes that this benchmark has started and that live, known by their environment."""
        return [process for process in psutil.process_iter() if _of(process, str(self.folder / "cache"))]

    def leftovers(self) -> list[Path]:
        """Half-written files and unfinished folders in results and cache."""
        parts = [path for path in self.folder.rglob(".*") if path.is_file()]
        return [*parts, *(self.folder / "cache" / "tmp").glob("*")]


def _of(process: psutil.Process, cache: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get("BENCH_CACHE") == cache
    except psutil.Error:
        return False


NOOP = """
@dataclass(frozen=True)
class Noop(Method):
    \"\"\"Finds nothing.\"\"\"
    uses = frozenset()
    def discover(self, task):
        note("noop")
        return NoSymmetry(task.action)
"""


@pytest.fixture(scope="module")
def new_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Bench]]:
    """Makes a benchmark of plugin files, name -> text; nothing that it started outlives the tests.

    With `noop` a method of that name is there, which finds nothing.
    """
    made: list[Bench] = []

    def make(
        files: Mapping[str, str] | None = None, *, datasets: bool = True, noop: bool = False, **environment: str
    ) -> Bench:
        bench = Bench(tmp_path_factory.mktemp("bench"), environment)
        if datasets:
            bench.write("data.py", DATASETS)
            (bench.folder / "points.txt").write_text("\n".join(str(((7 * i) % 23 - 11) / 5) for i in range(400)))
        if noop:
            bench.write("methods.py", NOOP)
        for name, text in (files or {}).items():
            bench.write(name, text)
        made.append(bench)
        return bench

    yield make
    for bench in made:
        for process in bench.processes():
            process.kill()


@pytest.fixture
def bench(new_bench: Callable[..., Bench]) -> Bench:
    """A benchmark with two datasets and a method that finds nothing."""
    return new_bench(noop=True)
