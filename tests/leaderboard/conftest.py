"""Synthetic records, written through the store."""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

import pytest

from bench.cli import main
from bench.records.record import Record
from bench.records.store import Store


class Result(NamedTuple):
    exit_code: int
    output: str
    error: str


def record(method="flow", seed=0, scores=None, *, status="ok", chosen=None, uses=("oracle",), control=False, **asked):
    """A record as a run leaves it; `scores` become flat names, `chosen` the spec's `set`."""
    spec = {
        "dataset": "digits", "representation": "vae", "oracle": "logits", "action": "field", "budget": "standard",
        "model": None, "method": method, "seed": seed, "set": chosen or {},
    }  # fmt: skip
    spec |= {name: value for name, value in asked.items() if name in spec}
    slot = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]
    defaults = {"method": {"epochs": 10}, "dataset": {"classes": [1, 2]}}
    resolved = {part: {**values, **(chosen or {}).get(part, {})} for part, values in defaults.items()}
    spec["params"] = asked.get("params", resolved)
    return Record(
        slot=slot,
        identity=asked.get("identity", f"identity of {slot}"),
        status=status,
        reason=asked.get("reason"),
        spec=spec,
        scores=scores or {},
        metric_versions=asked.get("versions", {}),
        facts=asked.get("facts", {}),
        cost={"cpu_s": 20.0 + seed, "prepare_cpu_s": 90.0, "score_cpu_s": 8.0} if status == "ok" else {},
        provenance={"method": {"uses": list(uses), "control": control}, "cpu": asked.get("cpu", "one")},
    )


def runs(method, values, score="joint", **more):
    """A record a seed, with the score's values."""
    return [record(method, seed, {score: value}, **more) for seed, value in enumerate(values)]


@pytest.fixture
def board(tmp_path, monkeypatch, capsys):
    """A folder to work in: `board(records)` writes them, `board.run(*arguments)` calls the command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BENCH_RESULTS", raising=False)

    class Board:
        root = tmp_path / "results"
        page = tmp_path / "leaderboard.md"

        def __call__(self, *groups):
            self.root.mkdir(exist_ok=True)
            for group in groups:
                for one in [group] if isinstance(group, Record) else group:
                    Store(self.root).write(one)
            return self

        def run(self, *arguments):
            monkeypatch.setattr("sys.argv", ["bench", "leaderboard", *arguments])
            capsys.readouterr()
            with pytest.raises(SystemExit) as left:
                main()
            return Result(left.value.code, *capsys.readouterr())

        def text(self):
            result = self.run()
            assert result.exit_code == 0, result.error
            return self.page.read_text(encoding="utf-8")

        def line(self, start):
            """The table's line of a method, as cells by the titles of the columns."""
            lines = self.text().splitlines()
            head = next(line for line in lines if line.startswith("| place |"))
            found = next(line for line in lines if f"[{start}](" in line and line.startswith("|"))
            cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in (head, found)]
            return dict(zip(*cells, strict=True))

    return Board()
