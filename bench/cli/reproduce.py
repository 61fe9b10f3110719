"""bench reproduce."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.options import DEVICE, DURATION, plugin_option
from bench.errors import BenchError
from bench.paths import results_root

if TYPE_CHECKING:
    from bench.cli.session import Session
    from bench.jobs.engine import Rerun
    from bench.jobs.planner import PlannedRun
    from bench.reproductions.claims import Claim
    from bench.reproductions.verdicts import Finding

__all__ = ["command"]

SUITE = Path("suites/reproductions.toml")


@click.command("reproduce")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--suite", type=click.Path(path_type=Path), default=SUITE, show_default=True, help="The claims.")
@click.option("--jobs", type=click.IntRange(1), help="Workers at a time; default: the number of cores.")
@click.option("--timeout", type=DURATION, default="1h", show_default=True, help="Limit of one job: 90s, 10m, 2h.")
@click.option("--device", type=DEVICE, default="cpu", show_default=True, help="Where to compute: cpu, cuda, cuda:1.")
@click.option("--rerun", type=click.Choice(["missing", "failed", "stale", "all"]), default="stale", show_default=True,
              help="Besides what is missing: run what has failed, what is stale, or everything again.")
@click.option("--judge", is_flag=True, help="Run nothing: judge the records that are there.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON instead of a table.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the page to this file.")
@click.option("--results", type=click.Path(file_okay=False, path_type=Path),
              default=lambda: results_root() / "reproductions", show_default="results/reproductions",
              help="The folder of the records.")
@plugin_option
def command(
    names: tuple[str, ...], suite: Path, jobs: int | None, timeout: float, device: str, rerun: Rerun, judge: bool,
    as_json: bool, output: Path | None, results: Path, plugins: tuple[Path, ...],
) -> None:
    """Repeat the claims called NAME, or all, and say what is reached.

    \b
    bench reproduce
    bench reproduce lie_loss_so3 --json
    bench reproduce --judge --output docs/reproductions.md

    Records are kept, and what is up to date is not run again.

    Exit codes: 0 all is reached, 1 something is not, failed or is missing, 2 wrong request, 130 interrupted.
    """  # fmt: skip
    from bench.cli.progress import display
    from bench.cli.session import session
    from bench.plugins import Registry
    from bench.reproductions.claims import chosen, read_claims

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    claims = chosen(read_claims(suite), names)
    registry = Registry(plugins)
    with display(quiet=as_json) as watcher, session(
        (), results, jobs=jobs, timeout=timeout, device=device, watcher=watcher, registry=registry
    ) as opened:
        planned, findings = _planned(claims, opened)
        if not judge:
            watcher.planned([run for runs in planned.values() for run in runs])
            _execute(planned, opened, rerun)
        findings |= {one.name: _judged(one, planned[one.name], opened) for one in claims if one.name in planned}
    _tell([finding for claim in claims for finding in findings[claim.name]], as_json, output)


def _planned(claims: Sequence[Claim], opened: Session) -> tuple[dict[str, list[PlannedRun]], dict[str, list[Finding]]]:
    """The runs of the claims that can be run, and the findings of those that cannot."""
    from bench.jobs.request import problems
    from bench.reproductions.verdicts import missing

    planned, findings = {}, {}
    for claim in claims:
        if lacking := problems(claim.request, opened.registry):
            findings[claim.name] = missing(claim, lacking[0].partition(" There are:")[0])
            continue
        try:
            planned[claim.name] = opened.planner.plan(claim.request.runs())
        except BenchError as error:
            findings[claim.name] = missing(claim, str(error).splitlines()[0])
    return planned, findings


def _execute(planned: dict[str, list[PlannedRun]], opened: Session, rerun: Rerun) -> None:
    """Run what is due, the claims together; a run that two claims share once."""
    from bench.jobs.engine import Engine, due

    runs = {run.spec.slot: run for runs in planned.values() for run in runs if due(run, rerun)}
    Engine(opened.cache, opened.store, opened.pool, "reproductions").execute(list(runs.values()), anew=rerun == "all")


def _judged(claim: Claim, runs: Sequence[PlannedRun], opened: Session) -> list[Finding]:
    """What the records say; one of other code or data than there is now says nothing."""
    from bench.reproductions.verdicts import judged, missing

    found = [(run, opened.store.read(run.spec.dataset, run.spec.folder, run.spec.slot)) for run in runs]
    records = [record if record and record.identity == run.identity else None for run, record in found]
    problem = next((run.problem for run in runs if run.problem), None)
    if problem and None in records:
        return missing(claim, str(problem.reason).splitlines()[0])
    return judged(claim, records)


def _tell(findings: Sequence[Finding], as_json: bool, output: Path | None) -> None:
    """Print, write, and exit with what it comes to."""
    from bench.cli.tables import table
    from bench.records.store import write_atomically
    from bench.reproductions.page import FIELDS, cells, page, summary

    if as_json:
        about = [
            {"name": one.claim.name, "claim": one.claim.text, "source": one.claim.source, "figure": one.check.figure,
             "over": one.check.over, "at_most": one.check.at_most, "at_least": one.check.at_least,
             "published": one.check.published, "ours": one.ours, "runs": one.runs, "verdict": one.verdict,
             "reason": one.reason}
            for one in findings
        ]  # fmt: skip
        click.echo(json.dumps(about, indent=1))
    else:
        table("Reproductions", FIELDS, [cells(finding) for finding in findings])
        click.echo(summary(findings))
    if output is not None:
        write_atomically(output, page(findings))
        click.echo(f"wrote {output}", err=True)
    click.get_current_context().exit(0 if all(finding.good for finding in findings) else 1)
