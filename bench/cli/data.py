"""bench data: list, fetch, describe and simulate the data."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import plugin_option
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.jobs.pool import Watcher
    from bench.plugins import Plugin

__all__ = ["command"]

EVERY = 20.0


@click.group("data")
def command() -> None:
    """List, fetch, describe and simulate the data.

    \b
    bench data list
    bench data describe cms
    bench data build cms --events 20000 --seed 1 --pileup 20 --out jets.h5
    """


@command.command("list")
@plugin_option
def listing(plugins: tuple[Path, ...]) -> None:
    """List the datasets: where their samples are from, their files, and which of them can be simulated.

    Files that are missing are fetched where that needs no question, as for a run.
    """
    from bench.cli.session import session
    from bench.cli.tables import table
    from bench.plugins import Registry

    registry = Registry(plugins)
    found = registry.all("dataset")
    with session(registry=registry) as opened:
        outcomes = opened.descriptions.ask([(plugin, {}) for plugin in found])
    rows = []
    for plugin, outcome in zip(found, outcomes, strict=True):
        about = outcome.figures
        files = [Path(file) for file in about.get("files", ())]
        size = sum(file.stat().st_size for file in files) / 2**20
        what = f"{len(files)}, {size:.1f} MB" if files else "none"
        state = about.get("facts", {}).get("source", "") if outcome.status == "ok" else f"not there: {outcome.reason}"
        rows.append([plugin.name, what, state, "yes" if about.get("builder") else ""])
    table("Datasets", ["dataset", "files", "source", "can be simulated"], rows)


@command.command("fetch")
@click.argument("name", metavar="DATASET")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter of the dataset.")
@plugin_option
def fetch(name: str, settings: tuple[str, ...], plugins: tuple[Path, ...]) -> None:
    """Fetch the files of DATASET, checksums verified, and print where they are."""
    from bench.cli.session import session
    from bench.jobs.building import figures_of
    from bench.plugins import Registry

    registry = Registry(plugins)
    plugin = _dataset(registry, name)
    with session(registry=registry) as opened:
        (outcome,) = opened.descriptions.ask([(plugin, _parameters(settings))])
    for file in figures_of(outcome)["files"]:
        click.echo(file)


@command.command("describe")
@click.argument("name", metavar="DATASET")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter of the dataset.")
@plugin_option
def describe(name: str, settings: tuple[str, ...], plugins: tuple[Path, ...]) -> None:
    """Describe the samples of DATASET: counts, labels, occupancy, ranges, and what leaves p(x) as it is.

    For the last, a classifier is asked which samples are real and which are transformed, at most 1,500: an AUC of
    one half says that it cannot tell.
    """
    from bench.cli.session import session
    from bench.cli.survey import show
    from bench.jobs.building import figures_of
    from bench.jobs.pool import Job
    from bench.plugins import Registry

    registry = Registry(plugins)
    request = {"plugin": _dataset(registry, name).to_json(), "params": _parameters(settings), "sources": {}}
    with session(registry=registry) as opened:
        (outcome,) = opened.pool.run([Job("survey", "survey", f"dataset {name}", request, keep=False)]).values()
    show(name, figures_of(outcome))


@command.command("build")
@click.argument("name", metavar="DATASET")
@click.option("--events", type=click.IntRange(1), required=True, help="How many jets or windows.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed, the same bytes.")
@click.option("--pileup", type=float, help="Mean number of collisions beside the hard one.")
@click.option("--format", "form", default="", metavar="NAME", help="The file's format; default: the dataset's own.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Another parameter of the simulation.")
@click.option("--jobs", type=click.IntRange(1), help="Processes; default: the number of cores.")
@plugin_option
def build(
    name: str, events: int, out: Path, seed: int, pileup: float | None, form: str, settings: tuple[str, ...],
    jobs: int | None, plugins: tuple[Path, ...],
) -> None:
    """Simulate the files of DATASET; needs the extra [simulation].

    What was interrupted goes on when the same is asked for again. The bytes depend on the parameters and the seed,
    and not on the number of processes.

    \b
    bench data build cms --events 20000 --seed 1 --pileup 20 --format parquet --out jets.parquet
    bench data build cms --set kind=electron_photon --events 1000 --out windows.h5
    """  # fmt: skip
    from bench.cli.session import session
    from bench.jobs.building import Order, execute
    from bench.plugins import Registry

    registry = Registry(plugins)
    params: dict[str, Any] = {"seed": seed} | _parameters(settings)
    params |= {} if pileup is None else {"pileup": pileup}
    order = Order(_dataset(registry, name), params, events, out, form)
    with _watching(events) as watcher, session(
        registry=registry, jobs=jobs, timeout=float("inf"), watcher=watcher
    ) as opened:
        made = execute(order, opened.pool)
    found = f", {made['found']} of {made['chunks']} chunks from before" if made["found"] else ""
    click.echo(f"wrote {out}: {events} events, {made['bytes'] / 2**20:.1f} MB{found}")


def _dataset(registry: Any, name: str) -> Plugin:
    try:
        found: Plugin = registry.get("dataset", name)
    except BenchError as error:
        raise BenchError(error.message, error.hint, usage=True) from None
    return found


def _parameters(settings: Sequence[str]) -> dict[str, Any]:
    from bench.jobs.specs import parse_set

    for text in settings:
        if "=" not in text:
            raise BenchError(f"--set {text!r} is not of the form NAME=VALUE", "as in pileup=40", usage=True)
    parsed = [parse_set(f"builder.{text}") for text in settings]
    return {setting.parameter: setting.value for setting in parsed}


@contextmanager
def _watching(events: int) -> Iterator[Watcher]:
    """A bar on a terminal, a line now and then elsewhere; on the error stream."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from bench.jobs.pool import Job, Watcher

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    bars = Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())

    class Chunks(Watcher):
        def __init__(self) -> None:
            self.done: dict[str, tuple[int, int]] = {}
            self.task = bars.add_task(f"{events} events", total=None)
            self.told = time.monotonic()

        def progress(self, job: Job, step: int, steps: int, loss: float | None) -> None:
            self.done[job.identity] = (step, steps)
            done, total = (sum(column) for column in zip(*self.done.values(), strict=True))
            bars.update(self.task, completed=done, total=total)
            if not sys.stderr.isatty() and time.monotonic() - self.told > EVERY:
                self.told = time.monotonic()
                click.echo(f"{time.strftime('%H:%M:%S')} {done} of {total} chunks", err=True)

    with bars:
        yield Chunks()
