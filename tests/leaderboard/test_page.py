"""The page: what a reader finds on it."""

from __future__ import annotations

import random
import re
import shutil
from dataclasses import replace
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from bench.jobs.specs import parse_set
from bench.leaderboard.naming import shown
from bench.leaderboard.runs import Run
from bench.leaderboard.tables import assemble
from tests.leaderboard.conftest import record, runs

GOOD, CLOSE, POOR = [0.90, 0.91, 0.92, 0.90, 0.91], [0.91, 0.90, 0.91, 0.91, 0.90], [0.5, 0.52, 0.51, 0.5, 0.49]


def test_the_same_records_give_the_same_bytes_in_any_order(board):
    records = [*runs("flow", GOOD), *runs("slow", POOR), *runs("truth", GOOD, control=True)]
    pages = set()
    for seed in range(4):
        shutil.rmtree(board.root, ignore_errors=True)
        random.Random(seed).shuffle(records)
        pages.add(board(records).text())
    assert len(pages) == 1
    assert not re.search(r"20\d\d-\d\d-\d\d", pages.pop())


def test_best_is_bold_ties_are_marked_and_the_rest_is_placed_behind(board):
    board(runs("flow", GOOD), runs("close", CLOSE), runs("poor", POOR))
    assert board.line("flow")["joint"].startswith("**0.908 ± ")
    assert board.line("close")["joint"].endswith("≈")
    assert board.line("poor")["joint"] == "0.504 ± 0.014"
    assert [board.line(name)["place"] for name in ("flow", "close", "poor")] == ["1", "1", "3"]


def test_a_sample_error_in_the_records_can_make_a_tie(board):
    for method, values in (("a", GOOD), ("b", POOR)):
        board([record(method, seed, {"joint": value, "joint.se": 0.5}) for seed, value in enumerate(values)])
    assert board.line("b")["joint"].endswith("≈")


def test_joint_is_not_ranked_where_the_true_symmetry_does_not_keep_the_samples(board):
    def found(method, joint, similarity, kept, **about):
        scores = {"joint": joint, "generator_similarity": similarity, "distribution_preservation": kept}
        return [record(method, seed, scores, **about) for seed in range(3)]

    part, full = found("part", 0.9, 0.2, 0.9), found("full", 0.1, 1.0, 0.1)
    board(part, full, found("truth", 0.9, 1.0, 0.9, control=True, uses=["truth"]))
    assert [board.line(name)["place"] for name in ("part", "full")] == ["1", "2"]
    assert "shown and not ranked" not in board.text()
    board(found("truth", 0.1, 1.0, 0.1, control=True, uses=["truth"]))
    assert [board.line(name)["place"] for name in ("part", "full")] == ["2", "1"]
    assert "*" not in board.line("part")["joint"]
    assert "shown and not ranked" in board.text()


def test_controls_are_shown_below_and_never_ranked(board):
    board(runs("flow", POOR), runs("truth", GOOD, control=True, uses=["truth"]))
    assert board.line("flow")["joint"].startswith("**")
    truth = board.line("truth")
    assert truth["place"] == "–"
    assert "*" not in truth["joint"]
    text = board.text()
    assert text.index("[flow](") < text.index("Controls: not ranked") < text.index("[truth](")


def test_methods_given_labels_or_pairs_are_ranked_apart(board):
    board(runs("flow", POOR), runs("paired", GOOD, uses=["oracle", "pairs"]))
    assert (board.line("flow")["place"], board.line("paired")["place"]) == ("1", "1")
    assert board.line("flow")["joint"].startswith("**")
    assert board.line("paired")["uses"] == "oracle, pairs"


def test_oracle_preservation_alone_orders_nothing(board):
    flow = [record("flow", s, {"joint": 0.8, "oracle_preservation": 0.9}) for s in range(5)]
    kernel = [record("cheat", s, {"joint": 0.1, "oracle_preservation": 1.0}) for s in range(5)]
    board(flow, kernel)
    assert board.line("flow")["place"] == "1"
    assert "*" not in board.line("cheat")["oracle preservation"]


