"""bench list."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import plugin_option
from bench.errors import BenchError
from bench.plugins import KINDS, Registry, suggest

__all__ = ["command"]


@click.command("list")
@click.argument("kinds", nargs=-1, metavar="[KIND]...")
@plugin_option
def command(kinds: tuple[str, ...], plugins: tuple[Path, ...]) -> None:
    """List the plugins: methods, models, datasets, metrics, or those of one KIND. None of them is imported."""
    asked = [_kind(kind) for kind in kinds] or list(KINDS)
    registry = Registry(plugins)
    for kind in asked:
        click.echo(f"{KINDS[kind]}:")
        for plugin in registry.all(kind):
            note = f"broken: {plugin.broken}" if plugin.broken else ""
            click.echo(f"  {plugin.name:28}{plugin.owner:28}{note}".rstrip())
        if not registry.all(kind):
            click.echo("  none")


def _kind(word: str) -> str:
    for kind, plural in KINDS.items():
        if word in (kind, plural):
            return kind
    close = suggest(word, KINDS.values())
    raise BenchError(f"no kind '{word}'{close} There are: {', '.join(KINDS.values())}", usage=True)
