"""The tables of downstream models."""

from dataclasses import replace

from bench.leaderboard.downstream.curves import learners
from bench.leaderboard.tables import tables
from tests.leaderboard.conftest import record, runs

SIZES = (30, 300, None)
SAMPLES = {30: 30, 300: 300, None: 3000}


def curve(source, scores, model="cnn", control=False, seeds=3, width=8):
    """A record for each number of samples and seed; scores are those of the three numbers."""
    found = []
    for n, score in zip(SIZES, scores, strict=True):
        for seed in range(seeds):
            values = {"prediction": score + 0.001 * seed, "invariance.orbit": 0.5, "invariance.worst": 0.25}
            one = record(source, seed, values, control=control, model=model)
            spec = {**one.spec, "n": n, "params": {**one.spec["params"], "model": {"width": width}}}
            spec["set"] = {"model": {"width": width}} if width != 8 else {}
            cost = one.cost | {"samples": SAMPLES[n], "parameters": 42, "steps": 1000}
            slot = f"{one.slot}{n}{width}"
            found.append(replace(one, slot=slot, identity=slot, spec=spec, cost=cost))
    return found


def cells(board):
    """model, symmetry -> cells by the titles of the columns."""
    lines = [line for line in board.text().splitlines() if line.startswith("|")]
    head = next(i for i, line in enumerate(lines) if line.startswith("| model | symmetry |"))
    split = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[head:]]
    return {tuple(row[:2]): dict(zip(split[0], row, strict=True)) for row in split[2:] if len(row) == len(split[0])}


def full(board):
    return board(
        curve("flow", (0.5, 0.7, 0.9)),
        curve("none", (0.3, 0.5, 0.7), control=True),
        curve("random", (0.3, 0.5, 0.7), control=True),
        curve("truth", (0.6, 0.8, 0.95), control=True),
        curve("built-in", (0.55, 0.7, 0.9), model="steerable"),
    )


def test_a_learner_is_a_line_with_its_score_at_every_number_of_samples(board):
    row = cells(full(board))["cnn", "flow"]
    assert row["n = 30"].startswith("0.501 ±")
    assert row["n = all"].startswith("0.901 ±")
    assert row["area"] == "0.701 ± 0.002"
    assert (row["orbit"], row["parameters"], row["steps"], row["seeds"]) == ("0.500 / 0.250", "42", "1000", "3")


def test_the_best_area_of_what_needed_no_truth_is_bold(board):
    found = cells(full(board))
    bold = [key for key, row in found.items() if row["area"].startswith("**")]
    assert bold == [("steerable", "built-in")]
    assert next(iter(found)) == ("cnn", "truth (control)")


def test_a_symmetry_is_measured_against_none_and_against_a_wrong_one(board):
    found = cells(full(board))
    assert found["cnn", "flow"]["against none"] == "+0.200 ± 0.000 ✓"
    assert found["cnn", "random (control)"]["against none"] == "+0.000 ± 0.000"
    assert found["cnn", "none (control)"]["against none"] == "–"
    assert found["steerable", "built-in"]["against wrong"] == "–"
    assert found["steerable", "built-in"]["against none"] == "+0.212 ± 0.000 ✓", "the best without a symmetry"


def test_the_gain_is_the_difference_to_none_at_the_largest_number_of_samples(board):
    found = cells(full(board))
    assert found["cnn", "flow"]["gain"] == "+0.200 ± 0.000 ✓"
    assert found["cnn", "truth (control)"]["gain"] == "+0.250 ± 0.000 ✓"
    assert found["cnn", "none (control)"]["gain"] == "–"


def test_the_multiplier_is_that_of_the_same_model_or_of_the_best_without_a_symmetry(board):
    found = cells(full(board))
    assert found["cnn", "flow"]["multiplier"].startswith("10 [")
    assert found["steerable", "built-in"]["multiplier"] != "–"


def test_discovery_and_models_have_tables_of_their_own(board):
    full(board)(runs("flow", [0.5, 0.6, 0.7]))
    learning = [table.learning for table in tables(board.root)]
    assert sorted(learning) == [False, True]
    text = board.text()
    assert "### vae · logits · field · standard" in text
    assert "### models · vae · logits · field · standard" in text
    assert text.count("Downstream models: *n = …*") == 1


def test_the_commands_name_model_symmetry_and_samples(board):
    text = full(board).text()
    assert "bench run --model cnn --symmetry flow --n 30,300,all --dataset digits" in text
    assert "bench run --model steerable --n 30,300,all --dataset digits" in text


def test_the_exports_hold_every_number_of_samples(board):
    out = full(board).run("--format", "csv").output
    assert "cnn + flow · n=30," in out
    assert "cnn + flow · n=all," in out


def test_other_parameters_make_another_learner(board):
    board(curve("flow", (0.5, 0.7, 0.9)), curve("flow", (0.1, 0.2, 0.3), width=9))
    (table,) = tables(board.root)
    assert [one.name for one in learners(table)] == ["cnn + flow", "cnn + flow · model.width=9"]


def test_curves_are_drawn(board, tmp_path):
    pictures = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for picture in pictures:
        assert full(board).run("--curves", str(picture)).exit_code == 0
    assert pictures[0].read_bytes() == pictures[1].read_bytes()


def test_without_curves_there_is_no_picture(board, tmp_path):
    result = board(runs("flow", [0.5, 0.6])).run("--curves", str(tmp_path / "a.svg"))
    assert (result.exit_code, "no curves of models" in result.error) == (1, True)
