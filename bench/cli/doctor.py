"""bench doctor."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import click

from bench import __version__
from bench.cli.options import plugin_option

__all__ = ["command"]

Finding = tuple[str, str, bool]


@click.command("doctor")
@plugin_option
def command(plugins: tuple[Path, ...]) -> None:
    """Check this installation: packages, folders, data, and every plugin, each imported in a worker.

    Exit codes: 0 all is well, 1 something is not.
    """
    well = True
    for title, text, good in [*_packages(), *_folders(), *_plugins(plugins)]:
        well = well and good
        click.echo(f"{'ok ' if good else 'BAD'} {title:34}{text}")
    click.get_current_context().exit(0 if well else 1)


def _packages() -> Iterator[Finding]:
    yield "python", platform.python_version(), True
    try:
        requirements = metadata.requires("symmetry-bench") or []
    except metadata.PackageNotFoundError:
        yield "symmetry-bench", f"{__version__}, a bare checkout", True
        requirements = []
    for requirement in requirements:
        name = requirement.split(";")[0].strip().split(">")[0].split("=")[0].strip()
        if "extra ==" not in requirement:
            try:
                yield name, metadata.version(name), True
            except metadata.PackageNotFoundError:
                yield name, f"is missing: pip install '{requirement}'", False


def _folders() -> Iterator[Finding]:
    from bench.paths import cache_root, data_folders

    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    writable = os.access(root, os.W_OK)
    free = shutil.disk_usage(root).free / 2**30
    yield "cache (BENCH_CACHE)", f"{root}, {free:.0f} GB free" + ("" if writable else ", not writable"), writable
    for folder in data_folders():
        there = folder.is_dir()
        yield "data (BENCH_DATA)", f"{folder}" + ("" if there else " does not exist"), there
    if not data_folders():
        yield "data (BENCH_DATA)", "not set: data files are downloaded into the cache", True


def _plugins(files: tuple[Path, ...]) -> Iterator[Finding]:
    from bench.cli.session import session
    from bench.plugins import KINDS

    with session(files) as opened:
        found = [plugin for kind in KINDS for plugin in opened.registry.all(kind)]
        outcomes = opened.descriptions.ask([(plugin, None) for plugin in found])
    for plugin, outcome in zip(found, outcomes, strict=True):
        good = outcome.status == "ok"
        yield f"{plugin.kind} {plugin.name}", plugin.owner if good else f"broken: {outcome.reason}", good
