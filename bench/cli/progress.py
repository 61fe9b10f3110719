"""What is seen while jobs run: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.jobs.cache import Outcome
from bench.jobs.planner import PlannedRun
from bench.jobs.pool import Job, Watcher

__all__ = ["Display", "display"]

LINE_EVERY = 20.0


class Display(Watcher):
    """A watcher that people read; on the error stream, so that the standard output holds results alone."""

    def planned(self, runs: Sequence[PlannedRun]) -> None:
        """Called once, with the plan."""

    def stop(self) -> None:
        """Take the display away."""


class Lines(Display):
    """A line when a job starts and ends, and now and then between."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}
        self._told: dict[str, float] = {}

    def started(self, job: Job) -> None:
        self._begun[job.identity] = self._told[job.identity] = time.monotonic()
        self._line(job, "started")

    def progress(self, job: Job, step: int, steps: int, loss: float | None) -> None:
        if time.monotonic() - self._told[job.identity] > LINE_EVERY:
            self._told[job.identity] = time.monotonic()
            self._line(job, f"step {step}/{steps} {_shown(loss)}".rstrip())

    def ended(self, job: Job, outcome: Outcome) -> None:
        if job.identity in self._begun:
            took = time.monotonic() - self._begun[job.identity]
            self._line(job, f"{outcome.status} in {took:.1f} s" + (f": {outcome.reason}" if outcome.reason else ""))

    def _line(self, job: Job, text: str) -> None:
        click.echo(f"{time.strftime('%H:%M:%S')} {job.label} {job.kind}: {text}", err=True)


class Bars(Display):
    """A bar per running job: run, stage, step, loss, time left; and one for the whole."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[loss]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._whole: TaskID | None = None
        self._bars.start()

    def planned(self, runs: Sequence[PlannedRun]) -> None:
        jobs = {job.identity for run in runs for job in run.jobs}
        self._whole = self._bars.add_task("all jobs", total=len(jobs), loss="")

    def started(self, job: Job) -> None:
        self._tasks[job.identity] = self._bars.add_task(f"{job.label} {job.kind}", total=1, loss="")

    def progress(self, job: Job, step: int, steps: int, loss: float | None) -> None:
        self._bars.update(self._tasks[job.identity], completed=step, total=steps, loss=_shown(loss))

    def ended(self, job: Job, outcome: Outcome) -> None:
        if job.identity in self._tasks:
            self._bars.remove_task(self._tasks.pop(job.identity))
        if self._whole is not None:
            self._bars.advance(self._whole)
        if outcome.status not in ("ok", "skipped"):
            self._bars.console.print(f"{job.label} {job.kind}: {outcome.status}: {outcome.reason}", markup=False)

    def stop(self) -> None:
        self._bars.stop()


@contextmanager
def display(quiet: bool = False) -> Iterator[Display]:
    """Bars if the error stream is a terminal, else lines; nothing at all if quiet."""
    shown = Display() if quiet else Bars() if sys.stderr.isatty() else Lines()
    try:
        yield shown
    finally:
        shown.stop()


def _shown(loss: float | None) -> str:
    return "" if loss is None else f"loss {loss:.4g}"
