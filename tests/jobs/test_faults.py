"""Whatever a plugin does, every run leaves a record that says so, and all other runs finish."""

from __future__ import annotations

import json
import time

import pytest

METHODS = """
@dataclass(frozen=True)
class Rotation(Method):
    def discover(self, task): return MatrixSymmetry.of(task.action, torch.tensor([[[0., -1.], [1., 0.]]]))

@dataclass(frozen=True)
class Noop(Method):
    def discover(self, task): return NoSymmetry(task.action)

class Raises(Noop):
    def discover(self, task): raise ValueError("no such thing\\nsecond line")

class Segfault(Noop):
    def discover(self, task):
        import ctypes
        ctypes.string_at(0)

class Hang(Noop):
    def discover(self, task):
        while True:
            try: time.sleep(1000)
            except BaseException: pass

class HangHard(Noop):
    def discover(self, task):
        import signal
        signal.signal(signal.SIGINT, signal.SIG_IGN), signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(1000)

class Hog(Noop):
    def discover(self, task):
        held = []
        while True: held.append(torch.ones(2_000_000))

class Infinite(Noop):
    def discover(self, task): return MatrixSymmetry.of(task.action, torch.full((1, 2, 2), float("nan")))

class Flat(Noop):
    def discover(self, task): return Shapeless(task.action, 1)

class Shapeless(Symmetry):
    def velocity(self, x): return x
    def config(self): return {"K": 1}

class Text(Noop):
    def discover(self, task): return "a rotation"

class Exits(Noop):
    def discover(self, task): raise SystemExit(0)

class Leaves(Noop):
    def discover(self, task): os._exit(0)

class Prints(Noop):
    def discover(self, task):
        for line in range(20_000): print("line", line)
        return NoSymmetry(task.action)

class PrintsAndRaises(Noop):
    def discover(self, task):
        for line in range(20_000): print("line", line)
        raise RuntimeError("after all")

class Forks(Noop):
    def discover(self, task):
        for session in (False, True):
            if os.fork() == 0:
                if session: os.setsid()
                time.sleep(1000)
        return NoSymmetry(task.action)

class Abstract(Method):
    pass

class NanLoss(Noop):
    def discover(self, task):
        task.progress(1, 1, float("nan"))
        return NoSymmetry(task.action)
"""
NAMES = (
    "rotation", "noop", "raises", "segfault", "hang", "hang_hard", "hog", "infinite", "flat", "text", "exits",
    "leaves", "prints", "prints_and_raises", "forks", "abstract", "nan_loss",
)  # fmt: skip
EXPECTED = {
    "rotation": ("ok", None),
    "noop": ("ok", None),
    "prints": ("ok", None),
    "forks": ("ok", None),
    "nan_loss": ("ok", None),
    "raises": ("failed", "ValueError: no such thing"),
    "segfault": ("crashed", "SIGSEGV during discover"),
    "hang": ("timeout", "longer than 10 s"),
    "hang_hard": ("timeout", "longer than 10 s"),
    "hog": ("oom", "GB of memory, limit 1.00 GB"),
    "infinite": ("failed", "non-finite values in 'generators'"),
    "flat": ("failed", "expected (K, B, *s) = (1, 64, 2)"),
    "text": ("failed", "returned a str, not a Symmetry"),
    "exits": ("failed", "called sys.exit(0)"),
    "leaves": ("crashed", "exit code 0 and no outcome"),
    "prints_and_raises": ("failed", "RuntimeError: after all"),
    "abstract": ("failed", "does not implement discover"),
}


@pytest.fixture(scope="module")
def faulty(new_bench):
    bench = new_bench({"methods.py": METHODS})
    chosen = [word for name in NAMES for word in ("-m", name)]
    begun = time.monotonic()
    result = bench("run", *chosen, "-d", "plane", "--timeout", "10s", "--memory", "1G", "--jobs", "4", code=1)
    return bench, result, time.monotonic() - begun


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_leaves_its_status_and_reason(faulty, name):
    record = faulty[0].by("method")[name]
    status, reason = EXPECTED[name]
    assert record["status"] == status
    assert record["reason"] is None if reason is None else reason in record["reason"]
    assert "\n" not in (record["reason"] or "")


def test_failures_are_named_in_the_output(faulty):
    for name, (status, _) in EXPECTED.items():
        if status != "ok":
            assert f"plane/{name}#0: {status}: " in faulty[1].out


def test_the_log_keeps_the_last_lines(faulty):
    records = faulty[0].by("method")
    assert records["prints_and_raises"]["log_tail"][-1] == "RuntimeError: after all"
    assert len(records["prints_and_raises"]["log_tail"]) == 20
    assert any("in discover" in line for line in records["raises"]["log_tail"])
    assert records["prints"]["log_tail"] == []