def test_failures_are_a_rate_with_interval_and_reason_and_are_never_averaged_in(board):
    board(runs("flow", GOOD[:3]), record("flow", 3, status="timeout", reason="600 s | were not enough"))
    line = board.line("flow")
    assert line["failed"] == "1/4 [1, 81] %: 1 timeout"
    assert line["joint"].startswith("**0.910")
    assert line["seeds"] == "3 ⚠"
    assert "timeout: 600 s \\| were not enough" in board.text()


def test_a_method_that_always_fails_stands_last_with_its_reason(board):
    board(runs("flow", POOR), [record("aaa", s, status="crashed", reason="signal 11") for s in range(2)])
    line = board.line("aaa")
    assert (line["place"], line["joint"], line["failed"]) == ("–", "missing", "2/2 [16, 100] %: 2 crashed")
    assert board.text().index("[flow](") < board.text().index("[aaa](")


def test_interrupted_and_skipped_runs_are_shown_and_are_no_failures(board):
    board(runs("flow", GOOD[:2]), record("flow", 2, status="interrupted"))
    board(record("flow", 3, status="skipped", reason="no"))
    assert board.line("flow")["failed"].startswith("0/2 ")
    assert "skipped: no" in board.text()
    assert "interrupted: no reason recorded" in board.text()


def test_a_score_that_does_not_apply_or_is_missing_is_said_to(board):
    board(
        [record("flow", s, {"joint": 0.5, "orbit_similarity": 0.9 if s else None}) for s in range(5)],
        [record("bare", s, {"joint": 0.4, "orbit_similarity": None}) for s in range(5)],
    )
    assert board.line("flow")["orbit similarity"] == "**0.900 ± 0.000 (n = 4)**"
    assert board.line("bare")["orbit similarity"] == "n/a"


def test_an_unknown_score_gets_a_column_and_its_details_do_not(board):
    board([record("flow", s, {"curvature": 0.1 * s, "curvature.se": 0.1, "curvature.raw": 3.0}) for s in range(5)])
    line = board.line("flow")
    assert line["curvature"].startswith("**0.200 ± ")
    assert not [title for title in line if "." in title]


def test_tracks_parameters_and_budgets_are_kept_apart(board):
    board(
        runs("flow", GOOD),
        runs("flow", POOR, action="linear"),
        runs("flow", POOR, budget="smoke"),
        runs("flow", POOR, oracle="radial"),
        runs("flow", POOR, chosen={"dataset": {"classes": [0, 1, 2]}}),
        runs("flow", CLOSE, chosen={"method": {"epochs": 50}}),
    )
    text = board.text()
    headings = [line for line in text.splitlines() if line.startswith("### ")]
    assert headings == [
        "### vae · logits · field · standard",
        "### vae · logits · field · standard · dataset.classes=[0,1,2]",
        "### vae · logits · linear · standard",
        "### vae · radial · field · standard",
        "### vae · logits · field · smoke",
    ]
    assert "[flow](results/digits/flow/) epochs=50" in text


def test_rows_whose_defaults_differ_are_not_averaged(board):
    old = [record("flow", s, {"joint": 0.5}, params={"method": {"epochs": 5}}) for s in range(2)]
    new = [record("flow", s, {"joint": 0.9}, params={"method": {"epochs": 10}}) for s in range(2, 5)]
    text = board(old, new).text()
    assert "[flow](results/digits/flow/) method.epochs=5 " in text
    assert "[flow](results/digits/flow/) method.epochs=10 " in text


def test_a_run_that_broke_before_its_parameters_were_known_stands_in_its_row(board):
    board(runs("flow", GOOD[:4]), record("flow", 4, status="failed", reason="SyntaxError", params={}))
    assert board.line("flow")["failed"].startswith("1/5 ")


def test_scores_of_an_older_metric_version_are_not_averaged_in(board):
    board(
        [record("flow", s, {"joint": 0.9}, versions={"distribution": 2}) for s in range(4)],
        record("flow", 4, {"joint": 0.1}, versions={"distribution": 1}),
    )
    assert board.line("flow")["joint"].startswith("**0.900")
    assert "stale: scored by distribution 1, others by 2" in board.text()


