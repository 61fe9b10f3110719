"""Building a dataset's file by simulation: chunks side by side in several workers, resumed where they were left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import sources
from bench.errors import BenchError
from bench.jobs.cache import Outcome
from bench.jobs.pool import Job, Pool
from bench.plugins import Plugin
from bench.records.store import write_atomically

__all__ = ["Order", "execute", "figures_of"]

ASKED = "asked.json"


@dataclass(frozen=True)
class Order:
    """What is to be built.

    Arguments:
        dataset: whose file.
        params: of the dataset's builder.
        events: how many.
        out: the file to write.
        form: its format; "": the builder's default.
    """

    dataset: Plugin
    params: Mapping[str, Any]
    events: int
    out: Path
    form: str = ""

    @property
    def folder(self) -> Path:
        """Where the chunks stand until the file is complete."""
        return self.out.with_name(f"{self.out.name}.chunks")


def execute(order: Order, pool: Pool) -> Mapping[str, Any]:
    """Build the file; chunks that an interrupted call has left are used.

    Returns:
        chunks: how many there are; found: how many of them were there; bytes: size of the file.

    Raises:
        BenchError: the file or another request's chunks are there, the dataset has no such builder, or it failed.
    """
    if order.out.exists():
        raise BenchError(f"{order.out} is there already", "name another --out, or remove it", usage=True)
    if not order.out.absolute().parent.is_dir():
        raise BenchError(f"no folder {order.out.parent}", "make it, or name another --out", usage=True)
    label = f"dataset {order.dataset.name}"
    asked = {"plugin": order.dataset.to_json(), "params": dict(order.params), "sources": {}}
    plan = _one(pool, Job("plan", "plan", label, asked, keep=False))
    form = order.form or plan["forms"][0]
    if form not in plan["forms"]:
        raise BenchError(f"no format '{form}'. There are: {', '.join(plan['forms'])}", usage=True)
    source = Plugin(**plan["plugin"]).source()
    request = {"plugin": plan["plugin"], "params": plan["params"], "sources": sources.digests(source)}
    chunks = _chunks(order, plan["events"])
    _reserve(order, {"params": plan["params"], "events": order.events, "source": sources.source_hash(source)})
    missing = [chunk for chunk in chunks if not Path(chunk[2]).exists()]
    share = min(pool.size, len(missing))
    jobs = [
        Job("build", f"build{first}", label, request | {"chunks": missing[first::share]}, keep=False)
        for first in range(share)
    ]
    outcomes = pool.run(jobs)
    paths = [path for _, _, path in chunks]
    if not any(Path(path).exists() for path in paths):
        shutil.rmtree(order.folder)
    for outcome in outcomes.values():
        figures_of(outcome)
    joining = request | {"chunks": paths, "path": str(order.out.absolute()), "form": form}
    made = _one(pool, Job("join", "join", label, joining, keep=False))
    shutil.rmtree(order.folder)
    return {"chunks": len(chunks), "found": len(chunks) - len(missing), "bytes": made["bytes"]}


def _chunks(order: Order, size: int) -> list[tuple[int, int, str]]:
    """Index, events and path of every chunk."""
    firsts = range(0, order.events, size)
    folder = order.folder.absolute()
    return [(i, min(size, order.events - first), str(folder / f"{i:06d}")) for i, first in enumerate(firsts)]


def _reserve(order: Order, asked: Mapping[str, Any]) -> None:
    """Make the chunks' folder, or check that the one that is there belongs to the same request."""
    note = order.folder / ASKED
    order.folder.mkdir(exist_ok=True)
    if not any(order.folder.iterdir()):
        write_atomically(note, json.dumps(asked))
    if not note.is_file() or json.loads(note.read_text()) != asked:
        raise BenchError(
            f"{order.folder} holds chunks of another request, or of another version of the simulation",
            "remove it, or name another --out",
        )


def _one(pool: Pool, job: Job) -> Mapping[str, Any]:
    (outcome,) = pool.run([job]).values()
    return figures_of(outcome)


def figures_of(outcome: Outcome) -> Mapping[str, Any]:
    """What a job found; BenchError if it failed."""
    if outcome.status != "ok":
        raise BenchError(str(outcome.reason), usage=bool(outcome.figures.get("usage")))
    return outcome.figures
