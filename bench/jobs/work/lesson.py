"""A lesson, opened in a worker: what a downstream model learns from and is tested on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench.contracts import Model, Problem, Samples, Split, Symmetry, Unsuitable
from bench.jobs.artifacts import load_state, load_symmetry
from bench.jobs.specs import BUDGETS
from bench.jobs.work.parameters import instance
from bench.jobs.work.track import CHUNK, Track
from bench.plugins import Plugin

__all__ = ["Lesson", "discovered"]

LEAST_VALID, MOST_VALID = 30, 1000


@dataclass(frozen=True)
class Lesson:
    """What a request says of a model and of its samples, in the view of the track."""

    track: Track

    @cached_property
    def model(self) -> Model:
        part = self.track.request["model"]
        made: Model = instance(Plugin(**part["plugin"]), part["params"])
        return made

    def samples(self, split: Split) -> Samples:
        """A split, cut to the budget; that of training is read once."""
        return self._train if split == "train" else self._read(split)

    def _read(self, split: Split) -> Samples:
        own = self.track.dataset
        dataset = own.downstream()
        if dataset is own:
            return self.track.samples(split)
        samples = dataset.load(split, self.track.seed("split"))
        samples = samples[: BUDGETS[self.track.request["budget"]].samples].to(self.track.device)
        return samples if self.track.in_data else samples.with_x(self._encoded(samples.x))

    @cached_property
    def problem(self) -> Problem:
        """Posed by all training samples, so that it is the same for any number of them."""
        anomaly = self.model.problems == ("anomaly",)
        problem = Problem.of(self._train, self.track.action, anomaly, self.model.normal)
        if problem.kind not in self.model.problems:
            name = self.track.request["model"]["plugin"]["name"]
            raise Unsuitable(f"model '{name}' does not learn {problem.kind}, only {', '.join(self.model.problems)}")
        return problem

    @cached_property
    def size(self) -> int:
        """How many training samples there are for the model; Unsuitable if more are asked for."""
        n, there = self.track.request["n"], len(self._suitable(self._train))
        if n is not None and n > there:
            raise Unsuitable(f"{n} training samples are asked for and there are {there}")
        return there if n is None else int(n)

    def train(self) -> Samples:
        """The first n samples of an order that is the same for every model: smaller sets lie in larger ones."""
        return self._first(self.size, self._suitable(self._train), "subset")

    def valid(self) -> Samples:
        """A quarter of n validation samples, at least 30 and at most 1000: they are labels that a model sees."""
        count = min(MOST_VALID, max(LEAST_VALID, self.size // 4))
        return self._first(count, self._suitable(self.samples("valid")), "valid subset")

    def symmetry(self) -> Symmetry | None:
        """The symmetry that the model is given; None: its own."""
        symmetry = discovered(self.track) if self.track.request["discover_folder"] else None
        if symmetry is not None and self.model.needs == "matrices" and symmetry.K and symmetry.matrices() is None:
            raise Unsuitable("the model needs matrices, and the symmetry has none")
        return symmetry

    def truth(self) -> Symmetry | None:
        """The true symmetry of the labels; where it is unknown, that of the oracle."""
        of_labels = Track(self.track.request | {"oracle": "labels"}).truth
        return self.track.truth if of_labels is None else of_labels

    def predictor(self) -> nn.Module:
        """The trained predictor, from its artifact."""
        predictor = self.model.build(self.problem, self.symmetry())
        load_state(predictor, Path(self.track.request["predict_folder"]) / "predictor.safetensors")
        return predictor.to(self.track.device).eval().requires_grad_(False)

    @cached_property
    def _train(self) -> Samples:
        return self._read("train")

    def _suitable(self, samples: Samples) -> Samples:
        """All samples; of an anomaly search, the normal ones alone."""
        if self.problem.kind != "anomaly":
            return samples
        assert samples.y is not None
        return samples[samples.y == self.problem.normal]

    def _first(self, count: int, samples: Samples, component: str) -> Samples:
        """The first ones in an order drawn from the seed."""
        draw = torch.Generator().manual_seed(self.track.seed(component))
        return samples[torch.randperm(len(samples), generator=draw)[:count].to(samples.x.device)]

    def _encoded(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat([self.track.view.encode(part) for part in torch.split(x, CHUNK)])


def discovered(track: Track) -> Symmetry:
    """The symmetry that a method has found, from its artifact."""
    request: dict[str, Any] = track.request
    plugin, dataset = Plugin(**request["method"]["plugin"]), Plugin(**request["dataset"]["plugin"])
    symmetry = load_symmetry(Path(request["discover_folder"]), plugin, track.action, track.given, dataset)
    return symmetry.to(track.device).eval().requires_grad_(False)
