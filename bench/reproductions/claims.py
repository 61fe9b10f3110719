"""Claims: what a paper found, the runs that should find it again, and what is checked of them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.jobs.request import Request, as_each, as_settings
from bench.jobs.specs import parse_seeds
from bench.plugins import suggest

__all__ = ["OVER", "Check", "Claim", "chosen", "read_claims"]

OVER = ("worst", "median", "mean", "share")
RUN = ("method", "dataset", "representation", "oracle", "action", "budget", "seeds", "set", "each")
CHECK = ("figure", "over", "at_most", "at_least", "counts", "published")


@dataclass(frozen=True)
class Check:
    """A figure of the runs against a limit.

    Arguments:
        figure: a score's name, or a cost as `cost.cpu_s`.
        over: `worst`, `median` or `mean` of the runs, or the `share` of them for which the figure is in `counts`.
        at_most, at_least: the limit; without one the figure is shown and not judged.
        counts: (low, high) of a `share`, both included.
        published: the paper's figure, in words.
    """

    figure: str
    over: str = "worst"
    at_most: float | None = None
    at_least: float | None = None
    counts: tuple[float, float] = (-float("inf"), float("inf"))
    published: str = ""


@dataclass(frozen=True)
class Claim:
    """A claim.

    Arguments:
        name: what it is called on the command line.
        text: what is claimed.
        source: where it was published.
        request: the runs.
        note: what a reader must know.
    """

    name: str
    text: str
    source: str
    request: Request
    checks: tuple[Check, ...]
    note: str = ""


def read_claims(path: Path) -> list[Claim]:
    """The claims in a suite file. BenchError, naming the file and the claim, where something is wrong."""
    try:
        suite = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror}", "name a file as suites/reproductions.toml", usage=True) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BenchError(f"{path}: {error}", "mend the file", usage=True) from None
    tables = suite.get("claim")
    if not (isinstance(tables, list) and all(isinstance(one, dict) for one in tables)):
        raise BenchError(f"{path} has no claims", "write [[claim]] above each", usage=True)
    found = [_claim(f"{path}, claim {number}", one) for number, one in enumerate(tables, 1)]
    names = [claim.name for claim in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BenchError(f"{path}: two claims are called {', '.join(twice)}", "give each its own name", usage=True)
    return found


def chosen(claims: Sequence[Claim], names: Sequence[str]) -> list[Claim]:
    """The claims of these names, all for none. BenchError for a name that there is not."""
    known = {claim.name: claim for claim in claims}
    wrong = [f"no claim '{name}'{suggest(name, known)} There are: {', '.join(known)}" for name in names
             if name not in known]  # fmt: skip
    if wrong:
        raise BenchError("\n".join(wrong), usage=True)
    return [known[name] for name in names] or list(claims)


def _claim(where: str, table: Mapping[str, Any]) -> Claim:
    _keys(where, table, ("name", "claim", "source", "run", "check"), ("note",))
    run = table["run"]
    _keys(f"{where}, run", run, ("method", "dataset"), RUN)
    rest = {key: run[key] for key in ("representation", "oracle", "action", "budget") if key in run}
    try:
        seeds, settings = parse_seeds(run.get("seeds", "0")), as_settings(run.get("set", {}))
        each = as_each(run.get("each", {}))
    except BenchError as error:
        raise BenchError(f"{where}: {error}", usage=True) from None
    request = Request([run["method"]], [run["dataset"]], seeds, settings=settings, each=each, **rest)
    checks = tuple(_check(f"{where}, check {number}", one) for number, one in enumerate(table["check"], 1))
    return Claim(table["name"], table["claim"], table["source"], request, checks, table.get("note", ""))


def _check(where: str, table: Mapping[str, Any]) -> Check:
    _keys(where, table, ("figure",), CHECK)
    if table.get("over", "worst") not in OVER:
        raise BenchError(f"{where}: over = {table['over']!r}; allowed are {', '.join(OVER)}", usage=True)
    limits = [table[key] for key in ("at_most", "at_least") if key in table]
    if not all(isinstance(limit, (int, float)) for limit in limits):
        raise BenchError(f"{where}: a limit is {limits[0]!r}", "write a number", usage=True)
    if len(limits) > 1:
        raise BenchError(f"{where}: at_most and at_least", "write two checks", usage=True)
    low, high = table.get("counts", Check.counts)
    found = Check(**{**table, "counts": (low, high)})
    if found.over == "worst" and found.at_most is None and found.at_least is None:
        raise BenchError(f"{where}: the worst of a figure without a limit", "add at_most or at_least", usage=True)
    return found


def _keys(where: str, table: Mapping[str, Any], needed: Sequence[str], allowed: Sequence[str]) -> None:
    """BenchError unless a table has all the needed keys, and no other than those and the allowed ones."""
    names = dict.fromkeys([*needed, *allowed])
    for key in table:
        if key not in names:
            raise BenchError(f"{where}: no key '{key}'{suggest(key, names)} Allowed: {', '.join(names)}", usage=True)
    if missing := [key for key in needed if key not in table]:
        raise BenchError(f"{where} lacks {', '.join(missing)}", "add it", usage=True)
