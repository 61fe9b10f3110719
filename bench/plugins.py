"""The registry: plugins by entry point or loose file, listed from metadata, imported only by `load`, in a worker."""

from __future__ import annotations

import ast
import difflib
import importlib
import re
import sys
import tomllib
import types
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from bench import sources
from bench.errors import BenchError

__all__ = ["KINDS", "Plugin", "Registry", "load", "suggest"]

KINDS = {"method": "methods", "model": "models", "dataset": "datasets", "metric": "metrics"}
"""Kind -> plural; the entry-point group is bench.<plural>, the contract bench.contracts.<Kind>."""


@dataclass(frozen=True)
class Plugin:
    """Where a plugin is, nothing of it imported.

    Arguments:
        module, attr: where the class is.
        owner: the distribution, or the loose file, that it comes from.
        file: the loose file's path; None for an entry point.
        broken: why it cannot be used, as far as that is known without importing it.
    """

    kind: str
    name: str
    module: str
    attr: str
    owner: str
    file: str | None = None
    broken: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def source(self) -> Path:
        """Its file. BenchError if there is none."""
        return Path(self.file) if self.file else sources.locate(self.module)


class Registry:
    """All plugins that this installation and the given loose files offer.

    Arguments:
        files: loose plugin files.
    """

    def __init__(self, files: Sequence[Path] = ()) -> None:
        loose = dict.fromkeys(file.resolve() for file in files)
        found = [*_installed(), *(plugin for file in loose for plugin in _loose(file))]
        self._by_name: dict[tuple[str, str], list[Plugin]] = {}
        for plugin in found:
            self._by_name.setdefault((plugin.kind, plugin.name), []).append(plugin)

    def names(self, kind: str) -> list[str]:
        return sorted(name for other, name in self._by_name if other == kind)

    def all(self, kind: str) -> list[Plugin]:
        """The plugins of a kind; a name that two claim is listed once, as broken."""
        return [self._one(kind, name) for name in self.names(kind)]

    def get(self, kind: str, name: str) -> Plugin:
        """The plugin of that name, which may be broken. BenchError if there is none."""
        if (kind, name) not in self._by_name:
            there = ", ".join(self.names(kind)) or "none"
            loose = [plugin for plugins in self._by_name.values() for plugin in plugins if plugin.file]
            unread = " and ".join(dict.fromkeys(plugin.broken for plugin in loose if plugin.broken))
            raise BenchError(f"no {kind} named '{name}'{suggest(name, self.names(kind))} There are: {there}", unread)
        return self._one(kind, name)

    def _one(self, kind: str, name: str) -> Plugin:
        plugins = self._by_name[kind, name]
        if len(plugins) == 1:
            return plugins[0]
        owners = " and ".join(sorted({plugin.owner for plugin in plugins}))
        first = plugins[0]
        return Plugin(kind, name, first.module, first.attr, owners, broken=f"the name is claimed by {owners}")


def load(plugin: Plugin) -> type:
    """Import the plugin's class. BenchError if it is no class of its kind's contract."""
    import bench.contracts as contracts

    module = _import_loose(Path(plugin.file)) if plugin.file else importlib.import_module(plugin.module)
    cls = getattr(module, plugin.attr, None)
    base: type = getattr(contracts, plugin.kind.capitalize())
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise BenchError(
            f"{plugin.kind} '{plugin.name}': {plugin.module}:{plugin.attr} is {_what(cls)}, not a {base.__name__}",
            f"make it a subclass of bench.contracts.{base.__name__}",
        )
    return cls


def suggest(name: str, names: Iterable[str]) -> str:
    """", did you mean 'x'?" for a name close to one of the names, else a full stop."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f", did you mean '{close[0]}'?" if close else "."


def _what(cls: object) -> str:
    if cls is None:
        return "missing"
    return f"the class {cls.__name__}" if isinstance(cls, type) else f"a {type(cls).__name__}"


def _installed() -> Iterator[Plugin]:
    """The plugins of all installed distributions; of a bare checkout, those in its pyproject.toml."""
    own = False
    for kind, plural in KINDS.items():
        for entry in metadata.entry_points(group=f"bench.{plural}"):
            owner = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown distribution"
            own = own or owner.startswith("symmetry-bench ")
            yield _checked(kind, entry.name, entry.value, owner)
    if not own:
        yield from _checkout()


def _checkout() -> Iterator[Plugin]:
    project = Path(__file__).resolve().parent.parent / "pyproject.toml"
    if project.is_file():
        groups = tomllib.loads(project.read_text())["project"]["entry-points"]
        for kind, plural in KINDS.items():
            for name, value in groups.get(f"bench.{plural}", {}).items():
                yield _checked(kind, name, value, "this checkout")


def _checked(kind: str, name: str, value: str, owner: str) -> Plugin:
    """The plugin of an entry point, broken if its file is missing, does not parse, or never names its class."""
    module, _, attr = value.partition(":")
    try:
        tree = sources.parse(sources.locate(module))
        broken = None if attr in sources.names(tree) else f"{module} has no {attr or 'class named in its entry point'}"
    except BenchError as error:
        broken = str(error)
    return Plugin(kind, name, module, attr, owner, broken=broken)


def _loose(file: Path) -> Iterator[Plugin]:
    """The plugins of a loose file: its classes that descend from a contract, named in snake case."""
    try:
        classes = {node.name: node for node in sources.parse(file).body if isinstance(node, ast.ClassDef)}
    except BenchError as error:
        yield from (Plugin(kind, file.stem, "", "", str(file), str(file), str(error)) for kind in KINDS)
        return
    found = [(kind, name) for name in classes if not name.startswith("_") and (kind := _kind(name, classes))]
    if not found:
        raise BenchError(
            f"{file} defines no plugin", f"derive a class from {', '.join(kind.capitalize() for kind in KINDS)}"
        )
    for kind, name in found:
        yield Plugin(kind, _snake(name), _package(file) + "." + file.stem, name, str(file), str(file))


def _kind(name: str, classes: dict[str, ast.ClassDef]) -> str | None:
    for base in classes[name].bases:
        parent = base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""
        if parent.lower() in KINDS and parent not in classes:
            return parent.lower()
        if parent in classes and parent != name and (kind := _kind(parent, classes)):
            return kind
    return None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _package(file: Path) -> str:
    return f"bench_loose_{zlib.crc32(str(file.parent).encode()):08x}"


def _import_loose(file: Path) -> types.ModuleType:
    """Import a loose file as part of a package made of its folder, so that it may import its siblings relatively."""
    package = _package(file)
    if package not in sys.modules:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [str(file.parent)]
    return importlib.import_module(f"{package}.{file.stem}")
