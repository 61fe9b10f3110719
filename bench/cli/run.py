"""bench run."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bench.cli.options import DEVICE, DURATION, MEMORY, Noted, noted, plugin_option, results_option
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.jobs.engine import Rerun
    from bench.jobs.planner import PlannedRun
    from bench.jobs.request import Request
    from bench.plugins import Registry
    from bench.records.record import Record

__all__ = ["check", "command"]

EXIT_OK, EXIT_FAILED, EXIT_NOTHING = 0, 1, 3
T = TypeVar("T")
R = TypeVar("R")


@click.command("run")
@click.option("-m", "--method", "methods", multiple=True, metavar="NAME", help="A method; several: the product.")
@click.option("-d", "--dataset", "datasets", multiple=True, metavar="NAME", help="A dataset; several: the product.")
@click.option("--model", "models", multiple=True, metavar="NAME",
              help="A downstream model, trained with the symmetries of --symmetry; several: the product.")
@click.option("--symmetry", "symmetries", multiple=True, metavar="METHOD",
              help="Whose symmetry the models are given: a method, or truth, random, none (the default).")
@click.option("--n", "sizes", metavar="N,N,...", help="Training samples of a model, as 30,100,all; default: all.")
@click.option("--suite", type=click.Path(path_type=Path), help="Run what a suite file lists.")
@click.option("--oracle", metavar="NAME", help="What must be preserved; default: the dataset's.")
@click.option("--action", metavar="NAME",
              help="How a symmetry may act; 'latent' is any field in a VAE; default: the dataset's.")
@click.option("--representation", metavar="NAME", help="identity, pca or vae; default: what goes with the action.")
@click.option("--seeds", default="0", show_default=True, help="Repeats, as 0-4 or 0,2,7.")
@click.option("--budget", default="standard", show_default=True, metavar="smoke|standard|full",
              help="How much to spend.")
@click.option("--set", "settings", multiple=True, metavar="PART.NAME=VALUE",
              help="A parameter of method, dataset, representation or model, or of a plugin by name: method.epochs=50.")
@click.option("--jobs", cls=Noted, type=click.IntRange(1), help="Workers at a time; default: the number of cores.")
@click.option("--timeout", cls=Noted, type=DURATION, default="1h", show_default=True,
              help="Limit of one job: 90s, 10m, 2h.")
@click.option("--memory", cls=Noted, type=MEMORY,
              help="Limit of one job: 800M, 4G; default: its share of four fifths of all.")
@click.option("--device", cls=Noted, type=DEVICE, default="cpu", show_default=True,
              help="Where to compute: cpu, cuda, cuda:1.")
@click.option("--rerun", cls=Noted, type=click.Choice(["missing", "failed", "stale", "all"]), default="stale",
              show_default=True,
              help="Besides what is missing: run what has failed, what is stale, or everything again.")
@click.option("--dry-run", is_flag=True, help="Print the plan and what of it is cached; run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON instead of a table.")
@results_option
@plugin_option
def command(
    methods: tuple[str, ...], datasets: tuple[str, ...], models: tuple[str, ...], symmetries: tuple[str, ...],
    sizes: str | None, suite: Path | None, oracle: str | None, action: str | None,
    representation: str | None, seeds: str, budget: str, settings: tuple[str, ...], jobs: int | None, timeout: float,
    memory: int | None, device: str, rerun: Rerun, dry_run: bool, as_json: bool, results: Path,
    plugins: tuple[Path, ...],
) -> None:
    """Discover symmetries with METHODs on DATASETs and score them, or MODELs that are given them.

    \b
    bench run -m latent_flow -d rotated_digits --seeds 0-4
    bench run -m latent_flow -m kernel -d rotated_mnist --set dataset.digits=[1,2] --jobs 2
    bench run -m latent_flow -d rotated_mnist --action image_affine --set method.epochs=50
    bench run --model cnn --symmetry polarization --symmetry none -d rotated_digits --n 30,100,300
    bench run --suite suites/standard.toml

    Records go to results/<dataset>/<method or model>/; what is up to date is not run again.

    Exit codes: 0 all runs are ok, 1 some failed, 2 wrong request, 3 nothing ran, 130 interrupted.
    """  # fmt: skip
    from bench.jobs.request import Request, read_suite
    from bench.jobs.specs import parse_seeds, parse_set, parse_sizes
    from bench.plugins import Registry

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a scheduler's kill leaves records too
    registry = Registry(plugins)
    wrong = noted()
    name: str | None = None
    requests: list[Request] = []
    if suite is None:
        parsed = [setting for text in settings if (setting := _attempt(parse_set, text, wrong))]
        repeats = _attempt(parse_seeds, seeds, wrong) or []
        numbers = _attempt(parse_sizes, sizes or "all", wrong) or []
        if models and methods:
            wrong.append("--method and --model in one call (a model is given the symmetry of --symmetry)")
        requests = [Request(
            methods, datasets, repeats, representation, oracle, action, budget, parsed,
            models, symmetries or ("none",), numbers,
        )]  # fmt: skip
    elif methods or datasets or settings or models or symmetries or sizes:
        wrong.append("a suite says itself what to run (leave -m, -d, --model, --symmetry, --n and --set out)")
    else:
        name, requests = _attempt(read_suite, suite, wrong) or (None, [])
    check(requests, registry, wrong)
    from bench.cli.progress import display
    from bench.cli.session import session
    from bench.cli.tables import print_plan, print_records
    from bench.jobs.engine import Engine, due

    with display(quiet=as_json) as watcher, session(
        (), results, jobs=jobs, timeout=timeout, memory=memory, device=device, watcher=watcher, registry=registry
    ) as opened:
        planned = opened.planner.plan([run for request in requests for run in request.runs()])
        for plugin, reason in opened.planner.broken_metrics():
            click.echo(f"note: metric '{plugin.name}' is broken and scores nothing: {reason}", err=True)
        watcher.planned(planned)
        chosen = [run for run in planned if due(run, rerun)]
        if dry_run:
            watcher.stop()
            print_plan(planned, {run.spec.slot for run in chosen}, opened.cache)
            return
        engine = Engine(opened.cache, opened.store, opened.pool, name)
        made = {record.slot: record for record in engine.execute(chosen, anew=rerun == "all")}
    records = [record for run in planned if (record := made.get(run.spec.slot, run.record)) is not None]
    if as_json:
        click.echo(json.dumps([asdict(record) for record in records], indent=1, sort_keys=True))
    else:
        print_records(records, made)
    click.get_current_context().exit(_exit_code(records, planned))


def check(requests: Sequence[Request], registry: Registry, wrong: Sequence[str] = ()) -> None:
    """BenchError, with all that is wrong at once, and what was already found `wrong`."""
    from bench.jobs.request import problems

    lines = dict.fromkeys([*wrong, *(line for request in requests for line in problems(request, registry))])
    if lines:
        raise BenchError("\n".join(lines), usage=True)


def _attempt(parse: Callable[[T], R], what: T, wrong: list[str]) -> R | None:
    """What `parse` makes of it; or None, and a line more of what is wrong."""
    try:
        return parse(what)
    except BenchError as error:
        wrong.append(str(error))
        return None


def _exit_code(records: Sequence[Record], planned: Sequence[PlannedRun]) -> int:
    found = {record.status for record in records}
    if found == {"skipped"} or all(run.problem is not None and run.problem.status == "skipped" for run in planned):
        return EXIT_NOTHING
    return EXIT_OK if found == {"ok"} else EXIT_FAILED
