"""The leaderboard as Markdown: the same bytes for the same records."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from urllib.parse import quote

from bench.leaderboard.columns import Column, columns, of_table
from bench.leaderboard.commands import reproduce
from bench.leaderboard.downstream import markdown as downstream
from bench.leaderboard.ranking import Standing, over_datasets, ranked_by, samples_lack_it, standings
from bench.leaderboard.runs import Run
from bench.leaderboard.tables import BLOCKS, Row, Table

__all__ = ["page"]

METRICS = "docs/metrics.md"
STATISTICS = "docs/leaderboard.md"
HEADINGS = {
    "helped": "Given labels, pairs or the truth: ranked apart",
    "control": "Controls: not ranked",
}
LONGEST_REASON = 200
LACKING = (
    "- The true symmetry of the law does not keep the distribution of these samples, so *joint* is shown and not "
    "ranked: it would put the part of the symmetry that the samples have before all of it."
)


def page(tables: Sequence[Table], results: str) -> str:
    """The whole page.

    Arguments:
        tables: the tables, in their order.
        results: the results folder as seen from the page, for links.
    """
    discovery = [table for table in tables if not table.learning]
    count = sum(len(row.runs) for table in tables for row in table.rows)
    parts = [
        "# Leaderboard",
        f"Written by `bench leaderboard` from {count} records under [{results}]({quote(results)}/). "
        "Do not edit: change the records and write it again.",
        legend(discovery),
        *([downstream.LEGEND] if len(discovery) < len(tables) else []),
        *places(discovery),
    ]
    for dataset, group in groupby(tables, key=lambda table: table.dataset):
        parts += [f"## {dataset}", *(part for table in group for part in either(table, results))]
    if not tables:
        parts.append("No records yet: `bench run` makes them.")
    return "\n\n".join(parts) + "\n"


def either(table: Table, results: str) -> list[str]:
    """The parts of a table of methods, or of downstream models."""
    if not table.learning:
        return section(table, results)
    return [f"### {escaped(table.name)}", *downstream.lines(table), *notes(table, results)]


def legend(tables: Sequence[Table]) -> str:
    """What the marks and the columns mean."""
    shown = {column.key: column for table in tables for column in of_table(table)}
    rows = [
        "Scores compare within one table alone; larger is better; mean ± half of the 95 % interval over seeds and "
        f"test samples ([how]({STATISTICS})). **Bold**: the best of its block. ≈: not significantly different from "
        "it by paired differences over the same seeds. Place: 1 + the number of methods significantly better in the "
        f"first score that has a best. n/a: does not apply. Definitions: [{METRICS}]({METRICS}).",
        "",
        *(f"- *{escaped(column.title)}*: {escaped(column.about)}" for column in shown.values()),
    ]
    return "\n".join(rows)


def places(tables: Sequence[Table]) -> list[str]:
    """The mean places over datasets, once there are enough of them."""
    found = over_datasets(tables, [column.key for column in columns() if column.ranked])
    if not found:
        return []
    rows = ["| method | mean place | 95 % interval over datasets |", "|---|---|---|"]
    for name, interval in sorted(found.items(), key=lambda item: (item[1].mean, item[0])):
        rows.append(f"| {escaped(name)} | {interval.mean:.2f} | {interval.low:.2f} to {interval.high:.2f} |")
    return ["## Over datasets", "\n".join(rows)]


def section(table: Table, results: str) -> list[str]:
    """The parts of one track: table, notes, and the runs behind it."""
    shown = of_table(table)
    ranked = ranked_by(table, [column.key for column in shown if column.ranked])
    lines = [
        "| place | method | " + " | ".join(escaped(column.title) for column in shown) + " |",
        "|---" * (len(shown) + 2) + "|",
    ]
    for block in BLOCKS:
        lines += block_lines(table.block(block), block, shown, ranked, results)
    parts = [f"### {escaped(table.name)}", "\n".join(lines)]
    return parts + notes(table, results) + [every_run(table, shown, results), commands(table)]


def block_lines(
    rows: list[Row], block: str, shown: Sequence[Column], ranked: Sequence[str], results: str
) -> list[str]:
    """The lines of a block, in the order of the first score that is ranked; those that lack it come last."""
    main = next(iter(ranked), None)
    marks = {score: standings(rows, score) for score in ranked if block != "control"}
    leading = marks.get(main, {}) if main else {}
    lines = []
    for row in sorted(rows, key=lambda row: order(row, main)):
        place = str(leading[row.name].place) if row.name in leading else "–"
        cells = [cell(row, column, marks.get(column.key, {}).get(row.name)) for column in shown]
        lines.append(f"| {place} | {linked(row, results)} | " + " | ".join(cells) + " |")
    heading = HEADINGS.get(block)
    if lines and heading:
        lines.insert(0, f"| | *{heading}* |" + " |" * len(shown))
    return lines


def order(row: Row, main: str | None) -> tuple[bool, float, str]:
    """Best first, by name where they agree, and last where the score is missing."""
    interval = row.estimate(main) if main else None
    return interval is None, -interval.mean if interval else 0.0, row.name


def cell(row: Row, column: Column, standing: Standing | None) -> str:
    """A cell with its mark."""
    text = escaped(column.produce(row))
    if not text:
        return "n/a" if row.ok else "missing"
    if standing is not None and standing.best:
        return f"**{text}**"
    return f"{text} ≈" if standing is not None and standing.tied else text


def linked(row: Row, results: str) -> str:
    """The row's name, leading to the folder of its records."""
    folder = f"{results}/{row.runs[0].path.rsplit('/', 1)[0]}"
    method, _, rest = row.name.partition(" · ")
    return f"[{escaped(method)}]({quote(folder)}/)" + (f" {escaped(rest)}" if rest else "")


