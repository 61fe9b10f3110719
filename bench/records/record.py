"""The record: the JSON that a run leaves behind, whatever happened."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from bench.errors import BenchError

__all__ = ["SCHEMA", "STATUSES", "Record", "Status"]

SCHEMA = 1
Status = Literal["ok", "failed", "timeout", "oom", "crashed", "skipped", "interrupted"]
STATUSES = ("ok", "failed", "timeout", "oom", "crashed", "skipped", "interrupted")


@dataclass(frozen=True)
class Record:
    """One run: what was asked, what came of it, what it cost, where it was made.

    Arguments:
        slot: hash of what the user asked for; the file's name.
        identity: hash of all that the result depends on; another identity makes the record stale.
        status: `ok`, or how it ended; with reason and the last lines of the log.
        spec: dataset, representation, oracle, action, method, model, seed, budget; `set`, the parameters that the user
            set, by component; `params`, all parameters of each component, defaults included.
        scores: flat metric name -> number, or None where it does not apply.
        metric_versions: metric -> version that produced its scores.
        facts: what metrics say in words, by name, as the name of the algebra.
        symmetry: the artifact's folder, relative to the cache.
        cost: cpu_s, wall_s, peak_rss_mb, steps, parameters of discovery; prepare_cpu_s and score_cpu_s apart, and of
            each metric `score_cpu_s.NAME`.
        provenance: versions, machine, git, time; `method` {uses, control}; `samples`, what the
            dataset says of them, `source` among it; `validation`, figures of what was prepared; `unmet`, the need that
            failed, of a run that was skipped for it.
    """

    slot: str
    identity: str
    status: Status
    spec: dict[str, Any]
    reason: str | None = None
    log_tail: list[str] = field(default_factory=list)
    scores: dict[str, float | None] = field(default_factory=dict)
    metric_versions: dict[str, int] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    symmetry: str | None = None
    cost: dict[str, float | int | None] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    def to_json(self) -> str:
        return json.dumps(vars(self), indent=1, sort_keys=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Raises BenchError where the text is no record of this schema."""
        try:
            data = {"facts": {}, **json.loads(text)}
            if data["schema"] != SCHEMA:
                raise BenchError(
                    f"a record of schema {data['schema']}; this version reads {SCHEMA}", "upgrade symmetry-bench"
                )
            if data["status"] not in STATUSES:
                raise BenchError(f"unknown status {data['status']!r}; allowed: {', '.join(STATUSES)}")
            return cls(**{f.name: data[f.name] for f in fields(cls)})
        except (KeyError, TypeError, ValueError) as error:
            what = f"not a record: {type(error).__name__}: {error}"
            raise BenchError(what, "delete the file and run again") from None
