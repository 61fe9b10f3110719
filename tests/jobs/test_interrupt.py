"""Stopped at any moment, by Ctrl-C or by kill -9, a second call comes to the same table."""

from __future__ import annotations

import random
import signal
import time

import pytest

METHODS = """
@dataclass(frozen=True)
class Turn(Method):
    def discover(self, task):
        time.sleep(0.15)
        draw = torch.Generator().manual_seed(task.seed)
        return MatrixSymmetry.of(task.action, torch.randn(1, 2, 2, generator=draw))

class Still(Turn):
    uses = frozenset()
    def discover(self, task):
        time.sleep(0.15)
        return NoSymmetry(task.action)

class Long(Turn):
    def discover(self, task):
        while True:
            try: time.sleep(100)
            except KeyboardInterrupt: pass
"""
STUCK = """
class Stuck(Method):
    uses = frozenset()
    def discover(self, task): return NoSymmetry(task.action)
"""
RUN = ("run", "-m", "still", "-m", "turn", "-d", "plane", "--seeds", "0-2", "--jobs", "2")


@pytest.fixture(scope="module")
def reference(new_bench):
    """A benchmark that was never interrupted."""
    bench = new_bench({"methods.py": METHODS})
    bench(*RUN, code=0)
    return bench


@pytest.fixture
def bench(new_bench, reference):
    return new_bench({"methods.py": METHODS})


def gone(bench, within):
    """All that a benchmark has started ends within some seconds."""
    until = time.monotonic() + within
    while bench.processes():
        assert time.monotonic() < until, bench.processes()
        time.sleep(0.02)


def table(bench):
    """The printed table, but for the time it took."""
    out = bench(*RUN, code=0).out
    return [line.rpartition("│")[0].rpartition("│")[0] for line in out.splitlines() if line.startswith("│")]


def test_ctrl_c(bench, reference):
    running = bench.start(*RUN, "-m", "long")
    until = time.monotonic() + 60
    while not list(bench.folder.glob("results/*/still/*.json")):
        assert time.monotonic() < until
        time.sleep(0.05)
    begun = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert time.monotonic() - begun < 2
    assert err.splitlines()[-1] == "error: interrupted"
    assert "Traceback" not in err, err
    gone(bench, 0.5)
    records = bench.records()
    assert len(records) == 9, "a record for every planned run"
    stopped = [record for record in records if record["status"] != "ok"]
    assert stopped
    assert {(record["status"], record["reason"]) for record in stopped} == {("interrupted", "stopped by the user")}
    assert bench.leftovers() == []
    assert table(bench) == table(reference)
    finished = {slot: entry for slot, entry in bench.scores().items() if entry[0] == "ok"}
    assert finished == reference.scores()


def test_ctrl_c_while_plugins_are_described(bench):
    """Nothing is planned yet: no record, nothing half-done, and the next call describes again."""
    stuck = bench.write("stuck.py", "if not (HERE / 'free').exists(): time.sleep(1000)\n" + STUCK)
    running = bench.start("run", "-m", "stuck", "-m", "still", "-d", "plane")
    until = time.monotonic() + 60
    while not any("describe" in path.read_text() for path in bench.folder.glob("cache/tmp/*/request.json")):
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "error: interrupted"
    assert "Traceback" not in err, err
    gone(bench, 0.5)
    assert bench.records() == bench.leftovers() == []
    (stuck.parent / "free").touch()
    bench("run", "-m", "stuck", "-m", "still", "-d", "plane", code=0)


def test_kill_at_random_moments(bench, reference):
    """The parent is killed again and again, once it has workers and once it has records; nobody survives it."""
    draw = random.Random(7)
    for number in range(3):
        running = bench.start(*RUN)
        until = time.monotonic() + 60
        while number and not list(bench.folder.glob("cache/tmp/*")) and running.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 1.0))
        running.kill()
        running.communicate()
        gone(bench, 2)
        assert all(record["status"] == "ok" for record in bench.records())
    assert table(bench) == table(reference)
    assert bench.scores() == reference.scores()
    assert bench.leftovers() == []


def test_plainly_spawned_workers_come_to_the_same(reference):
    """Another way to start workers, the same result; what was described before is not asked again."""
    before = reference.scores()
    one = ("run", "-m", "turn", "-d", "plane", "--rerun", "all", "--jobs", "2")
    reference(*one, code=0, BENCH_WORKERS="spawn")
    assert reference.scores() == before
    gone(reference, 0.5)
