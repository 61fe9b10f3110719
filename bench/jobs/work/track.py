"""A track, opened in a worker: dataset, view, oracle and action, as a request names them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bench.contracts import (
    Action,
    Dataset,
    Field,
    Induced,
    InView,
    Linear,
    Oracle,
    Samples,
    Split,
    Symmetry,
    View,
)
from bench.jobs.artifacts import load_state
from bench.jobs.seeds import derive
from bench.jobs.specs import BUDGETS
from bench.jobs.work.parameters import instance
from bench.plugins import Plugin

__all__ = ["Track"]

M = TypeVar("M", bound=nn.Module)
CHUNK = 2000
IN_VIEW = {"field": Field, "linear": Linear}


@dataclass(frozen=True)
class Track:
    """What a request says of data, representation, oracle and action; each part is made when first asked for."""

    request: dict[str, Any] = field(repr=False)

    @property
    def device(self) -> str:
        return str(self.request["device"])

    @cached_property
    def dataset(self) -> Dataset:
        part = self.request["dataset"]
        made: Dataset = instance(Plugin(**part["plugin"]), part["params"])
        return made

    @property
    def representation(self) -> Any:
        part = self.request["representation"]
        return instance(Plugin(**part["plugin"]), part["params"])

    @property
    def in_data(self) -> bool:
        """Whether the view is the data itself."""
        return bool(self.request["representation"]["plugin"]["name"] == "identity")

    @property
    def effort(self) -> float:
        return BUDGETS[self.request["budget"]].effort

    def seed(self, component: str) -> int:
        return derive(self.request["dataset"]["plugin"]["name"], self.request["seed"], component)

    def data(self, split: Split) -> Samples:
        """A split of the dataset in data space, cut to the budget, without labels that stand for none."""
        samples = self.dataset.load(split, self.seed("split"))
        samples = samples if samples.labelled else samples.unlabelled()
        return samples[: BUDGETS[self.request["budget"]].samples].to(self.device)

    def samples(self, split: Split) -> Samples:
        """A split in the view: as prepared, or the data itself."""
        if self.in_data:
            return self.data(split)
        stored = load_file(Path(self.request["view_folder"]) / f"{split}.safetensors", device=self.device)
        return Samples(stored["x"], stored.get("y"))

    @cached_property
    def view(self) -> View:
        shape = next(iter(self.dataset.actions().values())).shape
        view: View = self.representation.build(shape)
        if not self.in_data:
            load_state(view, Path(self.request["view_folder"]) / "view.safetensors")
        return freeze(view.to(self.device))

    @cached_property
    def oracle(self) -> Oracle:
        """phi on the view."""
        oracle = self.dataset.oracles()[self.request["oracle"]]
        if self.request["oracle_folder"]:
            load_state(oracle, Path(self.request["oracle_folder"]) / "oracle.safetensors")
        oracle = oracle.to(self.device)
        return freeze(oracle if self.in_data else InView(oracle, self.view).to(self.device))

    @cached_property
    def action(self) -> Action:
        name = self.request["action"]
        return self.dataset.actions()[name] if self.in_data else IN_VIEW[name](self.view.shape)

    @cached_property
    def data_truth(self) -> Symmetry | None:
        """The truth of the oracle's law in data space."""
        law = self.request["oracle"]
        names = [self.request["action"]] if self.in_data else list(self.dataset.actions())
        truths = (self.dataset.truth(name, law) for name in names)
        truth = next((truth for truth in truths if truth is not None), None)
        return None if truth is None else truth.to(self.device)

    @property
    def truth(self) -> Symmetry | None:
        """The truth as it acts in the view."""
        if self.in_data or self.data_truth is None:
            return self.data_truth
        return Induced(self.action, self.view, self.data_truth)

    def given(self, asks: frozenset[str]) -> dict[str, Any]:
        """What a symmetry's class asks for on rebuilding."""
        return {name: getattr(self, name) for name in asks}


def encode_to(folder: Path, view: View, samples: Samples, split: str) -> None:
    """Write a split in the view beside the view."""
    with torch.no_grad():
        z = torch.cat([view.encode(part) for part in torch.split(samples.x, CHUNK)])
    tensors: dict[str, Tensor] = {"x": z.cpu().contiguous()}
    if samples.y is not None:
        tensors["y"] = samples.y.cpu().contiguous()
    save_file(tensors, folder / f"{split}.safetensors")


def freeze(module: M) -> M:
    """For use alone; convolutions with the channels last, which a CPU differentiates faster."""
    module.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module
