"""The worker: runs one job in a process of its own. `python -m bench.jobs.worker FOLDER` runs FOLDER/request.json.

It leaves FOLDER/outcome.json, the job's files beside it, and whatever was printed in FOLDER/log.txt.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import sources
from bench.errors import BenchError
from bench.jobs.cache import Outcome
from bench.plugins import Plugin, load
from bench.records.record import Status

__all__ = ["Meter", "Work", "main", "warm_up"]


class Meter:
    """Progress for whoever watches, and the cost of what is measured.

    Arguments:
        file: where the last step is told, at most ten times a second.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.steps: int | None = None
        self._told = 0.0

    def progress(self, step: int, steps: int, loss: float) -> None:
        self.steps = step
        now = time.monotonic()
        if now - self._told > 0.1 or step == steps:
            self._told = now
            part = self.file.with_suffix(".part")
            part.write_text(json.dumps({"step": step, "steps": steps, "loss": float(loss)}))
            os.replace(part, self.file)

    def measure(self, work: Callable[[], Any]) -> tuple[Any, dict[str, float | int | None]]:
        """The result of the work and its cost: cpu_s (children included), wall_s, peak_rss_mb, steps."""
        wall, cpu = time.perf_counter(), _cpu_seconds()
        result = work()
        return result, {
            "cpu_s": round(_cpu_seconds() - cpu, 3),
            "wall_s": round(time.perf_counter() - wall, 3),
            "peak_rss_mb": round(_peak_rss() / 2**20, 1),
            "steps": self.steps,
        }


Work = Callable[[dict[str, Any], Path, Meter], Outcome]


def warm_up() -> None:
    """Do once, ahead of a job, what is slow the first time; it draws no random number."""
    import torch
    from safetensors.torch import load, save

    _one_thread()
    load(save({"x": torch.zeros(2, 2).isfinite()}))
    torch.nn.Module().state_dict()


def main(folder: Path, go: Callable[[], object] = lambda: None) -> int:
    """Run the request in a folder; the exit code is 0 whenever an outcome was written.

    Arguments:
        go: returns when the work may begin; before it is called, the request is read and its plugins are imported.
    """
    try:
        _redirect(folder / "log.txt")
    except FileNotFoundError:  # it was to be the next, and no longer is
        return 1
    meter = Meter(folder / "progress.json")
    try:
        request = json.loads((folder / "request.json").read_text())
        changed = _ready(request)
        go()
        outcome = Outcome("interrupted", changed) if changed else _work(request["kind"])(request, folder, meter)
        outcome.write(folder)
    except KeyboardInterrupt:
        return 130
    except BaseException as error:
        _failure(error).write(folder)
    sys.stdout.flush()
    sys.stderr.flush()
    return 0


def _failure(error: BaseException) -> Outcome:
    if isinstance(error, BenchError):
        return Outcome("failed", str(error), figures={"usage": error.usage})
    if isinstance(error, SystemExit):
        return Outcome("failed", f"the plugin called sys.exit({error.code!r})")
    traceback.print_exc()
    text = str(error).strip()
    short = isinstance(error, MemoryError) or "can't allocate memory" in text or "out of memory" in text
    status: Status = "oom" if short else "failed"
    return Outcome(status, f"{type(error).__name__}: {text.splitlines()[0] if text else 'no message'}")


def _ready(request: dict[str, Any]) -> str | None:
    """Import what the request needs; the reason where a source is not what the planner has hashed any more."""
    if (file := sources.changed(request["sources"])) is not None:
        return f"{file} changed after the run was planned (run again)"
    _one_thread()
    for plugin in request.get("imports", ()):
        load(Plugin(**plugin))
    return None


def _work(kind: str) -> Work:
    from bench.jobs import work

    return work.KINDS[kind]


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _redirect(log: Path) -> None:
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_rss() -> int:
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
