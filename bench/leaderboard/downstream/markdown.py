"""The table of a track's downstream models, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.leaderboard.columns import number
from bench.leaderboard.commands import reproduce_all
from bench.leaderboard.downstream.curves import (
    SCORE,
    WRONG,
    Learner,
    against,
    asked,
    baseline,
    common,
    height,
    learners,
    multiplier,
    partner,
)
from bench.leaderboard.downstream.efficiency import Multiplier
from bench.leaderboard.statistics import Interval
from bench.leaderboard.tables import Row, Table, summary

__all__ = ["LEGEND", "lines"]

ENOUGH = 3

LEGEND = (
    "Downstream models: *n = …*: the score of a model trained on so many samples, accuracy, area under the ROC "
    "curve of two classes, or correct digits -log10(MSE / variance) of a target; *area*: its mean over log n, of "
    "what has every n; **bold**: the largest of what was given no truth, labels or pairs. The symmetry itself is "
    "discovered from all training samples, and an oracle that is trained has seen their labels: n counts what the "
    "model is given. *Multiplier*: how many times the samples the model without a symmetry needs for the same "
    "score. *Against none, wrong*: the paired difference of area, or of the score, to the same model without a "
    "symmetry and with a random one of equal speed, of a model whose symmetry is built in to the best without one; ✓: "
    "its 95 % interval is above 0. At the largest n: *gain*: the same difference to none of the score; *orbit*: "
    "accuracy over the true group, mean / share of samples that are right on all of 16 elements; *invariance "
    "error*: change under the group in units of the predictions' spread. *built-in*: the model's own symmetry. "
    "Definitions: [docs/metrics.md](docs/metrics.md)."
)


def lines(table: Table) -> list[str]:
    """The parts of a section: the table, and the commands that make its records again."""
    found = learners(table)
    sizes = sorted({asked(row) for row in table.rows}, key=lambda n: (n is None, n or 0))
    areas = {learner.name: over_sizes(learner, found, sizes) for learner in found}
    found = sorted(found, key=lambda learner: (-height(areas[learner.name]), learner.name))
    ranked = [one.name for one in found if one.block == "ranked" and areas[one.name]]
    heads = [
        "model", "symmetry", *(f"n = {n or 'all'}" for n in sizes), "area", "multiplier", "against none",
        "against wrong", "gain", "orbit", "invariance error", "parameters", "steps", "train, CPU s", "seeds",
    ]  # fmt: skip
    rows = []
    for learner in found:
        scores = [text(row.estimate(SCORE)) if (row := learner.at(n)) else "" for n in sizes]
        area = text(areas[learner.name]) if len(sizes) > 1 else ""
        if learner.name in ranked[:1]:
            scores, area = (scores, f"**{area}**") if area else ([f"**{scores[0]}**"], "")
        rows.append([*who(learner), *scores, area, *figures(learner, found)])
    kept = [i for i in range(len(heads)) if i < 2 or any(row[i] for row in rows)]
    table_lines = ["| " + " | ".join(heads[i] for i in kept) + " |", "|---" * len(kept) + "|"]
    table_lines += ["| " + " | ".join(row[i] or "–" for i in kept) + " |" for row in rows]
    return ["\n".join(table_lines), commands(found)]


def over_sizes(learner: Learner, found: Sequence[Learner], sizes: Sequence[int | None]) -> Interval | None:
    """The area over all numbers of samples of a table; where there is one, the score."""
    return learner.last.estimate(SCORE) if len(sizes) == 1 else summary(learner.areas(common(found)))


def who(learner: Learner) -> list[str]:
    """The model with what was set, and the source of its symmetry with what that was given."""
    name, _, chosen = learner.name.partition(" · ")
    helped = [use for use in learner.rows[0].uses if use in ("labels", "pairs")]
    remark = "control" if learner.block == "control" else ", ".join(helped)
    return [
        name.partition(" + ")[0] + (f" {chosen}" if chosen else ""),
        learner.source + (f" ({remark})" if remark else ""),
    ]


def figures(learner: Learner, others: Sequence[Learner]) -> list[str]:
    """What stands after the scores: comparisons, invariance at the largest n, cost."""
    last, cpu, without = learner.last, learner.last.cost("cpu_s"), baseline(learner, others)
    seeds = min((row.ok for row in learner.rows if row.ok), default=0)
    return [
        of_multiplier(multiplier(learner, others)),
        difference(learner, without),
        difference(learner, partner(learner, others, WRONG)),
        difference(learner, without, largest=True) if len(learner.points) > 1 else "",
        orbit(last),
        text(last.estimate("invariance.error")),
        whole(last.cost("parameters")),
        whole(last.cost("steps")),
        "" if cpu is None else number(cpu, "{:.1f}"),
        f"{seeds}" if seeds >= ENOUGH else f"{seeds} ⚠",
    ]


def text(interval: Interval | None) -> str:
    return "" if interval is None else number(interval, "{:z.3f}")


def whole(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.mean:.0f}"


def of_multiplier(found: Multiplier | None) -> str:
    """`3.2 [2.1, 4.0]`, or a bound."""
    if found is None:
        return ""
    if found.low is None or found.high is None:
        return f"{found.censored}{' ' if found.censored else ''}{found.value:.3g}"
    high = "∞" if math.isinf(found.high) else f"{found.high:.2g}"
    return f"{found.value:.3g} [{found.low:.2g}, {high}]"


def difference(learner: Learner, other: Learner | None, *, largest: bool = False) -> str:
    """The paired difference to another learner, marked where it is above 0."""
    interval = None if other is None or other is learner else against(learner, other, largest=largest)
    if interval is None:
        return ""
    sure = interval.low is not None and interval.low > 0
    return number(interval, "{:+.3f}").replace("± +", "± ") + (" ✓" if sure else "")


def orbit(row: Row) -> str:
    mean, worst = (row.estimate(f"invariance.{name}") for name in ("orbit", "worst"))
    return "" if mean is None or worst is None else f"{mean.mean:.3f} / {worst.mean:.3f}"


def commands(found: Sequence[Learner]) -> str:
    """A command for each learner, all its numbers of samples and seeds in one."""
    shown = [reproduce_all(learner.rows) for learner in found]
    return "\n".join(["<details><summary>Reproduce</summary>", "", "```sh", *shown, "```", "", "</details>"])
