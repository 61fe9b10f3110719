"""The page of reproductions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.reproductions.verdicts import Finding

__all__ = ["FIELDS", "cells", "page", "summary"]

FIELDS = ("claim", "source", "checked", "published", "ours", "verdict")
HEAD = """# Reproductions

What papers report, and what the methods of this suite find on the same tasks. Written by `bench reproduce --output`;
`bench reproduce NAME` repeats one claim. Costs are CPU-seconds of discovery on one core. *Worst*, *median* and *mean*
are over the runs, seeds and tasks, of a claim; a *share* is that of the runs in the given range.

"""


def cells(finding: Finding) -> tuple[str, ...]:
    """What a table shows of a finding: FIELDS."""
    check = finding.check
    what = f"{check.over} {check.figure}" + (_range(*check.counts) if check.over == "share" else "")
    if check.at_most is not None or check.at_least is not None:
        what += f", wanted ≤ {check.at_most:g}" if check.at_most is not None else f", wanted ≥ {check.at_least:g}"
    ours = "–" if finding.ours is None else f"{finding.ours:.5g}"
    ours += f" ({finding.runs} runs)" if finding.runs > 1 else ""
    verdict = finding.verdict + (f": {finding.reason}" if finding.reason else "")
    return finding.claim.name, finding.claim.source, what, check.published, ours, verdict


def _range(low: float, high: float) -> str:
    if low == high:
        return f" = {low:g}"
    if math.isinf(low) or math.isinf(high):
        return f" ≤ {high:g}" if math.isinf(low) else f" ≥ {low:g}"
    return f" from {low:g} to {high:g}"


def summary(findings: Sequence[Finding]) -> str:
    """How many checks have which verdict."""
    counts = {verdict: sum(one.verdict == verdict for one in findings) for verdict in dict.fromkeys(
        ("reached", "not reached", "shown", "failed", "missing"))}  # fmt: skip
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)


def page(findings: Sequence[Finding]) -> str:
    """The page in Markdown: a section for each claim."""
    lines = [f"{summary(findings)}.", ""]
    for claim in dict.fromkeys(finding.claim.name for finding in findings):
        own = [finding for finding in findings if finding.claim.name == claim]
        about = own[0].claim
        lines += [f"## {claim}", "", f"{about.text} Source: {about.source}.", ""]
        lines += ["| checked | published | ours | verdict |", "|---|---|---|---|"]
        lines += ["| " + " | ".join(_escaped(cell) for cell in cells(one)[2:]) + " |" for one in own]
        lines += ["", *([about.note, ""] if about.note else [])]
    return HEAD + "\n".join(lines).rstrip() + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
