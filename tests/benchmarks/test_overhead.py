"""What the harness itself costs, over what a method and its metrics do: `make bench`.

The method and the metric do nothing, so all of the time is the harness's: two forks, requests, artifact, outcome,
record. The server has started and the plugins are described before the clock runs; one worker at a time.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from itertools import count

import pytest

from bench.cli.session import session
from bench.jobs.engine import Engine, due
from bench.jobs.specs import RunSpec
from bench.plugins import Registry

RUNS = 20
PLUGINS = """
@dataclass(frozen=True)
class Noop(Method):
    uses = frozenset()
    def discover(self, task): return NoSymmetry(task.action)

class Nothing(Metric):
    version = 1
    asks = frozenset({"symmetry"})
    def score(self, symmetry): return {"nothing": float(symmetry.K)}
"""


class OneMetric(Registry):
    """The registry without the metrics of the installation."""

    def all(self, kind):
        return [plugin for plugin in super().all(kind) if kind != "metric" or plugin.file]


@pytest.fixture(scope="module")
def opened(new_bench):
    bench = new_bench({"methods.py": PLUGINS})
    patch = pytest.MonkeyPatch()
    patch.setenv("BENCH_CACHE", str(bench.folder / "cache"))
    registry = OneMetric(sorted(bench.folder.glob("*.py")))
    with session(results=bench.folder / "results", jobs=1, registry=registry) as opened:
        run(opened, specs(0, 2))
        yield opened
    patch.undo()


def specs(first, number):
    return [RunSpec("plane", "noop", seed) for seed in range(first, first + number)]


def run(opened, asked):
    chosen = [run for run in opened.planner.plan(asked) if due(run, "stale")]
    records = Engine(opened.cache, opened.store, opened.pool).execute(chosen)
    assert all(record.status == "ok" for record in records)
    return len(records)


@pytest.mark.benchmark(group="20 runs")
def test_no_op_runs(benchmark, opened):
    """<= 30 ms a run: divide by 20."""
    first = count(100, RUNS)
    made = benchmark.pedantic(
        run, setup=lambda: ((opened, specs(next(first), RUNS)), {}), rounds=5 if benchmark.enabled else 1
    )
    assert made == RUNS


@pytest.mark.benchmark(group="20 runs")
def test_cached_runs(benchmark, opened):
    """<= 5 ms a run that is up to date: divide by 20."""
    asked = specs(0, RUNS)
    run(opened, asked)
    assert benchmark(run, opened, asked) == 0


@pytest.mark.benchmark(group="20 runs")
def test_runs_whose_records_are_lost_and_whose_jobs_are_cached(benchmark, opened):
    asked = specs(0, RUNS)
    run(opened, asked)
    made = benchmark.pedantic(
        run, setup=lambda: shutil.rmtree(opened.store.root), args=(opened, asked), rounds=5 if benchmark.enabled else 1
    )
    assert made == RUNS


@pytest.mark.parametrize("words", [["--help"], ["list"], ["run", "-m", "latent_flw"]], ids=" ".join)
@pytest.mark.benchmark(group="start of the command line")
def test_start(benchmark, words):
    """< 0.3 CPU-seconds."""
    used = []

    def start():
        before = children()
        subprocess.run([sys.executable, "-m", "bench", *words], capture_output=True, check=False)
        used.append(children() - before)

    benchmark.pedantic(start, rounds=5 if benchmark.enabled else 1)
    benchmark.extra_info["cpu_s"] = min(used)
    assert min(used) < 0.3 or not benchmark.enabled


def children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
