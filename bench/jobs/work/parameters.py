"""Parameters of plugins: the fields of frozen dataclasses, described, checked and filled in."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bench.errors import BenchError
from bench.plugins import Plugin, load, suggest

__all__ = ["fields", "instance", "overrides", "resolved"]


def fields(cls: type) -> list[dict[str, Any]]:
    """name, type, default and doc of every parameter."""
    if not dataclasses.is_dataclass(cls):
        return []
    docs = _docs(cls)
    return [
        {
            "name": f.name,
            "type": f.type if isinstance(f.type, str) else getattr(f.type, "__name__", str(f.type)),
            "default": _plain(_default(f)),
            "doc": docs.get(f.name, ""),
        }
        for f in dataclasses.fields(cls)
        if f.init
    ]


def instance(plugin: Plugin, params: dict[str, Any]) -> Any:
    """The plugin's object with these parameters. BenchError, a line for every parameter that is wrong."""
    cls = load(plugin)
    names = [f.name for f in dataclasses.fields(cls) if f.init] if dataclasses.is_dataclass(cls) else []
    where = f"{plugin.kind} '{plugin.name}'"
    wrong = [
        f"{where} has no parameter '{name}'{suggest(name, names)} There are: {', '.join(names) or 'none'}"
        for name in params
        if name not in names
    ]
    if wrong:
        raise BenchError("; ".join(wrong), usage=True)
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
        raise BenchError(f"{where} does not implement {missing}", "write them; 'bench show' names the contract")
    if not dataclasses.is_dataclass(cls) or _defaults(cls).items() >= params.items():
        return cls()
    try:
        return TypeAdapter(cls).validate_python(params)
    except ValidationError as error:
        lines = [
            f"{where}: {'.'.join(map(str, e['loc']))}={json.dumps(e['input'], default=str)}: {e['msg']}"
            for e in error.errors()
        ]
        raise BenchError("; ".join(lines), "'bench show' lists what is allowed", usage=True) from None


def resolved(plugin: Any) -> dict[str, Any]:
    """All parameters of a plugin's object, as JSON."""
    return {f["name"]: _plain(getattr(plugin, f["name"])) for f in fields(type(plugin))}


def overrides(plugin: Any) -> dict[str, Any]:
    """The parameters that differ from the defaults."""
    defaults = {f["name"]: f["default"] for f in fields(type(plugin))}
    return {name: value for name, value in resolved(plugin).items() if value != defaults[name]}


def _defaults(cls: Any) -> dict[str, Any]:
    """The defaults of the parameters that have one, as JSON."""
    missing = dataclasses.MISSING
    given = [f for f in dataclasses.fields(cls) if f.default is not missing or f.default_factory is not missing]
    return {f.name: _plain(_default(f)) for f in given if f.init}


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str), parse_constant=str)


def _docs(cls: type) -> dict[str, str]:
    """The 'name: text' lines under Arguments in the docstring, and in those of the classes it inherits from."""
    parents = [base for base in reversed(cls.__mro__) if dataclasses.is_dataclass(base)]
    return {name: text for base in parents for name, text in _arguments(inspect.cleandoc(base.__doc__ or "")).items()}


def _arguments(text: str) -> dict[str, str]:
    _, _, block = text.partition("Arguments:\n")
    found: dict[str, str] = {}
    names: list[str] = []
    for line in block.splitlines():
        if not line.startswith("    "):
            if line.strip():
                break
        elif entry := re.match(r"    (\w[\w, ]*): (.*)", line):
            names = [name.strip() for name in entry[1].split(",")]
            found |= dict.fromkeys(names, entry[2].strip())
        else:
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found
