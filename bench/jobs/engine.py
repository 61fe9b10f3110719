"""The engine: executes a plan and leaves a record for every run, whatever happens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from bench.jobs.cache import Cache, Outcome
from bench.jobs.planner import PlannedRun
from bench.jobs.pool import Job, Pool
from bench.records.provenance import now, provenance
from bench.records.record import Record
from bench.records.store import Store

__all__ = ["Engine", "Rerun", "due"]

SCORED = "score_cpu_s."
Rerun = Literal["missing", "failed", "stale", "all"]


def due(run: PlannedRun, rerun: Rerun) -> bool:
    """Whether the policy runs it: what is missing always, and what has failed or is stale if that is asked for."""
    return rerun == "all" or run.state == "missing" or run.state == rerun


class Engine:
    """Runs what is due.

    Arguments:
        suite: the suite's name and version, for the records.
    """

    def __init__(self, cache: Cache, store: Store, pool: Pool, suite: str | None = None) -> None:
        self.cache, self.store, self.pool, self.suite = cache, store, pool, suite
        self._started: dict[str, str] = {}

    def execute(self, runs: Sequence[PlannedRun], *, anew: bool = False) -> list[Record]:
        """A record for every run, each written as soon as it is there.

        Arguments:
            anew: discover and score even if the cache knows the outcome.

        KeyboardInterrupt leaves `interrupted` records and comes through.
        """
        records: dict[str, Record] = {}
        open_runs = {run.spec.slot: run for run in runs}
        outcomes: dict[str, Outcome] = {}

        def finish(run: PlannedRun, outcome: Outcome) -> None:
            records[run.spec.slot] = self._record(open_runs.pop(run.spec.slot), outcome, outcomes)

        def done(job: Job, outcome: Outcome) -> None:
            outcomes[job.identity] = outcome
            for run in list(open_runs.values()):
                if any(job.identity == own.identity for own in run.jobs):
                    verdict = _verdict(run, outcomes)
                    if verdict is not None:
                        finish(run, verdict)

        try:
            for run in runs:
                if run.problem is not None:
                    finish(run, run.problem)
            jobs = self._jobs(open_runs.values(), anew, outcomes)
            for run in list(open_runs.values()):
                if (verdict := _verdict(run, outcomes)) is not None:
                    finish(run, verdict)
            self.pool.run(jobs, done)
        except KeyboardInterrupt:
            for run in list(open_runs.values()):
                if run.record is None or run.record.status != "ok":
                    finish(run, Outcome("interrupted", "stopped by the user"))
            raise
        return [records[run.spec.slot] for run in runs]

    def _jobs(self, runs: Iterable[PlannedRun], anew: bool, outcomes: dict[str, Outcome]) -> list[Job]:
        """The jobs that must run: each once, those whose outcome the cache does not know."""
        wanted: dict[str, Job] = {}
        for run, job in [(one, job) for one in runs for job in one.jobs]:
            known = None if anew and job.kind in ("discover", "predict", "score") else self.cache.outcome(job.identity)
            if known is not None:
                outcomes[job.identity] = known
            elif job.kind == "score" and run.identity not in wanted:
                wanted.setdefault(job.identity, _with_known(job, run))
            else:
                wanted.setdefault(job.identity, job)
        return list(wanted.values())

    def _record(self, run: PlannedRun, outcome: Outcome, outcomes: Mapping[str, Outcome]) -> Record:
        of_kind = {job.kind: outcomes[job.identity] for job in run.jobs if job.identity in outcomes}
        discover, predict, score = (of_kind.get(kind) for kind in ("discover", "predict", "score"))
        prepared = {kind.removeprefix("prepare_"): o for kind, o in of_kind.items() if kind.startswith("prepare_")}
        figures = score.figures if score else {}
        cost = dict.fromkeys(("cpu_s", "wall_s", "peak_rss_mb", "steps", "parameters", "score_cpu_s"))
        made = predict if run.spec.model else discover
        cost |= made.cost if made else {}
        if run.spec.model:
            cost["discover_cpu_s"] = discover.cost.get("cpu_s") if discover else None
        cost["prepare_cpu_s"] = round(sum(float(o.cost.get("cpu_s") or 0) for o in prepared.values()), 3)
        if score:
            cost |= {f"score_{key}": spent for key, spent in score.cost.items() if key.startswith("cpu_s")}
        found = [job.identity for job in run.jobs if job.kind == "discover" and discover and discover.status == "ok"]
        record = Record(
            slot=run.spec.slot,
            identity=run.identity,
            status=outcome.status,
            reason=outcome.reason,
            log_tail=[] if outcome.status == "ok" else list(outcome.log_tail),
            spec={**run.spec.to_json(), "params": dict(run.params)},
            scores=figures.get("scores", {}),
            metric_versions=figures.get("versions", {}),
            facts=figures.get("facts", {}),
            symmetry=str(self.cache.folder(found[0]).relative_to(self.cache.root)) if found else None,
            cost=cost,
            provenance={
                **provenance(),
                "suite": self.suite,
                "finished": now(),
                "method": dict(run.method),
                "samples": dict(run.facts),
                "ingredients": dict(run.ingredients),
                "device": made.device if made else None,
                "unmet": outcome.figures.get("unmet"),
                "validation": {part: o.figures for part, o in prepared.items()},
            },
        )
        if run.problem is not None and run.record is not None and run.record.status == "ok":
            return record  # what was found before stays, stale, where it can no longer be found again
        self.store.write(record)
        if run.asked.slot != run.spec.slot:
            self.store.discard(run.asked.dataset, run.asked.folder, run.asked.slot)
        return record


def _with_known(job: Job, run: PlannedRun) -> Job:
    """The scoring of a symmetry that is there, told what the record already knows of it."""
    record = run.record
    if record is None or record.status != "ok" or record.identity != run.identity:
        return job
    spent = {key.removeprefix(SCORED): seconds for key, seconds in record.cost.items() if key.startswith(SCORED)}
    known = {"scores": record.scores, "versions": record.metric_versions, "facts": record.facts, "cpu_s": spent}
    return replace(job, request={**job.request, "known": known})


def _verdict(run: PlannedRun, outcomes: Mapping[str, Outcome]) -> Outcome | None:
    """How the run ended: as its score did, or as the first job of it that failed; None while it is under way."""
    for job in run.jobs:
        outcome = outcomes.get(job.identity)
        if outcome is None:
            return None
        if outcome.status != "ok":
            if job.kind.startswith("prepare_") or (job.kind == "discover" and run.spec.model):
                what = f"{job.kind} failed: {outcome.reason}"
                return Outcome("skipped", what, outcome.log_tail, figures={"unmet": job.kind})
            return outcome
    return outcomes[run.jobs[-1].identity]
