"""bench leaderboard: the records under results/ as a page."""

from __future__ import annotations

import importlib
import os
import shlex
from pathlib import Path

import click

from bench.cli.options import results_option
from bench.errors import BenchError
from bench.paths import results_root

__all__ = ["command"]

PAGE = Path("leaderboard.md")


@click.command("leaderboard")
@results_option
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path),
              help="File to write.  [default: leaderboard.md; json and csv: printed]")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the file is out of date.")
@click.option("--format", "form", type=click.Choice(["markdown", "json", "csv"]), default="markdown", show_default=True,
              help="The page, or every score and cost at full precision.")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path),
              help="Draw every seed's ranked scores to this file (.svg, .png, .pdf).")
@click.option("--curves", type=click.Path(dir_okay=False, path_type=Path),
              help="Draw the scores of downstream models over their training samples to this file.")
def command(
    results: Path, output: Path | None, check: bool, form: str, picture: Path | None, curves: Path | None
) -> None:
    """Write the leaderboard from the records.

    \b
    bench leaderboard
    bench leaderboard --check
    bench leaderboard --format csv --output board.csv

    Exit codes: 0 done or up to date, 1 out of date or an unreadable record, 2 wrong request.
    """  # fmt: skip
    if check and (form != "markdown" or picture is not None or curves is not None):
        raise BenchError("--check is about the page alone", "leave --format, --picture and --curves out", usage=True)
    if not results.is_dir():
        raise BenchError(f"no folder {results}", "name the folder of the records with --results", usage=True)
    target = output or (PAGE if form == "markdown" else None)
    text = rendered(results, target or PAGE, form)
    if check:
        compare(text, target or PAGE, results)
        return
    publish(text, target)
    for name, drawn in (("leaderboard", picture), ("downstream", curves)):
        if drawn is not None:
            importlib.import_module(f"bench.plots.{name}").draw(results, drawn)
            click.echo(f"wrote {drawn}", err=True)


def rendered(results: Path, target: Path, form: str) -> str:
    """The leaderboard's text in a format; links are relative to where it will stand."""
    from bench.leaderboard.export import as_csv, as_json
    from bench.leaderboard.markdown import page
    from bench.leaderboard.tables import tables

    found = tables(results)
    if form != "markdown":
        return as_json(found) if form == "json" else as_csv(found)
    return page(found, Path(os.path.relpath(results, target.parent)).as_posix())


def publish(text: str, target: Path | None) -> None:
    """Write the text to a file, or print it."""
    from bench.records.store import write_atomically

    if target is None:
        click.echo(text, nl=False)
        return
    write_atomically(target, text)
    click.echo(f"wrote {target}", err=True)


def compare(text: str, target: Path, results: Path) -> None:
    """BenchError with the command to run, unless the file holds the text."""
    if target.is_file() and target.read_text(encoding="utf-8") == text:
        click.echo(f"{target} is up to date", err=True)
        return
    words = ["bench", "leaderboard"]
    words += ["--results", str(results)] if results != results_root() else []
    words += ["--output", str(target)] if target != PAGE else []
    raise BenchError(f"{target} is out of date with {results}", f"write it again: {shlex.join(words)}")
