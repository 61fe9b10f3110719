"""Runs with a downstream model: what it learns from, what it is given, and how its record stands."""

import json

import pytest

MODELS = """
from torch import nn

class Ridge(nn.Module):
    def __init__(self, size, outputs):
        super().__init__()
        self.register_buffer("weight", torch.zeros(size, outputs))
    def forward(self, x): return x.square() @ self.weight

@dataclass(frozen=True)
class Radius(Model):
    \"\"\"Least squares on squares.

    Arguments:
        ridge: penalty.
    \"\"\"
    ridge: float = 1e-3
    needs = "transform"
    problems = ("classification", "regression")
    def build(self, problem, symmetry):
        return Ridge(problem.size, problem.width)
    def fit(self, task, symmetry):
        note(f"fit{len(task.train)}v{len(task.valid)}")
        note("fields" + str(None if symmetry is None else symmetry.K))
        net = self.build(task.problem, symmetry)
        x, y = task.train.x.square(), torch.eye(2)[task.train.y]
        net.weight = torch.linalg.solve(x.T @ x + self.ridge * torch.eye(2), x.T @ y)
        return net

class Own(Radius):
    \"\"\"Its symmetry is built in.\"\"\"
    needs = "nothing"

class Matrices(Radius):
    \"\"\"Needs matrices.\"\"\"
    needs = "matrices"

class Lines(Radius):
    \"\"\"Learns numbers alone.\"\"\"
    problems = ("regression",)

class Odd(Radius):
    \"\"\"Predicts too much.\"\"\"
    def build(self, problem, symmetry): return Ridge(problem.size, 5)
    def fit(self, task, symmetry): return self.build(task.problem, symmetry)

class Strict(Radius):
    \"\"\"Is made for nothing that there is.\"\"\"
    def fit(self, task, symmetry):
        note("strict")
        raise Unsuitable("not made for this", "choose another")

class Picky(Radius):
    \"\"\"Is made for images.\"\"\"
    def build(self, problem, symmetry): raise Unsuitable(f"picky takes images, not {problem.shape}")

class Unusual(Radius):
    \"\"\"Searches for anomalies.\"\"\"
    problems = ("anomaly",)
    needs = "nothing"
    normal: int = 1
    def fit(self, task, symmetry):
        assert (task.train.y == 1).all() and (task.valid.y == 1).all()
        return self.build(task.problem, symmetry)
    def build(self, problem, symmetry):
        net = Ridge(problem.size, 1)
        return nn.Sequential(net, nn.Flatten(0))

class Turn(Method):
    \"\"\"Finds the rotation.\"\"\"
    uses = frozenset()
    def discover(self, task):
        note("turn")
        return MatrixSymmetry.of(task.action, torch.tensor([[[0., -1.], [1., 0.]]]))

class Breaks(Method):
    \"\"\"Raises.\"\"\"
    uses = frozenset()
    def discover(self, task): raise ValueError("boom")

class Flawed(Method):
    \"\"\"Raises, and says that it was called.\"\"\"
    uses = frozenset()
    def discover(self, task):
        note("flawed")
        raise ValueError("boom")

class Waves(Method):
    \"\"\"Finds fields without matrices.\"\"\"
    uses = frozenset()
    def discover(self, task):
        return RandomFields.over(task.action, task.train.x, 1)
"""


@pytest.fixture(scope="module")
def learned(new_bench):
    bench = new_bench({"models.py": MODELS})
    bench("run", "-m", "turn", "-d", "plane", code=0)
    words = ["--model", "radius", "--model", "own", "--symmetry", "turn", "--symmetry", "truth", "-d", "plane"]
    bench("run", *words, "--n", "40,160,all", "--seeds", "0-1", code=0)
    return bench


def models(bench):
    return [record for record in bench.records() if record["spec"]["model"]]


def test_models_symmetries_sizes_and_seeds_make_the_product(learned):
    found = {tuple(record["spec"][name] for name in ("model", "method", "n", "seed")) for record in models(learned)}
    sources = [("radius", "turn"), ("radius", "truth"), ("own", "built-in")]
    assert found == {(*source, n, seed) for source in sources for n in (40, 160, None) for seed in (0, 1)}
    assert all(record["status"] == "ok" for record in models(learned))
    assert len(list((learned.folder / "results/plane/radius").iterdir())) == 12


def test_a_symmetry_that_a_method_has_found_is_not_searched_for_again(learned):
    assert learned.called("turn") == 2  # once a seed
    alone = next(record for record in learned.records() if not record["spec"]["model"])
    given = [r for r in models(learned) if r["spec"]["method"] == "turn" and r["spec"]["seed"] == 0]
    assert {record["symmetry"] for record in given} == {alone["symmetry"]}
    assert len({record["identity"] for record in given} | {alone["identity"]}) == 4