def notes(table: Table, results: str) -> list[str]:
    """What a reader of the table must know: its runs' troubles, and hardware that differs."""
    lines = [f"- Samples: {escaped(facts)}." for facts in table.samples]
    if samples_lack_it(table):
        lines.append(LACKING)
    for row in table.rows:
        troubled = sorted((run for run in row.runs if run.trouble), key=lambda run: (clipped(run.trouble), run.seed))
        for trouble, alike in groupby(troubled, key=lambda run: clipped(run.trouble)):
            links = ", ".join(record_link(str(run.seed), run, results) for run in alike)
            lines.append(f"- {escaped(row.name)}, seed {links}: {escaped(trouble)}")
    if len(table.hardware) > 1:
        lines.append(f"- Costs were measured on {len(table.hardware)} kinds of hardware: do not compare them.")
    return ["\n".join(lines)] if lines else []


def every_run(table: Table, shown: Sequence[Column], results: str) -> str:
    """Every run behind the means, folded away."""
    scores = [column for column in shown if column.key in table.scores]
    lines = [
        "<details><summary>Every run</summary>",
        "",
        "| method | seed | " + " | ".join([*(escaped(c.title) for c in scores), "discover, CPU s", "record"]) + " |",
        "|---" * (len(scores) + 4) + "|",
    ]
    for row in table.rows:
        for run in row.runs:
            values = [figure(run, column.key) for column in scores]
            cpu = run.cost("cpu_s")
            link = record_link(run.record.status, run, results)
            cells = [escaped(row.name), str(run.seed), *values, f"{cpu[0]:.1f}" if cpu else "–", link]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", "</details>"])


def record_link(text: str, run: Run, results: str) -> str:
    return f"[{text}]({quote(f'{results}/{run.path}')})"


def figure(run: Run, score: str) -> str:
    point = run.point(score)
    return "–" if point is None else f"{point[0]:z.3f}"


def commands(table: Table) -> str:
    """The commands that make the records again, folded away."""
    lines = ["<details><summary>Reproduce</summary>", "", "```sh", *map(reproduce, table.rows), "```", "", "</details>"]
    return "\n".join(lines)


def clipped(text: str | None) -> str:
    text = " ".join((text or "").split())
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"


def escaped(text: str) -> str:
    """Text that keeps a table whole."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
