"""bench leaderboard: exit codes, messages, formats."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pandas as pd
import pytest

from bench.leaderboard.columns import Column, columns
from tests.leaderboard.conftest import record, runs

VALUES = [0.1, 0.30000000000000004, 1 / 3, 0.25, 0.2]


def test_check_tells_up_to_date_from_stale_and_says_what_to_run(board):
    board(runs("flow", VALUES))
    missing = board.run("--check")
    assert missing.exit_code == 1
    board.text()
    assert board.run("--check").exit_code == 0
    board(record("flow", 9, {"joint": 0.9}))
    before = board.page.read_bytes()
    stale = board.run("--check")
    assert stale.exit_code == 1
    assert stale.error == "error: leaderboard.md is out of date with results (write it again: bench leaderboard)\n"
    assert board.page.read_bytes() == before


def test_check_names_the_options_that_matter(board):
    board(runs("flow", VALUES))
    assert "bench leaderboard --output other.md" in board.run("--check", "--output", "other.md").error


def test_links_are_relative_to_the_page(board, tmp_path):
    board(runs("flow", VALUES))
    (tmp_path / "docs").mkdir()
    assert board.run("--output", "docs/board.md").exit_code == 0
    assert "(../results/digits/flow/)" in (tmp_path / "docs/board.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("arguments", [["--results", "nowhere"], ["--format", "xml"], ["--check", "--format", "json"]])
def test_usage_errors_exit_2(board, arguments):
    assert board(runs("flow", VALUES)).run(*arguments).exit_code == 2


def test_no_records_make_an_empty_page(board):
    assert "No records yet" in board().text()


def test_unreadable_records_are_all_named_and_nothing_is_written(board):
    board(runs("flow", VALUES))
    (board.root / "digits/flow/torn.json").write_text("{", encoding="utf-8")
    (board.root / "digits/flow/alien.json").write_text(json.dumps({"schema": 99}), encoding="utf-8")
    result = board.run()
    assert result.exit_code == 1
    alien, torn = result.error.splitlines()
    assert "alien.json: a record of schema 99" in alien
    assert "torn.json: not a record" in torn
    assert not board.page.exists()


def test_two_records_of_one_run_that_differ_are_refused(board):
    board(record("flow", 0, {"joint": 0.5}, chosen={"method": {"epochs": 10}}), record("flow", 0, {"joint": 0.6}))
    result = board.run()
    assert result.exit_code == 1
    assert "two records of one run that differ" in result.error


def test_asking_for_a_default_by_name_is_the_same_run(board):
    board(
        record("flow", 0, {"joint": 0.5}, identity="one", chosen={"method": {"epochs": 10}}),
        record("flow", 0, {"joint": 0.5}, identity="one"),
    )
    assert board.line("flow")["seeds"] == "1 ⚠"


def test_json_and_csv_hold_the_same_numbers_at_full_precision(board):
    board(
        [record("flow", s, {"joint": v, "joint.se": 0.01}) for s, v in enumerate(VALUES)],
        runs("truth", VALUES, control=True),
        record("broken", 0, status="oom", reason="4 GB"),
    )
    text = {form: board.run("--format", form).output for form in ("json", "csv")}
    from_json = pd.DataFrame(json.loads(text["json"]))
    from_csv = pd.read_csv(io.StringIO(text["csv"]))
    for name in ("mean", "low", "high", "n", "ok", "failures", "failure_high", "place"):
        pd.testing.assert_series_equal(from_json[name].astype(float), from_csv[name].astype(float), rtol=1e-15)
    flow = from_json[(from_json.row == "flow") & (from_json.key == "joint")].iloc[0]
    assert flow["values"] == VALUES
    assert flow["mean"] == pytest.approx(sum(VALUES) / 5)
    assert (flow["block"], flow["best"], flow["place"]) == ("ranked", True, 1)
    broken = from_json[from_json.row == "broken"].iloc[0]
    assert (broken["failures"], broken["ok"]) == (1, 0)
    assert pd.isna(broken["key"])
    csv_values = from_csv[(from_csv.row == "flow") & (from_csv.key == "joint")].iloc[0]["values"]
    assert [float(v) for v in csv_values.split()] == VALUES


def test_export_goes_to_a_file_where_asked(board, tmp_path):
    board(runs("flow", VALUES))
    assert board.run("--format", "csv", "--output", "board.csv").exit_code == 0
    assert (tmp_path / "board.csv").read_text(encoding="utf-8").startswith("dataset,track,method,")
    assert not board.page.exists()


def test_a_picture_is_the_same_bytes_each_time(board, tmp_path):
    pytest.importorskip("matplotlib")
    board(runs("flow", VALUES), runs("truth", VALUES, control=True), record("broken", 0, status="oom"))
    pictures = []
    for name in ("one.svg", "two.svg"):
        assert board.run("--picture", name).exit_code == 0
        pictures.append((tmp_path / name).read_bytes())
    assert pictures[0] == pictures[1]
    wrong = board.run("--picture", "board.xyz")
    assert wrong.exit_code == 1
    assert "board.xyz" in wrong.error


def test_columns_have_distinct_keys_and_places():
    found = columns()
    assert all(isinstance(column, Column) and column.about for column in found)
    assert len({column.key for column in found}) == len({column.order for column in found}) == len(found)


def test_the_leaderboard_needs_no_torch():
    code = (
        "import sys, bench.leaderboard.markdown, bench.leaderboard.export, bench.plots.leaderboard; "
        "assert not {'torch', 'pandas', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_command_imports_nothing_heavy():
    code = (
        "import sys, bench.cli.leaderboard; "
        "assert not {'torch', 'scipy', 'numpy', 'pandas', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
