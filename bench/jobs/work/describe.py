"""describe: what a plugin is and needs, for a CLI that does not import it."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

from torch import nn

from bench.contracts import Dataset, Method, Metric, Model, Oracle
from bench.jobs.cache import Outcome
from bench.jobs.work.parameters import fields, instance, overrides, resolved
from bench.plugins import Plugin, load

__all__ = ["describe"]


def describe(request: dict[str, Any], folder: Path, meter: Any) -> Outcome:
    """Fields, resolved parameters, what it uses; of a dataset its files, actions, oracles and truths as well."""
    plugin = Plugin(**request["plugin"])
    cls = load(plugin)
    about: dict[str, Any] = {
        "doc": _summary(cls),
        "paper": getattr(cls, "paper", ""),
        "fields": fields(cls),
    }
    if request.get("params") is not None:
        item = instance(plugin, request["params"])
        about |= {"params": resolved(item), "set": overrides(item)}
        if isinstance(item, Dataset):
            about |= _dataset(item)
    if issubclass(cls, Method):
        about |= {"uses": sorted(cls.uses), "actions": list(cls.actions), "control": cls.control}
    elif issubclass(cls, Model):
        about |= {"needs": cls.needs, "problems": list(cls.problems)}
    elif issubclass(cls, Metric):
        about |= {"version": cls.version, "asks": sorted(cls.asks), "actions": list(cls.actions)}
    elif issubclass(cls, Dataset):
        about |= {"track": list(cls.track), "builder": cls.builder}
    return Outcome("ok", figures=about)


def _summary(cls: type) -> str:
    """The first paragraph of the docstring, unless it is the one that dataclass makes."""
    text = (inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " ")
    return "" if text.startswith(f"{cls.__name__}(") else text


def _dataset(dataset: Dataset) -> dict[str, Any]:
    actions, oracles = dataset.actions(), dataset.oracles()
    return {
        "files": [str(file) for file in dataset.files()],
        "facts": dict(dataset.facts()),
        "actions": {name: action.kind for name, action in actions.items()},
        "oracles": {name: _oracle(oracle) for name, oracle in oracles.items()},
        "truths": {
            name: [law for law in (*oracles, "labels", "sample") if dataset.truth(name, law) is not None]
            for name in actions
        },
    }


def _oracle(oracle: Oracle) -> dict[str, Any]:
    """Whether there is anything to train in it, and the files that define it."""
    files = {
        Path(file)
        for module in oracle.modules()
        if not type(module).__module__.startswith("torch.")
        and (file := getattr(sys.modules[type(module).__module__], "__file__", None))
    }
    return {
        "trained": any(True for _ in nn.Module.parameters(oracle)),
        "sources": sorted(map(str, files)),
    }
