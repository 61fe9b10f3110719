"""The worker: runs one job in a process of its own. `python -m bench.jobs.worker FOLDER` runs FOLDER/request.json.

It leaves FOLDER/outcome.json, the job's files beside it, and whatever was printed in FOLDER/log.txt.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import sources
from bench.errors import BenchError
from bench.jobs.cache import Outcome
from bench.jobs.meter import Meter
from bench.plugins import Plugin, load
from bench.records.record import Status

__all__ = ["main", "warm_up"]


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
    try:
        request = json.loads((folder / "request.json").read_text())
        meter = Meter(folder / "progress.json", request.get("device", "cpu"))
        _one_thread()
        if not _changed(request):
            _import(request)
        go()
        changed = _changed(request)  # asked again, as it may have waited long
        outcome = Outcome("interrupted", changed) if changed else _work(request["kind"])(request, folder, meter)
        replace(outcome, device=_named(meter.device)).write(folder)
    except KeyboardInterrupt:
        return 130
    except BaseException as error:
        _failure(error).write(folder)
    sys.stdout.flush()
    sys.stderr.flush()
    return 0


def _named(device: str) -> str | None:
    """What an accelerator is called; None for the processor."""
    import torch

    if device == "cpu":
        return None
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


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


def _changed(request: dict[str, Any]) -> str | None:
    """The reason where a source is not what the planner has hashed any more."""
    file = sources.changed(request["sources"])
    return None if file is None else f"{file} changed after the run was planned (run again)"


def _import(request: dict[str, Any]) -> None:
    for plugin in request.get("imports", ()):
        load(Plugin(**plugin))


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


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
