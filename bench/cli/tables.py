"""Tables that the verbs print."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.jobs.cache import Cache
from bench.jobs.planner import PlannedRun
from bench.records.record import Record

__all__ = ["describe_learner", "describe_run", "print_plan", "print_records", "table"]


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str | None = None) -> None:
    """Print a table, as wide as it needs to be where no terminal limits it."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    shown = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    for number, column in enumerate(columns):
        shown.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        shown.add_row(*row)
    console.print(shown)


def describe_learner(spec: Any) -> str:
    """What is scored: a method, or `model + method` with the number of training samples."""
    if not spec.get("model"):
        return describe_run(spec)
    size = "" if spec.get("n") is None else f", n={spec['n']}"
    return f"{describe_run(spec, 'model')} + {describe_run(spec)}{size}"


def describe_run(spec: Any, kind: str = "method") -> str:
    """The name of a plugin in a spec, with the parameters that were set."""
    given = spec["set"].get(kind, {})
    return str(spec[kind]) + (f" ({', '.join(f'{k}={_short(v)}' for k, v in sorted(given.items()))})" if given else "")


def print_plan(runs: Sequence[PlannedRun], due: Collection[str], cache: Cache) -> None:
    """Every run, whether it would be run and why, and which of its jobs are cached."""
    rows = []
    for run in runs:
        cached = [job.kind for job in run.jobs if cache.outcome(job.identity)]
        why = run.problem.reason or run.problem.status if run.problem else run.why
        todo = "skip" if run.problem else "run" if run.spec.slot in due else "keep"
        spec = run.spec.to_json()
        track = "/".join(str(spec[part] or "default") for part in ("representation", "oracle", "action"))
        rows.append(
            [describe_run(spec, "dataset"), track, describe_learner(spec), str(run.spec.seed), todo, why,
             ", ".join(cached)]
        )
    columns = ["dataset", "representation/oracle/action", "method or model", "seed", "plan", "why", "cached jobs"]
    table(f"{len(runs)} runs", columns, rows)


def print_records(records: Sequence[Record], made: Collection[str]) -> None:
    """One row per track and method: means over seeds of the headline scores; then what failed."""
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        spec = record.spec
        track = "/".join(str(spec[part]) for part in ("representation", "oracle", "action"))
        groups.setdefault((describe_run(spec, "dataset"), track, describe_learner(spec)), []).append(record)
    scores = sorted({name for record in records for name in record.scores if "." not in name})
    rows = []
    for key, group in groups.items():
        good = [record for record in group if record.status == "ok"]
        values = [_mean([record.scores.get(name) for record in good]) for name in scores]
        cpu = _mean([record.cost.get("cpu_s") for record in good], digits=1)
        rows.append([*key, f"{len(good)}/{len(group)}", *values, cpu])
    caption = "mean ± standard deviation over seeds"
    if kept := len(records) - len(made):
        caption += f"; {kept} of {len(records)} runs were kept from before"
    titles = [name.replace("_", " ") for name in scores]
    table("Results", ["dataset", "track", "method or model", "ok", *titles, "CPU s"], rows, caption)
    console = Console()
    for record in records:
        if record.status != "ok":
            spec = record.spec
            where = f"{spec['dataset']}/{describe_learner(spec)}#{spec['seed']}"
            policy = "all" if record.status == "skipped" else "failed"
            again = "" if record.slot in made else f" [before; --rerun {policy} tries again]"
            console.print(f"{where}: {record.status}: {record.reason}{again}", markup=False, soft_wrap=True)


def _mean(values: Sequence[float | int | None], digits: int = 3) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    mean = f"{statistics.fmean(known):.{digits}f}"
    return mean if len(known) == 1 else f"{mean} ± {statistics.stdev(known):.{digits}f}"


def _short(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 24 else text[:21] + "..."
