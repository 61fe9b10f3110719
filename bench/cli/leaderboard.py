"""bench leaderboard: the records under results/ as a page."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

__all__ = ["leaderboard"]

PAGE = "leaderboard.md"
RESULTS = "results"


@click.command()
@click.option(
    "--results",
    default=RESULTS,
    envvar="BENCH_RESULTS",
    show_default=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the records.",
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help=f"File to write.  [default: {PAGE}; json, csv: -]"
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the file is out of date.")
@click.option(
    "--format", "form", type=click.Choice(["markdown", "json", "csv"]), default="markdown", show_default=True
)
@click.option(
    "--picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw every seed's ranked scores to this file."
)
def leaderboard(results: Path, output: Path | None, check: bool, form: str, picture: Path | None) -> None:
    """Write the leaderboard from the records.

    Exit codes: 0 done or up to date, 1 out of date or an unreadable record, 2 usage.
    """
    from bench.errors import BenchError
    from bench.records.store import write_atomically

    if check and (form != "markdown" or picture is not None):
        raise click.UsageError("--check compares the Markdown page alone; give it without --format and --picture")
    target = output or (Path(PAGE) if form == "markdown" else None)
    try:
        text = rendered(results, target, form)
        if check:
            compare(text, target or Path(PAGE), results)
            return
        if target is None:
            click.echo(text, nl=False)
        else:
            write_atomically(target, text)
            click.echo(f"wrote {target}", err=form != "markdown")
        if picture is not None:
            from bench.plots.leaderboard import draw

            draw(results, picture)
            click.echo(f"wrote {picture}", err=form != "markdown")
    except BenchError as error:
        raise click.ClickException(str(error)) from None


def rendered(results: Path, target: Path | None, form: str) -> str:
    """The leaderboard's text in a format; links are relative to where it will stand."""
    import os

    from bench.leaderboard.export import as_csv, as_json
    from bench.leaderboard.markdown import page
    from bench.leaderboard.tables import tables

    found = tables(results)
    if form != "markdown":
        return as_json(found) if form == "json" else as_csv(found)
    return page(found, Path(os.path.relpath(results, (target or Path(PAGE)).parent)).as_posix())


def compare(text: str, target: Path, results: Path) -> None:
    """Exit 1 with one line unless the file holds the text."""
    if target.is_file() and target.read_text(encoding="utf-8") == text:
        click.echo(f"{target} is up to date")
        return
    words = ["bench", "leaderboard"]
    words += ["--results", str(results)] if results != Path(RESULTS) else []
    words += ["--output", str(target)] if target != Path(PAGE) else []
    raise click.ClickException(f"{target} is out of date with {results}; write it again: {shlex.join(words)}")