def test_costs_of_different_hardware_are_flagged(board):
    board(runs("flow", GOOD, cpu="one"), runs("slow", POOR, cpu="two"))
    assert "2 kinds of hardware" in board.text()


def test_every_link_leads_to_a_file_or_folder(board):
    board(runs("flow", GOOD), record("broken", 0, status="failed", reason="why"))
    targets = re.findall(r"\]\((results/[^)]*)\)", board.text())
    assert len([t for t in targets if t.endswith(".json")]) == 7  # six runs, and the note on the broken one
    assert all(Path(target).exists() for target in targets)


def test_the_command_of_a_row_asks_for_what_its_records_asked_for(board):
    chosen = {"method": {"epochs": 50, "form": "two words"}, "dataset": {"classes": [0, 1]}}
    board([record("flow", s, {"joint": 0.5}, chosen=chosen) for s in (0, 1, 2, 5)])
    assert (
        "bench run --method flow --dataset digits --representation vae --oracle logits --action field "
        "--budget standard --seeds 0-2,5 --set 'dataset.classes=[0,1]' --set method.epochs=50 "
        "--set 'method.form=two words'"
    ) in board.text()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(values)
@example("50")
@example("a,b")
@example(" spaced ")
@example("")
def test_a_setting_is_printed_as_the_command_line_reads_it(value):
    assert parse_set(f"method.name={shown(value)}").value == value


def test_text_from_records_cannot_break_a_table(board):
    board(record("flow", 0, status="failed", reason="a | b\n<script> " + "x" * 500))
    note = next(line for line in board.text().splitlines() if "failed: a" in line)
    assert "a \\| b &lt;script>" in note
    assert len(note) < 400


def test_places_over_datasets_need_three_of_them(board):
    for dataset in ("one", "two"):
        board(runs("flow", GOOD, dataset=dataset), runs("slow", POOR, dataset=dataset))
    assert "Over datasets" not in board.text()
    board(runs("flow", GOOD, dataset="three"))
    board(runs("slow", GOOD, dataset="four", budget="smoke"), runs("slow", GOOD, dataset="five", budget="smoke"))
    text = board.text()
    assert "| flow | 1.00 | 1.00 to 1.00 |" in text
    assert "| slow | 2.00 | 2.00 to 2.00 |" in text  # last where it is missing


def test_a_plugin_that_could_not_be_read_is_on_the_page_without_a_track(board):
    unread = {"representation": None, "oracle": None, "action": None, "params": {}}
    board(runs("flow", GOOD), record("torn", 0, status="failed", reason="SyntaxError: line 3", **unread))
    text = board.text()
    assert "### no track · standard" in text
    assert "failed: SyntaxError: line 3" in text
    assert "bench run --method torn --dataset digits --budget standard --seeds 0\n" in text


def test_the_column_of_the_documentation_works(board):
    guide = Path(__file__).parents[2] / "docs" / "leaderboard.md"
    code = guide.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    names = {}
    exec(code, names)
    heavy = replace(record("flow", 0), cost={"peak_rss_mb": 512.4})
    (table,) = assemble([Run("digits/flow/x.json", heavy)])
    (column,) = names["COLUMNS"]
    assert column.produce(table.rows[0]) == "512"


def test_the_algebra_is_named_and_claims_are_counted(board):
    named = [record("flow", seed, {"joint": 0.5}, facts={"generator_similarity.algebra": name})
             for seed, name in enumerate(["so(3)", "so(3)", "not closed"])]  # fmt: skip
    claims = {"false_discovery": 1.0, "false_discovery.claimed": 2.0, "false_discovery.own": 4.0,
              "false_discovery.own_false": 3.0}  # fmt: skip
    board(named, record("gan", 0, {"joint": 0.4, **claims}, facts={"generator_similarity.algebra": "so(2)"}))
    assert board.line("flow")["algebra"] == "so(3) × 2, not closed × 1"
    assert board.line("flow")["claims"] == "n/a"
    assert board.line("gan")["algebra"] == "so(2)"
    assert board.line("gan")["claims"] == "2 (1 false) of 4 (3 false)"
