"""Descriptions of plugins, as workers give them, cached by what they depend on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import __version__, sources
from bench.errors import BenchError
from bench.jobs.cache import Cache, Outcome
from bench.jobs.identity import PROTOCOL
from bench.jobs.pool import Job, Pool
from bench.jobs.specs import digest
from bench.paths import data_folders
from bench.plugins import Plugin

__all__ = ["Descriptions", "Question"]

HERE = str(Path(__file__).parent)
"""Descriptions name files of the installation that gave them."""

Question = tuple[Plugin, Mapping[str, Any] | None]
"""A plugin, with parameters to check and fill in, or None to be told of the class alone."""


class Descriptions:
    """Answers what plugins are; imports none of them.

    Arguments:
        pool: whose workers are asked what the cache does not know.
    """

    def __init__(self, cache: Cache, pool: Pool) -> None:
        self.cache = cache
        self.pool = pool
        self._known: dict[str, Outcome] = {}

    def ask(self, questions: Iterable[Question]) -> list[Outcome]:
        """An outcome for each question: its figures are the description, or it says what is wrong with the plugin."""
        asked = [(self._key(plugin, params), plugin, params) for plugin, params in questions]
        unknown = {}
        for key, plugin, params in asked:
            if key not in self._known and not self._recall(key):
                if plugin.broken:
                    self._known[key] = Outcome("failed", plugin.broken)
                else:
                    request = {"plugin": plugin.to_json(), "params": params, "sources": _digests(plugin)}
                    unknown[key] = Job("describe", key, f"{plugin.kind} {plugin.name}", request, keep=False)
        for key, outcome in self.pool.run(unknown.values()).items() if unknown else ():
            self._known[key] = outcome
            if outcome.status == "ok":
                answer = {"outcome": asdict(outcome), "seen": self._seen(outcome)}
                self.cache.remember(f"description-{key}", answer)
        return [self._known[key] for key, _, _ in asked]

    def _recall(self, key: str) -> bool:
        stored = self.cache.memo(f"description-{key}")
        if stored is None or stored["seen"] != self._seen(outcome := Outcome(**stored["outcome"])):
            return False
        self._known[key] = outcome
        return True

    def _seen(self, outcome: Outcome) -> list[int | None]:
        """When a dataset's files, and the folders where others may have come to stand beside them, last changed."""
        files = [Path(file) for file in outcome.figures.get("files", ())]
        roots = [*data_folders(), self.cache.root / "data"]
        folders = [root / name for name in sorted({file.parent.name for file in files}) for root in roots]
        return [_changed(path) for path in (*files, *folders)]

    def _key(self, plugin: Plugin, params: Mapping[str, Any] | None) -> str:
        try:
            source = sources.source_hash(plugin.source())
        except BenchError:
            source = ""
        data = [os.environ.get("BENCH_DATA"), str(self.cache.root)] if plugin.kind == "dataset" else None
        return digest([PROTOCOL, __version__, HERE, plugin.to_json(), source, params, data])


def _changed(path: Path) -> int | None:
    """The time of a path's last change, None if there is nothing."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def _digests(plugin: Plugin) -> Mapping[str, str]:
    """What a worker must find of its sources; nothing where they do not parse, which the worker will say."""
    with suppress(BenchError):
        return sources.digests(plugin.source())
    return {}