def test_validation_labels_grow_with_the_training_samples(learned):
    assert learned.called("fit40v30")
    assert learned.called("fit160v40")
    assert learned.called("fit200v50")


def test_a_model_with_a_symmetry_of_its_own_is_given_none(learned):
    assert learned.called("fieldsNone") == 6
    assert learned.called("fields1") == 12


def test_records_tell_how_well_the_model_predicts_and_what_it_costs(learned):
    record = models(learned)[0]
    assert 0 <= record["scores"]["prediction"] <= 1
    assert record["scores"]["invariance.orbit"] >= record["scores"]["invariance.worst"]
    assert "oracle_preservation" not in record["scores"]
    assert set(record["cost"]) >= {"cpu_s", "parameters", "discover_cpu_s", "score_cpu_s"}
    alone = next(record for record in learned.records() if not record["spec"]["model"])
    assert "prediction" not in alone["scores"]


def test_what_is_up_to_date_is_not_trained_again_and_another_parameter_is_another_run(learned):
    before = learned.called("fields1")
    words = ["--model", "radius", "--symmetry", "turn", "-d", "plane", "--n", "40"]
    learned("run", *words, code=0)
    assert learned.called("fields1") == before
    learned("run", *words, "--set", "model.ridge=0.5", code=0)
    learned("run", *words, "--set", "radius.ridge=0.5", code=0)
    assert learned.called("fields1") == before + 1
    status = learned("status", code=0).text
    assert "20 fresh" in status, status


def test_json_and_plan_name_model_symmetry_and_size(learned):
    words = ["run", "--model", "radius", "--symmetry", "turn", "-d", "plane", "--n", "40,77"]
    plan = learned(*words, "--dry-run", code=0).out
    assert "radius + turn, n=40" in plan
    assert "radius + turn, n=77" in plan
    (record,) = json.loads(learned(*words[:-1], "40", "--json", code=0).out)
    assert (record["spec"]["model"], record["spec"]["n"]) == ("radius", 40)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "radius", "--n", "0"], "training samples '0' are not numbers from 1"),
        (["--model", "radus"], "did you mean 'radius'?"),
        (["--model", "radius", "--symmetry", "trun"], "did you mean 'turn'?"),
        (["--model", "radius", "-m", "turn"], "--method and --model in one call"),
        (["-m", "turn", "--n", "30"], "--symmetry and --n are for models"),
        (["--model", "radius", "--set", "radius.ride=1"], "has no parameter 'ride'"),
    ],
)
def test_a_wrong_request_is_told_in_a_line(learned, words, said):
    assert said in learned("run", "-d", "plane", *words, code=2).err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--model", "radius", "--n", "5000"], "skipped", "5000 training samples are asked for and there are 200"),
        (["--model", "lines"], "skipped", "does not learn classification, only regression"),
        (["--model", "matrices", "--symmetry", "waves"], "skipped", "needs matrices, and the symmetry has none"),
        (["--model", "radius", "--symmetry", "breaks"], "skipped", "discover failed: ValueError: boom"),
        (["--model", "picky"], "skipped", "picky takes images, not (2,)"),
        (["--model", "odd"], "failed", "predictions have shape (50, 5), expected (B, *outputs) = (50, 2)"),
    ],
)
def test_what_cannot_be_learned_is_skipped_and_what_is_broken_has_failed(learned, words, status, said):
    out = learned("run", "-d", "plane", *words, "--json", code=1 if status == "failed" else 3).out
    (record,) = json.loads(out)
    assert (record["status"], said in record["reason"]) == (status, True), record["reason"]


def test_an_unsuitable_run_is_kept_and_one_whose_need_failed_is_tried_again(learned):
    asked = [["--model", "strict"], ["--model", "radius", "--n", "3000"], ["--model", "radius", "--symmetry", "flawed"]]
    before = [learned("run", "-d", "plane", *words, code=3).out for words in asked]
    assert (learned.called("strict"), learned.called("flawed")) == (1, 1)
    again = [learned("run", "-d", "plane", *words, code=3).out for words in asked]
    assert ["[before; --rerun all tries again]" in out for out in before + again] == 3 * [False] + [True, True, False]
    assert (learned.called("strict"), learned.called("flawed")) == (1, 2)
    learned("run", "-d", "plane", *asked[0], "--rerun", "all", code=3)
    learned("run", "-d", "plane", *asked[0], "--set", "model.ridge=0.1", code=3)
    assert learned.called("strict") == 3


def test_an_anomaly_search_sees_normal_samples_alone(learned):
    (record,) = json.loads(learned("run", "-d", "plane", "--model", "unusual", "--json", code=0).out)
    assert record["scores"]["prediction"] == pytest.approx(0.5)  # the same for all samples
