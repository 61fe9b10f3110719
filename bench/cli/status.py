"""bench status."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from bench.cli.options import plugin_option, results_option
from bench.errors import BenchError

__all__ = ["command"]


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
    from bench.cli.run import check
    from bench.cli.session import session
    from bench.cli.tables import describe_learner, describe_run, table
    from bench.jobs.planner import PlannedRun
    from bench.jobs.request import read_suite
    from bench.jobs.specs import RunSpec
    from bench.plugins import Registry

    registry = Registry(plugins)
    runs: list[PlannedRun] = []
    gone: list[list[str]] = []
    seen: set[str] = set()
    with session((), results, registry=registry) as opened:
        if suite is not None:
            requests = read_suite(suite)[1]
            check(requests, registry)
            asked = [run for request in requests for run in request.runs()]
        else:
            asked = []
            for path in opened.store.paths():
                try:
                    asked.append(RunSpec.from_json(opened.store.load(path).spec))
                except BenchError as error:
                    gone.append([path.parts[-3], path.parts[-2], "", "unreadable", str(error)])
        asked = [run for run in asked if not methods or {run.method, run.model} & set(methods)]
        asked = [run for run in asked if (not datasets or run.dataset in datasets)]
        for run in asked:
            try:
                found = [one for one in opened.planner.plan([run]) if one.spec.slot not in seen]
                runs += found
                seen |= {one.spec.slot for one in found}
            except BenchError as error:
                gone.append([run.dataset, run.folder, str(run.seed), "orphan", str(error)])
    states = Counter(row[3] for row in gone)
    rows = gone
    for planned in runs:
        state = "broken" if planned.problem and planned.problem.status != "skipped" else planned.state
        states[state] += 1
        why = str(planned.problem.reason) if planned.problem else planned.why
        if everything or state != "fresh":
            spec = planned.spec.to_json()
            rows.append([describe_run(spec, "dataset"), describe_learner(spec), str(planned.spec.seed), state, why])
    if rows:
        table("Records", ["dataset", "method or model", "seed", "state", "why"], rows)
    click.echo(", ".join(f"{count} {state}" for state, count in sorted(states.items()) if count) or "no records")
