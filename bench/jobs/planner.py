"""The planner: from runs as asked for to jobs with identities, and to what must be done again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from bench import sources
from bench.errors import BenchError
from bench.jobs.cache import Cache, Outcome
from bench.jobs.descriptions import Descriptions, Question
from bench.jobs.identity import PROTOCOL, files_hash
from bench.jobs.pool import Job
from bench.jobs.specs import BUILT_IN, RunSpec, digest
from bench.jobs.track_names import resolve_track
from bench.plugins import Plugin, Registry
from bench.records.record import Record
from bench.records.store import Store
from bench.representations import REPRESENTATIONS

__all__ = ["PlannedRun", "Planner", "State"]

State = Literal["fresh", "missing", "failed", "stale"]
OWN: Mapping[str, Any] = {"uses": [], "control": False, "actions": []}
"""What takes a method's place where a model's symmetry is built in."""
LEARNING = ("model source", "model parameters", "training samples")
"""The ingredients of a predictor beside those of the symmetry that it is given."""


@dataclass(frozen=True)
class PlannedRun:
    """A run, what it takes, and how its record stands.

    Arguments:
        spec: the run with all names filled in.
        asked: the run as asked for, in whose slot the record of a run that could not be planned stands.
        identity: that of the job whose artifact is scored, discover or predict.
        ingredients: what enters the identity, by name, each as a hash.
        facts: what the dataset says of its samples.
        metrics: those that score it, with their versions.
        jobs: in the order of their needs; the last is the score.
        problem: why it cannot run at all.
        state, why: how its record stands, and for what reason.
    """

    spec: RunSpec
    asked: RunSpec
    identity: str = ""
    ingredients: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    method: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, int] = field(default_factory=dict)
    jobs: Sequence[Job] = ()
    problem: Outcome | None = None
    record: Record | None = None
    state: State = "missing"
    why: str = "never run"


class Planner:
    """Plans runs; imports no plugin.

    Arguments:
        device: where the jobs will compute.
    """

    def __init__(
        self, registry: Registry, cache: Cache, store: Store, descriptions: Descriptions, device: str = "cpu"
    ) -> None:
        self.registry, self.cache, self.store = registry, cache, store
        self.descriptions = descriptions
        self.device = device

    def plan(self, asked: Sequence[RunSpec]) -> list[PlannedRun]:
        """A plan for every run. BenchError, with all errors at once, if the request itself is wrong."""
        self.descriptions.ask([question for spec in asked for question in self._questions(spec).values()])
        planned: dict[str, PlannedRun] = {}
        wrong: dict[str, bool] = {}
        for spec in asked:
            try:
                run = self._judged(self._plan(spec))
                planned.setdefault(run.spec.slot, run)
            except BenchError as error:
                wrong |= dict.fromkeys(str(error).splitlines(), error.usage)
        if wrong:
            raise BenchError("\n".join(wrong), usage=any(wrong.values()))
        return list(planned.values())

    def broken_metrics(self) -> list[tuple[Plugin, str]]:
        """The metrics that cannot score, each with the reason."""
        return [(plugin, str(answer.reason)) for plugin, answer in self._answers() if answer.status != "ok"]

    def _plan(self, spec: RunSpec) -> PlannedRun:
        questions = self._questions(spec)
        answers = dict(zip(questions, self.descriptions.ask(questions.values()), strict=True))
        wrong = [str(outcome.reason) for outcome in answers.values() if outcome.figures.get("usage")]
        if not wrong and (broken := [outcome for outcome in answers.values() if outcome.status != "ok"]):
            return PlannedRun(spec, spec, problem=broken[0], state="missing")
        dataset = answers["dataset"].figures
        if "track" not in dataset:  # wrong parameters: the names are checked with the defaults
            dataset = self.descriptions.ask([(questions["dataset"][0], {})])[0].figures
        if "track" not in dataset:
            raise BenchError("\n".join(wrong), usage=True)
        representation, oracle, action, problems = resolve_track(spec, dataset)
        (view,) = self.descriptions.ask([(_representation(representation), dict(spec.set.get("representation", {})))])
        wrong += problems + ([str(view.reason)] if view.status != "ok" else [])
        if wrong:
            raise BenchError("\n".join(wrong), usage=True)
        figures = {part: answer.figures for part, answer in answers.items()}
        figures |= {"dataset": dataset, "representation": view.figures}
        model, method = figures.get("model"), figures.get("method", OWN)
        name = spec.method
        if model and model["needs"] == "nothing":
            figures.pop("method", None)
            name, method = BUILT_IN, OWN
        chosen, params = ({part: about[key] for part, about in figures.items()} for key in ("set", "params"))
        full = replace(spec, method=name, representation=representation, oracle=oracle, action=action, set=chosen)
        about = {"uses": method["uses"], "control": method["control"]}
        about |= {"problems": model["problems"]} if model else {}
        run = PlannedRun(full, spec, params=params, method=about, facts=dataset.get("facts", {}))
        kind = dataset["actions"][action] if representation == "identity" else action
        if method["actions"] and kind not in method["actions"]:
            only = ", ".join(method["actions"])
            what = f"method '{spec.method}' does not search in the action '{action}', only in {only}"
            return replace(run, problem=Outcome("skipped", what))
        try:
            return self._with_jobs(replace(run, metrics=self._metrics(kind, predictor=model is not None)), dataset)
        except BenchError as error:
            return replace(run, problem=Outcome("failed", str(error)))

    def _with_jobs(self, run: PlannedRun, dataset: Mapping[str, Any]) -> PlannedRun:
        spec, params = run.spec, run.params
        plugins = {
            "dataset": self.registry.get("dataset", spec.dataset),
            "representation": _representation(str(spec.representation)),
        }
        if spec.method != BUILT_IN:
            plugins["method"] = self.registry.get("method", spec.method)
        if spec.model:
            plugins["model"] = self.registry.get("model", spec.model)
        oracle = dataset["oracles"][spec.oracle]
        ingredients = {
            "protocol": digest(PROTOCOL),
            "dataset files": files_hash(dataset["files"], self.cache),
            "oracle source": files_hash(oracle["sources"], self.cache),
            "track": digest([spec.dataset, spec.representation, spec.oracle, spec.action, spec.seed, spec.budget]),
        }
        for part, plugin in plugins.items():
            ingredients[f"{part} source"] = digest([plugin.attr, sources.source_hash(plugin.source())])
            ingredients[f"{part} parameters"] = digest(params[part])
        if spec.model:
            ingredients["training samples"] = digest(spec.n)
        run = replace(run, identity=digest(ingredients), ingredients=ingredients)
        return replace(run, jobs=self._jobs(run, plugins, oracle))

    def _jobs(self, run: PlannedRun, plugins: Mapping[str, Plugin], oracle: Mapping[str, Any]) -> list[Job]:
        """What `prepare` must train, discover, predict and score; each is told the sources that it stands for."""
        spec, ingredients = run.spec, run.ingredients
        metrics = [self.registry.get("metric", name) for name in run.metrics]
        request = {
            **{part: {"plugin": plugin.to_json(), "params": run.params[part]} for part, plugin in plugins.items()},
            "oracle": spec.oracle, "action": spec.action, "seed": spec.seed, "budget": spec.budget, "n": spec.n,
            "device": self.device, "oracle_folder": None, "view_folder": None, "discover_folder": None,
            "metrics": [metric.to_json() for metric in metrics],
        }  # fmt: skip
        made_of = {**{part: [plugin] for part, plugin in plugins.items()}, "metrics": metrics}
        files = {part: [plugin.source() for plugin in used] for part, used in made_of.items()}
        files |= {"oracle": [Path(file) for file in oracle["sources"]]}

        def job(kind: str, identity: str, parts: Sequence[str], needs: Mapping[str, str]) -> Job:
            known = {path: sha for part in parts for file in files[part] for path, sha in sources.digests(file).items()}
            used = [plugin.to_json() for part in parts for plugin in made_of.get(part, ())]
            return Job(kind, identity, spec.label(), {**request, "sources": known, "imports": used}, needs)

        data = [PROTOCOL, spec.dataset, spec.seed, spec.budget, *_picked(ingredients, "dataset")]
        view = digest(["view", data, _picked(ingredients, "representation")])
        phi = digest(["oracle", data, spec.oracle, ingredients["oracle source"]])
        jobs = {}
        if spec.representation != "identity":
            jobs["view_folder"] = job("prepare_view", view, ["dataset", "representation"], {})
        if oracle["trained"] and "method" in plugins:
            jobs["oracle_folder"] = job("prepare_oracle", phi, ["dataset", "oracle"], {})
        for kind, folder, part in (("discover", "discover_folder", "method"), ("predict", "predict_folder", "model")):
            if part in plugins:
                needs = {name: made.identity for name, made in jobs.items()}
                parts = [name for name in plugins if kind == "predict" or name != "model"]
                own = {name: value for name, value in ingredients.items() if kind == "predict" or name not in LEARNING}
                jobs[folder] = job(kind, digest(own), [*parts, "oracle"], needs)
        needs = {name: made.identity for name, made in jobs.items()}
        score = job("score", digest([run.identity, dict(run.metrics)]), [*plugins, "oracle", "metrics"], needs)
        return [*jobs.values(), score]

    def _judged(self, run: PlannedRun) -> PlannedRun:
        """The run with its record, and how that stands."""
        record = self.store.read(run.spec.dataset, run.spec.folder, run.spec.slot)
        if record is None:
            return run
        why = f"{record.status}: {record.reason}"
        if record.status in ("interrupted", "skipped"):
            return replace(run, record=record, state="fresh" if _unsuitable(record, run) else "missing", why=why)
        if record.identity != run.identity:
            return replace(run, record=record, state="stale", why=f"changed: {', '.join(_changed(record, run))}")
        if record.status != "ok":
            return replace(run, record=record, state="failed", why=why)
        changed = sorted(name for name, version in run.metrics.items() if record.metric_versions.get(name) != version)
        if changed:
            why = f"metrics to score again: {', '.join(changed)}"
            return replace(run, record=record, state="stale", why=why)
        return replace(run, record=record, state="fresh", why="up to date")

    def _metrics(self, kind: str, predictor: bool) -> dict[str, int]:
        """The metrics that work and score that kind of action, of a predictor or of a symmetry, and their versions."""
        working = [(plugin.name, answer.figures) for plugin, answer in self._answers() if answer.status == "ok"]
        fitting = [(name, about) for name, about in working if ("predictor" in about["asks"]) == predictor]
        return {name: about["version"] for name, about in fitting if kind in (about.get("actions") or (kind,))}

    def _answers(self) -> list[tuple[Plugin, Outcome]]:
        plugins = self.registry.all("metric")
        return list(zip(plugins, self.descriptions.ask([(plugin, None) for plugin in plugins]), strict=True))

    def _questions(self, spec: RunSpec) -> dict[str, Question]:
        """Of each plugin of a run, with the parameters that were set: component -> (plugin, parameters)."""
        named = {"dataset": spec.dataset, "method": spec.method, "model": spec.model}
        return {
            part: (self.registry.get(part, name), dict(spec.set.get(part, {})))
            for part, name in named.items()
            if name is not None and (part, name) != ("method", BUILT_IN)
        }


def _representation(name: str) -> Plugin:
    module, _, attr = REPRESENTATIONS[name].partition(":")
    return Plugin("representation", name, module, attr, "symmetry-bench")


def _picked(ingredients: Mapping[str, str], part: str) -> list[str]:
    return [value for name, value in sorted(ingredients.items()) if name.startswith(part)]


def _unsuitable(record: Record, run: PlannedRun) -> bool:
    """Whether the run was skipped for what it is made of, which is as it was, and not because a need had failed."""
    own = record.status == "skipped" and record.provenance.get("unmet", "unknown") is None
    return own and run.problem is None and record.identity == run.identity


def _changed(record: Record, run: PlannedRun) -> list[str]:
    before = record.provenance.get("ingredients", {})
    return [name for name in run.ingredients if before.get(name) != run.ingredients[name]] or ["everything"]
