"""The local pool: runs jobs whose needs are met, several at a time, within limits of time and memory."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.jobs.cache import Cache, Outcome
from bench.jobs.workers import Workers, workers
from bench.records.record import Status

__all__ = ["Job", "Limits", "Pool", "Watcher"]

TAIL = 20
TAIL_BYTES = 8192
ESCALATION = ((0.0, signal.SIGINT), (1.0, signal.SIGTERM), (2.0, signal.SIGKILL))
MEMORY_EVERY = 0.2
FAMILY_EVERY = 2.0


@dataclass(frozen=True)
class Job:
    """A piece of work for one worker.

    Arguments:
        request: what the worker is asked, JSON.
        needs: name in the request -> identity of a job whose folder is put there.
        keep: whether what it leaves is kept in the cache under its identity.
    """

    kind: str
    identity: str
    label: str
    request: Mapping[str, Any]
    needs: Mapping[str, str] = field(default_factory=dict)
    keep: bool = True


@dataclass(frozen=True)
class Limits:
    """Hard limits of one job: seconds of wall time, bytes of resident memory."""

    seconds: float
    memory: int


class Watcher:
    """Is told what happens in a pool; by default it does not care."""

    def started(self, job: Job) -> None: ...

    def progress(self, job: Job, step: int, steps: int, loss: float | None) -> None: ...

    def ended(self, job: Job, outcome: Outcome) -> None: ...


class Pool:
    """Runs jobs, `size` at a time.

    Arguments:
        share: another pool, whose workers it uses.
    """

    def __init__(
        self, cache: Cache, size: int, limits: Limits, watcher: Watcher | None = None, share: Pool | None = None
    ) -> None:
        self.cache = cache
        self.size = size
        self.limits = limits
        self.watcher = watcher or Watcher()
        self._workers: Workers = share._workers if share else workers()
        self._running: dict[Path, _Running] = {}
        self._next: tuple[str, Path] | None = None

    def run(
        self, jobs: Iterable[Job], done: Callable[[Job, Outcome], None] = lambda job, outcome: None
    ) -> dict[str, Outcome]:
        """The outcome of every job by identity; `done` is called as each ends. A failed need skips what needs it.

        KeyboardInterrupt ends all workers and comes through.
        """
        waiting = {job.identity: job for job in jobs}
        outcomes: dict[str, Outcome] = {}

        def end(job: Job, outcome: Outcome) -> None:
            outcomes[job.identity] = outcome
            self.watcher.ended(job, outcome)
            done(job, outcome)

        try:
            while waiting or self._running:
                for job in [job for job in waiting.values() if self._settled(job, outcomes, waiting)]:
                    if failed := _failed_need(job, outcomes):
                        end(waiting.pop(job.identity), failed)
                    elif len(self._running) < self.size:
                        self._start(waiting.pop(job.identity))
                self._prepare(waiting)
                for job, outcome in self._finished():
                    end(job, outcome)
        except BaseException:
            self.close()
            raise
        return outcomes

    def close(self) -> None:
        """End all workers and remove what they were making."""
        self._workers.close()
        for folder in self._running:
            self.cache.drop(folder)
        self._running.clear()
        self._forget()

    def _settled(self, job: Job, outcomes: Mapping[str, Outcome], waiting: Mapping[str, Job]) -> bool:
        running = {running.job.identity for running in self._running.values()}
        return not any(need in waiting or need in running for need in job.needs.values())

    def _prepare(self, waiting: Mapping[str, Job]) -> None:
        """Have a worker ready for the job that is likely to be next: the first of which no need waits."""
        if self._next is not None and self._next[0] not in waiting:
            self._forget()
        if self._next is None:
            for job in waiting.values():
                if not any(need in waiting for need in job.needs.values()):
                    self._next = job.identity, self._folder(job)
                    self._workers.prepare(self._next[1])
                    return

    def _forget(self) -> None:
        if self._next is not None:
            self.cache.drop(self._next[1])
            self._next = None

    def _folder(self, job: Job) -> Path:
        """A new folder with the job's request."""
        folder = self.cache.scratch()
        request = dict(job.request) | {"kind": job.kind}
        request |= {name: str(self.cache.folder(need)) for name, need in job.needs.items()}
        (folder / "request.json").write_text(json.dumps(request))
        return folder

    def _start(self, job: Job) -> None:
        if self._next is not None and self._next[0] == job.identity:
            folder, self._next = self._next[1], None
        else:
            folder = self._folder(job)
        self._running[folder] = _Running(job)
        self.watcher.started(job)
        self._workers.start(folder)

    def _finished(self) -> list[tuple[Job, Outcome]]:
        ended = self._workers.wait(0.1)
        for folder, running in self._running.items():
            if folder not in ended:
                self._watch(folder, running)
        return [(self._running[folder].job, self._collect(folder, code)) for folder, code in ended.items()]

    def _watch(self, folder: Path, running: _Running) -> None:
        with suppress(OSError, ValueError):
            told = json.loads((folder / "progress.json").read_text())
            self.watcher.progress(running.job, told["step"], told["steps"], told["loss"])
        now = time.monotonic()
        pid = self._workers.pids.get(folder)
        if running.stopping is None and pid is not None:
            if running.lasted(now) > self.limits.seconds:
                running.stop("timeout", f"took longer than {self.limits.seconds:g} s (--timeout)")
            elif (used := running.memory(pid, now)) > self.limits.memory:
                running.stop("oom", f"used {used / 2**30:.2f} GB of memory, limit {self.limits.memory / 2**30:.2f} GB")
        if running.stopping is not None:
            for after, number in ESCALATION[running.asked :]:
                if running.status == "oom" or now - running.stopping >= after:
                    self._workers.signal(folder, signal.SIGKILL if running.status == "oom" else number)
                    running.asked += 1

    def _collect(self, folder: Path, code: int) -> Outcome:
        running = self._running.pop(folder)
        outcome = running.verdict(code, Outcome.read(folder), _tail(folder / "log.txt"))
        if outcome.status == "ok" and running.job.keep:
            self.cache.keep(folder, running.job.identity)
        else:
            self.cache.drop(folder)
        return outcome


