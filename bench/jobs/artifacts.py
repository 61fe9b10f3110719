"""Artifacts: state in safetensors, class and config in JSON; nothing is unpickled."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import bench.contracts as contracts
from bench.contracts import Action, Symmetry
from bench.errors import BenchError
from bench.plugins import Plugin, load

Given = Callable[[frozenset[str]], dict[str, Any]]

AGAIN = "delete its folder and run again"

__all__ = ["check_symmetry", "load_state", "load_symmetry", "save_state", "save_symmetry"]


def save_state(module: nn.Module, path: Path) -> None:
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in module.state_dict().items()}
    save_file(tensors, path)


def load_state(module: nn.Module, path: Path) -> nn.Module:
    """The module with the state in a file, in its precision. BenchError if the file is damaged or does not fit."""
    try:
        module.load_state_dict(load_file(path), assign=True)
    except (OSError, SafetensorError, RuntimeError) as error:
        what = str(error).strip().splitlines()[0]
        raise BenchError(f"{path} does not load into {type(module).__name__}: {what}", AGAIN) from None
    return module


def save_symmetry(symmetry: Symmetry, plugin: Plugin, folder: Path, dataset: Plugin | None = None) -> None:
    """Write symmetry.safetensors and symmetry.json. BenchError if the class could not be found again.

    Arguments:
        plugin: the method that made it.
        dataset: the dataset, whose truth it may be.
    """
    cls = type(symmetry)
    if _find(cls.__name__, plugin, dataset) is not cls:
        raise BenchError(
            f"{cls.__name__} is neither in bench.contracts nor in the module of method '{plugin.name}'",
            "import it there, so that the artifact can be loaded",
        )
    save_state(symmetry, folder / "symmetry.safetensors")
    about = {"class": cls.__name__, "plugin": plugin.name, "config": symmetry.config()}
    (folder / "symmetry.json").write_text(json.dumps(about, indent=1, sort_keys=True))


def load_symmetry(
    folder: Path, plugin: Plugin, action: Action, given: Given, dataset: Plugin | None = None
) -> Symmetry:
    """Rebuild the symmetry in a folder.

    Arguments:
        plugin: the method that made it; its module is where the class is looked up after the contracts.
        given: what of the track the class asks for, by name.
        dataset: the dataset, in whose module the class of a truth is looked up last.
    """
    file = folder / "symmetry.json"
    try:
        about = json.loads(file.read_text())
        cls = _find(about["class"], plugin, dataset)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{file} is damaged: {error}", AGAIN) from None
    if not (isinstance(cls, type) and issubclass(cls, Symmetry)):
        raise BenchError(f"{file}: {about['class']} is no Symmetry of method '{plugin.name}'", AGAIN)
    symmetry: Symmetry = cls(action, **about["config"], **given(cls.asks))
    load_state(symmetry, folder / "symmetry.safetensors")
    return symmetry


def check_symmetry(symmetry: object, x: Tensor) -> None:
    """BenchError if a method returned no Symmetry, non-finite values, or velocities of the wrong shape."""
    if not isinstance(symmetry, Symmetry):
        what = f"discover returned a {type(symmetry).__name__}, not a Symmetry"
        raise BenchError(what, "see bench.contracts.Symmetry")
    for name, value in symmetry.state_dict().items():
        if not torch.isfinite(value).all():
            raise BenchError(f"the symmetry has non-finite values in '{name}'", "the training diverged")
    with torch.no_grad():
        velocity = symmetry.velocity(x)
    expected = (symmetry.K, *x.shape)
    if tuple(velocity.shape) != expected:
        what = f"velocity has shape {tuple(velocity.shape)}, expected (K, B, *s) = {expected}"
        raise BenchError(what, "mend velocity")
    if not torch.isfinite(velocity).all():
        raise BenchError("the symmetry's velocity is not finite on the validation samples", "mend velocity")


def _find(name: str, *plugins: Plugin | None) -> Any:
    if name in contracts.__all__:
        return getattr(contracts, name)
    for plugin in plugins:
        if plugin is not None:
            load(plugin)
            if found := getattr(sys.modules[plugin.module], name, None):
                return found
    return None
