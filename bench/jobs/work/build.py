"""plan, build, join: simulate a dataset's files in chunks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.contracts import BenchError, Builder, Dataset
from bench.jobs.cache import Outcome
from bench.jobs.meter import Meter
from bench.jobs.work.parameters import instance, resolved
from bench.plugins import Plugin, load
from bench.records.store import replacing

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
        meter.progress(done, len(request["chunks"]))
        with replacing(Path(path)) as part:
            builder.chunk(index, count, part)
    meter.progress(len(request["chunks"]), len(request["chunks"]))
    return Outcome("ok")


def join(request: dict[str, Any], folder: Path, meter: Meter) -> Outcome:
    """The chunks as one file."""
    builder: Builder = instance(Plugin(**request["plugin"]), request["params"])
    chunks, target = [Path(chunk) for chunk in request["chunks"]], Path(request["path"])
    with replacing(target) as part:
        builder.join(chunks, part, request["form"])
    return Outcome("ok", figures={"bytes": target.stat().st_size})
