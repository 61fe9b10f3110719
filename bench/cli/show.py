"""bench show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from bench.cli.options import plugin_option
from bench.errors import BenchError
from bench.plugins import KINDS, Registry

__all__ = ["command"]

NEEDS = {
    "nothing": "no symmetry but its own",
    "transform": "a symmetry, to move samples along",
    "matrices": "a symmetry's matrices",
}


@click.command("show")
@click.argument("kind", metavar="KIND", type=click.Choice(list(KINDS)))
@click.argument("name", metavar="NAME")
@plugin_option
def command(kind: str, name: str, plugins: tuple[Path, ...]) -> None:
    """Show the plugin NAME of a KIND (method, model, dataset, metric): parameters, paper, what it supports."""
    registry = Registry(plugins)
    try:
        plugin = registry.get(kind, name)
    except BenchError as error:
        raise BenchError(error.message, error.hint, usage=True) from None
    from bench.cli.session import session

    with session(registry=registry) as opened:
        (outcome,) = opened.descriptions.ask([(plugin, {} if kind in ("dataset", "method", "model") else None)])
        if outcome.status != "ok" and kind == "dataset":  # its files may be missing; the class can still be described
            click.echo(f"note: {outcome.reason}", err=True)
            (outcome,) = opened.descriptions.ask([(plugin, None)])
    if outcome.status != "ok":
        raise BenchError(f"{kind} '{name}' is broken: {outcome.reason}", f"it is in {plugin.owner}")
    about = outcome.figures
    click.echo(f"{kind} {name}, from {plugin.owner}\n\n  {about['doc']}\n")
    for title, text in _facts(about):
        click.echo(f"  {title + ':':14}{text}")
    _parameters(kind, about["fields"])


def _facts(about: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [("paper", about.get("paper"))]
    if "uses" in about:
        facts += [("actions", ", ".join(about["actions"]) or "all"), ("uses", ", ".join(about["uses"]) or "nothing")]
        facts += [("control", "yes, never ranked" if about["control"] else None)]
    if "needs" in about:
        facts += [("learns", ", ".join(about["problems"])), ("uses", NEEDS[about["needs"]])]
    if "track" in about:
        facts += [("default", "representation {}, oracle {}, action {}".format(*about["track"]))]
    if "oracles" in about:
        facts += [("oracles", ", ".join(about["oracles"])), ("actions", ", ".join(about["actions"]))]
        truths = [f"{action}: {', '.join(laws)}" for action, laws in about["truths"].items() if laws]
        facts += [("truth known", "; ".join(truths) or "no"), ("files", ", ".join(about["files"]) or "none")]
    if "version" in about:
        facts += [("version", str(about["version"])), ("asks", ", ".join(about["asks"]))]
        facts += [("actions", ", ".join(about.get("actions", ())) or "all")]
    return [(title, text) for title, text in facts if text]


def _parameters(kind: str, fields: list[dict[str, Any]]) -> None:
    if fields:
        click.echo(f"\n  parameters (--set {kind}.NAME=VALUE):")
    for field in fields:
        click.echo(f"    {field['name']} = {json.dumps(field['default'])}  [{field['type']}]")
        if field["doc"]:
            click.echo(f"        {field['doc']}")
