"""The table of a track's downstream models, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from bench.leaderboard.columns import number
from bench.leaderboard.commands import reproduce
from bench.leaderboard.downstream.curves import SCORE, WITHOUT, WRONG, Learner, against, asked, learners, multiplier
from bench.leaderboard.downstream.efficiency import Multiplier
from bench.leaderboard.statistics import Interval
from bench.leaderboard.tables import Row, Table

__all__ = ["LEGEND", "lines"]

LEGEND = (
    "Downstream models: *n = …*: the score of a model trained on so many samples, accuracy, area under the ROC "
    "curve of two classes, or correct digits -log10(MSE / variance) of a target; *area*: its mean over log n; "
    "**bold**: the largest of what needed no truth. *Multiplier*: how many times the samples the model without a "
    "symmetry needs for the same score. *Against none, wrong*: the paired difference of area, or of the score, to "
    "the same model without a symmetry and with a random one of equal speed; ✓: its 95 % interval is above 0. At "
    "the largest n: *orbit*: accuracy over the true group, mean / share of samples that are right on all of 16 "
    "elements; *invariance error*: change under the group in units of the predictions' spread. *built-in*: the "
    "model's own symmetry. Definitions: [docs/metrics.md](docs/metrics.md)."
)


def lines(table: Table) -> list[str]:
    """The parts of a section: the table, and the commands that make its records again."""
    found = learners(table)
    sizes = sorted({asked(row) for row in table.rows}, key=lambda n: (n is None, n or 0))
    heads = [
        "model", "symmetry", *(f"n = {n or 'all'}" for n in sizes), "area", "multiplier", "against none",
        "against wrong", "orbit", "invariance error", "parameters", "train, CPU s", "seeds",
    ]  # fmt: skip
    rows = [cells(learner, found, sizes) for learner in in_order(found)]
    shown = [i for i in range(len(heads)) if i < 2 or any(row[i] for row in rows)]
    table_lines = ["| " + " | ".join(heads[i] for i in shown) + " |", "|---" * len(shown) + "|"]
    table_lines += ["| " + " | ".join(row[i] or "–" for i in shown) + " |" for row in rows]
    return ["\n".join(table_lines), commands(found)]


def in_order(found: Sequence[Learner]) -> list[Learner]:
    """Largest area first, or score where there is one n; those that have neither come last."""

    def order(learner: Learner) -> tuple[bool, float, str]:
        value = height(learner)
        return value is None, -(value or 0.0), learner.name

    return sorted(found, key=order)


def height(learner: Learner) -> float | None:
    """What learners are ordered by."""
    last = learner.rows[-1].estimate(SCORE)
    interval = learner.area or last
    return None if interval is None else interval.mean


def cells(learner: Learner, others: list[Learner], sizes: Sequence[int | None]) -> list[str]:
    """A learner's cells, in the order of the heads."""
    last = learner.rows[-1]
    free = [one for one in others if not one.control and height(one) is not None]
    best = bool(free) and learner is max(free, key=lambda one: height(one) or 0.0)
    area = text(learner.area)
    seeds = min(row.ok for row in learner.rows)
    name, _, chosen = learner.name.partition(" · ")
    return [
        name.partition(" + ")[0] + (f" {chosen}" if chosen else ""),
        learner.source + (" (control)" if learner.control else ""),
        *(text(row.estimate(SCORE)) if (row := learner.at(n)) else "" for n in sizes),
        f"**{area}**" if best and area else area,
        of_multiplier(multiplier(learner, others)),
        difference(learner, others, WITHOUT),
        difference(learner, others, WRONG),
        orbit(last),
        text(last.estimate("invariance.error")),
        whole(last.cost("parameters")),
        "" if (cpu := last.cost("cpu_s")) is None else number(cpu, "{:.1f}"),
        f"{seeds}" if seeds >= 3 else f"{seeds} ⚠",
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
    return f"{found.value:.3g} [{found.low:.2g}, {found.high:.2g}]"


def difference(learner: Learner, others: list[Learner], source: str) -> str:
    """The paired difference to the same model with another source, marked where it is above 0."""
    other = next((one for one in others if one.source == source and one.model == learner.model), None)
    interval = None if other is None or other is learner else against(learner, other)
    if interval is None:
        return ""
    sure = interval.low is not None and interval.low > 0
    return number(interval, "{:+.3f}").replace("± +", "± ") + (" ✓" if sure else "")


def orbit(row: Row) -> str:
    mean, worst = (row.estimate(f"invariance.{name}") for name in ("orbit", "worst"))
    return "" if mean is None or worst is None else f"{mean.mean:.3f} / {worst.mean:.3f}"


def commands(found: Sequence[Learner]) -> str:
    """A command for each learner, its numbers of samples in one."""
    shown = []
    for learner in found:
        sizes = ",".join(str(asked(row) or "all") for row in learner.rows)
        words = reproduce(learner.rows[0]).split(" --n ")
        shown.append(f"{words[0]} --n {sizes} {words[1].partition(' ')[2]}")
    return "\n".join(["<details><summary>Reproduce</summary>", "", "```sh", *shown, "```", "", "</details>"])
