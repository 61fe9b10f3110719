"""Verdicts: what the records say of a claim."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.records.record import Record
from bench.reproductions.claims import Check, Claim

__all__ = ["Finding", "Verdict", "judged", "missing"]

Verdict = Literal["reached", "not reached", "shown", "failed", "missing"]


@dataclass(frozen=True)
class Finding:
    """What came of one check.

    Arguments:
        ours: our figure; None where there is none.
        runs: how many runs it is of.
        reason: why there is no figure.
    """

    claim: Claim
    check: Check
    verdict: Verdict
    ours: float | None = None
    runs: int = 0
    reason: str = ""

    @property
    def good(self) -> bool:
        return self.verdict in ("reached", "shown")


def missing(claim: Claim, reason: str) -> list[Finding]:
    """The findings of a claim that cannot be run."""
    return [Finding(claim, check, "missing", reason=reason) for check in claim.checks]


def judged(claim: Claim, records: Sequence[Record | None]) -> list[Finding]:
    """A finding for each check, from the records of the claim's runs; None: not run. One failed run fails them all."""
    known = [record for record in records if record is not None]
    if len(known) < len(records):
        return missing(claim, f"{len(records) - len(known)} of {len(records)} runs were never run")
    if bad := [record for record in known if record.status != "ok"]:
        skipped = all(record.status in ("skipped", "interrupted") for record in bad)
        reason = f"{bad[0].status}: {bad[0].reason}"
        return [Finding(claim, one, "missing" if skipped else "failed", reason=reason) for one in claim.checks]
    return [_judged(claim, check, known) for check in claim.checks]


def _judged(claim: Claim, check: Check, records: Sequence[Record]) -> Finding:
    values = [value for record in records if (value := _figure(check.figure, record)) is not None]
    if len(values) < len(records):
        reason = f"{len(records) - len(values)} of {len(records)} runs have no {check.figure}"
        return Finding(claim, check, "failed", reason=reason)
    ours = _over(check, values)
    verdict: Verdict = "shown"
    if check.at_most is not None:
        verdict = "reached" if ours <= check.at_most else "not reached"
    if check.at_least is not None:
        verdict = "reached" if ours >= check.at_least else "not reached"
    return Finding(claim, check, verdict, ours, len(values))


def _figure(name: str, record: Record) -> float | None:
    kind, _, rest = name.partition(".")
    value = record.cost.get(rest) if kind == "cost" else record.scores.get(name)
    return None if value is None else float(value)


def _over(check: Check, values: Sequence[float]) -> float:
    if check.over == "share":
        low, high = check.counts
        return sum(low <= value <= high for value in values) / len(values)
    if check.over == "worst":
        return max(values) if check.at_least is None else min(values)
    return statistics.median(values) if check.over == "median" else statistics.fmean(values)