def test_what_plugins_started_is_dead(faulty):
    until = time.monotonic() + 3
    while faulty[0].processes() and time.monotonic() < until:
        time.sleep(0.05)
    assert faulty[0].processes() == []


def test_nothing_half_done_is_left(faulty):
    assert faulty[0].leftovers() == []


@pytest.fixture(scope="module")
def broken(new_bench):
    bench = new_bench({
        "good.py": "class Noop(Method):\n    def discover(self, task): return NoSymmetry(task.action)\n",
        "needs.py": "import not_installed_anywhere\nclass Needs(Method):\n    pass\n",
        "late.py": "class Late(Method):\n    x: int = 1 / 0\n",
        "data2.py": """
class Stuck(Oracle):
    def forward(self, x): return x
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.ones(1))
    def fit(self, train, valid, **kwargs): raise RuntimeError("cannot learn")

@dataclass(frozen=True)
class Unreadable(Dataset):
    track = ("identity", "first", "linear")
    def load(self, split, seed): raise BenchError("the file is damaged", "fetch it again")
    def actions(self): return {"linear": Linear((2,))}
    def oracles(self): return {"first": InView(Stuck(), None), "stuck": Stuck()}

@dataclass(frozen=True)
class Nowhere(Unreadable):
    def files(self): raise BenchError("numbers.gz is nowhere and there is no network", "put it into BENCH_DATA")
""",
        "scores.py": """
class Wrong(Metric):
    version = 1
    asks = frozenset({"test"})
    def score(self, test): raise ZeroDivisionError("no samples")

class Undefined(Metric):
    version = 1
    asks = frozenset()
    def score(self): return {"undefined": float("nan")}

class Fine(Metric):
    version = 1
    asks = frozenset({"symmetry"})
    def score(self, symmetry): return {"fine": symmetry.K + 0.5, "fine.detail": None}
""",
    })  # fmt: skip
    bench.write("unparsed.py", "class Half(Method:\n")
    methods = [word for name in ("noop", "needs", "late") for word in ("-m", name)]
    sets = [word for name in ("plane", "unreadable", "nowhere") for word in ("-d", name)]
    return bench, bench("run", *methods, *sets, "--json", code=1)


@pytest.mark.parametrize(("key", "status", "reason"), [
    (("plane", "needs"), "failed", "ModuleNotFoundError: No module named 'not_installed_anywhere'"),
    (("plane", "late"), "failed", "ZeroDivisionError: division by zero"),
    (("unreadable", "noop"), "skipped", "prepare_oracle failed: the file is damaged (fetch it again)"),
    (("nowhere", "noop"), "failed", "numbers.gz is nowhere and there is no network (put it into BENCH_DATA)"),
])  # fmt: skip
def test_broken_plugins_and_data(broken, key, status, reason):
    record = broken[0].by("dataset", "method")[key]
    assert (record["status"], record["reason"]) == (status, reason)


def test_one_bad_metric_leaves_the_scores_of_the_others(broken):
    record = broken[0].by("dataset", "method")["plane", "noop"]
    assert record["status"] == "failed"
    assert "metric wrong: ZeroDivisionError: no samples" in record["reason"]
    assert "metric undefined: the score 'undefined' is nan" in record["reason"]
    assert record["scores"]["fine"] == 0.5
    assert record["scores"]["fine.detail"] is None
    assert "undefined" not in record["scores"]


def test_json_prints_all_records_and_nothing_else(broken):
    bench, result = broken
    printed = json.loads(result.out)
    assert sorted(printed, key=lambda record: record["slot"]) == sorted(bench.records(), key=lambda r: r["slot"])
    assert len(printed) == 9


def test_a_file_that_does_not_parse_is_named_where_its_plugin_is_missed(broken):
    result = broken[0]("run", "-m", "half", "-d", "plane", code=2)
    assert "no method named 'half'" in result.err
    assert "syntax error in" in result.err
    assert "unparsed.py, line" in result.err


def test_a_broken_plugin_is_listed_with_its_reason(broken):
    listed = broken[0]("list", "methods", code=0).out
    assert "unparsed" in listed
    assert "broken: syntax error in" in listed
    assert "latent_flow" in listed


def test_status_says_what_is_broken(broken):
    out = broken[0]("status", code=0).out
    assert "ModuleNotFoundError" in out
    assert "broken" in out


def test_status_says_a_long_reason_once_below_the_table(broken):
    lines = broken[0]("status", "-d", "nowhere", code=0).out.splitlines()
    (reason,) = [line for line in lines if "numbers.gz is nowhere" in line]
    number = reason.split()[0]
    assert reason == f"{number} numbers.gz is nowhere and there is no network (put it into BENCH_DATA)"
    assert sum(number in line for line in lines) > 2
