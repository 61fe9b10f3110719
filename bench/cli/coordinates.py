"""bench coordinates: the coordinates that a run has found, as a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from bench.cli.options import plugin_option
from bench.errors import BenchError

__all__ = ["command"]


@click.command("coordinates")
@click.argument("record", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--axes", type=(int, int), default=(0, 1), show_default=True, help="The two components of a sample.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True,
              help="The file to draw (.svg, .png, .pdf).")
@plugin_option
def command(record: Path, axes: tuple[int, int], output: Path, plugins: tuple[Path, ...]) -> None:
    """Draw the coordinates in which the run of a RECORD shows its symmetry, over a plane of the samples.

    \b
    bench coordinates results/reproductions/schwarzschild/hidden_symmetry/SLOT.json --output coordinates.svg

    What was found is taken from the cache, or else found again. Exit codes: 0 drawn, 1 it failed, 2 wrong request.
    """  # fmt: skip
    from bench.cli.session import session
    from bench.jobs.building import figures_of
    from bench.jobs.specs import RunSpec
    from bench.plots.coordinates import draw
    from bench.plugins import Registry
    from bench.records.store import Store

    if min(axes) < 0 or axes[0] == axes[1]:
        raise BenchError(f"--axes {axes[0]} {axes[1]}", "name two different components, from 0", usage=True)
    spec = RunSpec.from_json(Store(record.parent).load(record).spec)
    with session(registry=Registry(plugins)) as opened:
        (run,) = opened.planner.plan([spec])
        if run.problem is not None:
            raise BenchError(f"{spec.label()}: {run.problem.reason}", "mend it, or choose another record")
        *needed, score = run.jobs
        portray = replace(
            score, kind="portray", identity="portray", request={**score.request, "axes": axes}, keep=False
        )
        missing = [job for job in needed if opened.cache.outcome(job.identity) is None]
        outcomes = opened.pool.run([*missing, portray])
    draw(figures_of(outcomes["portray"]), spec.label(), output)
    click.echo(f"wrote {output}", err=True)
