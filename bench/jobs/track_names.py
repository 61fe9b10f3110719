"""The names of a track: what a user left out is the dataset's default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bench.jobs.specs import RunSpec
from bench.plugins import suggest

__all__ = ["resolve_track"]

IN_VIEW = ("field", "linear")
LATENT = {"latent": "field"}


def resolve_track(spec: RunSpec, dataset: Mapping[str, Any]) -> tuple[str, str, str, list[str]]:
    """(representation, oracle, action) of a run, and a line for each name that the dataset does not offer.

    `--action latent` is (VAE, field); an action of the dataset goes with the identity, any other with the default view.
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
    oracle = spec.oracle or default_oracle
    where = f"dataset '{spec.dataset}'"
    problems = [
        *_problems("action", action, offered, f"{where} in the representation '{representation}'"),
        *_problems("oracle", oracle, dataset["oracles"], where),
    ]
    return representation, oracle, action, problems


def _problems(kind: str, name: str, offered: Iterable[str], where: str) -> Iterator[str]:
    if name not in offered:
        yield f"{where} has no {kind} '{name}'{suggest(name, offered)} There are: {', '.join(offered)}"
