"""bench status."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.options import plugin_option, results_option
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.jobs.specs import RunSpec
    from bench.plugins import Registry
    from bench.records.store import Store

__all__ = ["command"]

LONG = 60


@click.command("status")
@click.option("-m", "--method", "methods", multiple=True, metavar="NAME", help="Only records of this method or model.")
@click.option("-d", "--dataset", "datasets", multiple=True, metavar="NAME", help="Only records on this dataset.")
@click.option("--suite", type=click.Path(path_type=Path), help="The runs of a suite file, those without record too.")
@click.option("--all", "everything", is_flag=True, help="Show fresh records too, not only their number.")
@results_option
@plugin_option
def command(
    methods: tuple[str, ...], datasets: tuple[str, ...], suite: Path | None, everything: bool, results: Path,
    plugins: tuple[Path, ...],
) -> None:
    """Say which records are fresh, and why others are not."""  # fmt: skip
    from bench.cli.session import session
    from bench.cli.tables import describe_learner, describe_run
    from bench.jobs.planner import PlannedRun
    from bench.plugins import Registry

    registry = Registry(plugins)
    found = _Found()
    runs: dict[str, PlannedRun] = {}
    with session((), results, registry=registry) as opened:
        asked = _recorded(opened.store, found) if suite is None else _listed(suite, registry)
        asked = [run for run in asked if not methods or {run.method, run.model} & set(methods)]
        asked = [run for run in asked if not datasets or run.dataset in datasets]
        for run in asked:
            try:
                runs |= {planned.spec.slot: planned for planned in opened.planner.plan([run])}
            except BenchError as error:
                found.add(run.dataset, run.folder, "orphan", str(error), run.seed)
    for planned in runs.values():
        state = "broken" if planned.problem and planned.problem.status != "skipped" else planned.state
        why = str(planned.problem.reason) if planned.problem else planned.why
        spec = planned.spec.to_json()
        found.add(describe_run(spec, "dataset"), describe_learner(spec), state, why, planned.spec.seed)
    found.show(everything)


class _Found:
    """What was found of records: those that differ in the seed alone stand in one row."""

    def __init__(self) -> None:
        self.states: Counter[str] = Counter()
        self.seeds: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)

    def add(self, dataset: str, learner: str, state: str, why: str, seed: int | None = None) -> None:
        self.states[state] += 1
        self.seeds[dataset, learner, state, why] += [] if seed is None else [seed]

    def show(self, everything: bool) -> None:
        """The rows, those of fresh records if all are wanted, long reasons below, and how many are in which state."""
        from bench.cli.tables import table
        from bench.jobs.specs import seed_ranges

        rows: list[list[str]] = []
        reasons: dict[str, int] = {}
        for (dataset, learner, state, why), seeds in self.seeds.items():
            if everything or state != "fresh":
                said = f"({reasons.setdefault(why, len(reasons) + 1)})" if len(why) > LONG else why
                rows.append([dataset, learner, seed_ranges(seeds), state, said])
        if rows:
            table("Records", ["dataset", "method or model", "seeds", "state", "why"], rows)
        for why, number in reasons.items():
            click.echo(f"({number}) {why}")
        click.echo(", ".join(f"{count} {state}" for state, count in sorted(self.states.items())) or "no records")


def _recorded(store: Store, found: _Found) -> list[RunSpec]:
    """The runs that have a record; one that cannot be read is found to be so."""
    from bench.jobs.specs import RunSpec

    asked = []
    for path in store.paths():
        try:
            asked.append(RunSpec.from_json(store.load(path).spec))
        except BenchError as error:
            found.add(path.parts[-3], path.parts[-2], "unreadable", str(error))
    return asked


def _listed(suite: Path, registry: Registry) -> list[RunSpec]:
    """The runs of a suite file."""
    from bench.cli.run import check
    from bench.jobs.request import read_suite

    requests = read_suite(suite)[1]
    check(requests, registry)
    return [run for request in requests for run in request.runs()]
