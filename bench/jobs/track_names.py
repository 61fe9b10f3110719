"""The names of a track: what a user left out is the dataset's default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.errors import BenchError
from bench.jobs.specs import RunSpec
from bench.plugins import suggest

__all__ = ["resolve_track"]

IN_VIEW = ("field", "linear")
LATENT = {"latent": "field"}


def resolve_track(spec: RunSpec, dataset: Mapping[str, Any]) -> tuple[str, str, str]:
    """(representation, oracle, action) of a run.

    `--action latent` is (VAE, field); an action of the dataset goes with the identity, any other with the default view.
    BenchError for a name that the dataset does not offer.
    """
    default_view, default_oracle, default_action = dataset["track"]
    action = LATENT.get(spec.action or "", spec.action)
    representation = spec.representation
    if representation is None:
        in_data = spec.action in dataset["actions"]
        learned = default_view if default_view != "identity" else "vae"
        representation = default_view if action is None else "identity" if in_data else learned
    offered = list(dataset["actions"]) if representation == "identity" else list(IN_VIEW)
    if action is None:
        action = default_action if default_action in offered else offered[0]
    where = f"dataset '{spec.dataset}'"
    _check("action", action, offered, f"{where} in the representation '{representation}'")
    oracle = spec.oracle or default_oracle
    _check("oracle", oracle, dataset["oracles"], where)
    return representation, oracle, action


def _check(kind: str, name: str, offered: Iterable[str], where: str) -> None:
    if name not in offered:
        there = f"There are: {', '.join(offered)}"
        raise BenchError(f"{where} has no {kind} '{name}'{suggest(name, offered)} {there}", usage=True)
