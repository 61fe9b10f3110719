"""plan, build, join: simulate a dataset's files in chunks."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench.contracts import BenchError, Builder, Dataset
from bench.jobs.cache import Outcome
from bench.jobs.work.parameters import instance, resolved
from bench.jobs.worker import Meter
from bench.plugins import Plugin, load

__all__ = ["build", "join", "plan"]


def plan(request: dict[str, Any], folder: Path, meter: Meter) -> Outcome:
    """The dataset's builder as a plugin, all its parameters, events in a chunk, file formats."""
    dataset = Plugin(**request["plugin"])
    cls: type[Dataset] = load(dataset)
    if not cls.builder:
        raise BenchError(f"dataset '{dataset.name}' cannot be simulated", "bench data list says which can", usage=True)
    module, _, attr = cls.builder.partition(":")
    plugin = Plugin("builder", dataset.name, module, attr, dataset.owner)
    builder: Builder = instance(plugin, request["params"])
    return Outcome(
        "ok",
        figures={
            "plugin": plugin.to_json(),
            "params": resolved(builder),
            "events": builder.events,
            "forms": list(builder.forms),
        },
    )


def build(request: dict[str, Any], folder: Path, meter: Meter) -> Outcome:
    """Some chunks, [index, events, path] each; every one is there as a whole or not at all."""
    builder: Builder = instance(Plugin(**request["plugin"]), request["params"])
    for done, (index, count, path) in enumerate(request["chunks"]):
        meter.progress(done, len(request["chunks"]), 0.0)
        _whole(Path(path), partial(builder.chunk, index, count))
    meter.progress(len(request["chunks"]), len(request["chunks"]), 0.0)
    return Outcome("ok")


def join(request: dict[str, Any], folder: Path, meter: Meter) -> Outcome:
    """The chunks as one file."""
    builder: Builder = instance(Plugin(**request["plugin"]), request["params"])
    chunks, target = [Path(chunk) for chunk in request["chunks"]], Path(request["path"])
    _whole(target, lambda part: builder.join(chunks, part, request["form"]))
    return Outcome("ok", figures={"bytes": target.stat().st_size})


def _whole(path: Path, write: Callable[[Path], None]) -> None:
    """Have a file written beside its place and moved there when it is complete."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