@dataclass
class _Running:
    job: Job
    since: float | None = None
    status: Status | None = None
    reason: str = ""
    stopping: float | None = None
    asked: int = 0
    memory_at: float = 0.0
    family_at: float = 0.0
    used: int = 0

    def stop(self, status: Status, reason: str) -> None:
        self.status, self.reason, self.stopping = status, reason, time.monotonic()

    def lasted(self, now: float) -> float:
        """Seconds since its process was first seen; the server's own start does not count."""
        self.since = now if self.since is None else self.since
        return now - self.since

    def memory(self, pid: int, now: float) -> int:
        """Resident bytes of the worker, and now and then of all that it started; none when it has just begun."""
        import psutil

        self.memory_at = self.memory_at or now
        if now - self.memory_at < MEMORY_EVERY:
            return self.used
        self.family_at = self.family_at or now
        self.memory_at = now
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            family = [process]
            if now - self.family_at > FAMILY_EVERY:
                self.family_at = now
                family += process.children(recursive=True)
            self.used = sum(member.memory_info().rss for member in family)
        return self.used

    def verdict(self, code: int, outcome: Outcome | None, tail: list[str]) -> Outcome:
        if self.status is not None:
            return Outcome(self.status, self.reason, tail)
        if outcome is not None and code == 0:
            return Outcome(**{**vars(outcome), "log_tail": tail})
        if code < 0:
            return Outcome("crashed", f"killed by {signal.Signals(-code).name} during {self.job.kind}", tail)
        return Outcome("crashed", f"the worker left {self.job.kind} with exit code {code} and no outcome", tail)


def _failed_need(job: Job, outcomes: Mapping[str, Outcome]) -> Outcome | None:
    for name, need in job.needs.items():
        outcome = outcomes.get(need)
        if outcome is not None and outcome.status != "ok":
            return Outcome("skipped", f"{name.removesuffix('_folder')} failed: {outcome.reason}", outcome.log_tail)
    return None


def _tail(log: Path) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            return file.read().decode(errors="replace").splitlines()[-TAIL:]
    except OSError:
        return []
