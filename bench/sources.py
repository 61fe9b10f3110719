"""Source files without running them: where a module is, what it names, what it reaches by relative import."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path

from bench.errors import BenchError

__all__ = ["changed", "digests", "locate", "names", "parse", "source_hash"]


@cache
def locate(module: str) -> Path:
    """The file of a module, found without importing its parents. BenchError if there is none."""
    path: list[str] | None = None
    spec: ModuleSpec | None = None
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        spec = _find(name, path)
        if spec is None:
            raise BenchError(f"no module named {name}", "install the package that has it")
        path = list(spec.submodule_search_locations or [])
        if name == "bench":
            import bench

            path = list(bench.__path__)
    if spec is None or not spec.origin:
        raise BenchError(f"{module} has no source file", "an entry point names a module in a file")
    return Path(spec.origin)


def _find(name: str, path: list[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path)
        if spec is not None:
            return spec
    return None


@cache
def parse(file: Path) -> ast.Module:
    """The syntax tree of a file. BenchError, with the line, if it does not parse."""
    try:
        return ast.parse(file.read_bytes(), str(file))
    except OSError as error:
        raise BenchError(f"{file}: {error.strerror}", "check the path") from None
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise BenchError(f"syntax error in {file}{line}: {getattr(error, 'msg', error)}", "mend the file") from None


def names(tree: ast.Module) -> set[str]:
    """The names that a module binds at its top level."""
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            bound.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            bound.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return bound


@cache
def contents(file: Path) -> Mapping[Path, bytes]:
    """A file and all files that it reaches by relative import, as they were when this was first asked."""
    return {found: found.read_bytes() for found in reached(file)}


def source_hash(file: Path) -> str:
    """A hash of a file and of all files that it reaches by relative import, by content and not by path."""
    file = file.resolve()
    known = contents(file)
    digest = hashlib.sha256()
    for found in sorted(known, key=lambda found: (found != file, found.name, known[found])):
        digest.update(found.name.encode() + b"\0" + hashlib.sha256(known[found]).digest())
    return digest.hexdigest()[:16]


@cache
def digests(file: Path) -> Mapping[str, str]:
    """Path -> sha256 of what `source_hash` hashed."""
    return {str(found): hashlib.sha256(content).hexdigest() for found, content in contents(file.resolve()).items()}


def changed(known: Mapping[str, str]) -> str | None:
    """A file whose content is no longer that of its sha256, if there is one."""
    return next((file for file, digest in known.items() if _sha256(Path(file)) != digest), None)


def _sha256(file: Path) -> str | None:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None


def reached(file: Path) -> set[Path]:
    """The file itself and what it imports relatively, in any depth."""
    seen: set[Path] = set()
    waiting = [file.resolve()]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting.extend(_siblings(current))
    return seen


def _siblings(file: Path) -> Iterator[Path]:
    for node in ast.walk(parse(file)):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = file.parent
            for _ in range(node.level - 1):
                folder = folder.parent
            parts = node.module.split(".") if node.module else []
            target = folder.joinpath(*parts)
            passed = [folder.joinpath(*parts[:end]) for end in range(1, len(parts))]
            candidates = [*passed, target, *(target / alias.name for alias in node.names)]
            for stem in candidates:
                for found in (stem.with_name(stem.name + ".py"), stem / "__init__.py"):
                    if found.is_file():
                        yield found.resolve()
