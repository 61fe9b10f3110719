"""Options and arguments that several verbs share."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bench.errors import BenchError
from bench.paths import results_root

__all__ = ["DEVICE", "DURATION", "MEMORY", "Noted", "noted", "plugin_option", "results_option"]

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
NOTES = "bench.cli.options.notes"
TRIAL = "import sys, torch; torch.zeros(1, dtype=torch.float64, device=sys.argv[1]).add(1).cpu()"
SIZES = {"M": 2**20, "MB": 2**20, "G": 2**30, "GB": 2**30}


class _Duration(click.ParamType[float]):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", str(value))
        if not match or float(match[1]) == 0:
            self.fail(f"{value!r} is not a time; write 90s, 10m or 2h")
        return float(match[1]) * UNITS[match[2]]


class _Memory(click.ParamType[int]):
    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(MB?|GB?)", str(value), re.IGNORECASE)
        if not match or float(match[1]) == 0:
            self.fail(f"{value!r} is not a size; write 800M or 4G")
        return int(float(match[1]) * SIZES[match[2].upper()])


class _Device(click.ParamType[str]):
    name = "device"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Tried in a process of its own: one that has asked for an accelerator can fork no worker that uses it."""
        if value != "cpu":
            tried = subprocess.run([sys.executable, "-c", TRIAL, value], capture_output=True, text=True)
            if tried.returncode:
                reason = (tried.stderr.strip().splitlines() or ["no reason given"])[-1].partition(": ")
                self.fail(f"{value!r} cannot be used: {reason[2] or reason[0]} (name cpu, or a device that is here)")
        return str(value)


class Noted(click.Option):
    """An option whose wrong value is noted, for the command to tell with all else that is wrong (`noted`)."""

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        try:
            return super().type_cast_value(ctx, value)
        except click.BadParameter as error:
            error.ctx, error.param = ctx, self
            ctx.meta.setdefault(NOTES, []).append(error.format_message())
            return None


def noted() -> list[str]:
    """What was noted of the options of the running command."""
    return list(click.get_current_context().meta.get(NOTES, ()))


DEVICE = _Device()
DURATION = _Duration()
MEMORY = _Memory()


def _existing(ctx: click.Context, param: click.Parameter, value: tuple[Path, ...]) -> tuple[Path, ...]:
    for path in value:
        if not path.is_file():
            raise BenchError(f"--plugin {path}: no such file", "name a Python file", usage=True)
    return value


def plugin_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--plugin FILE, several times."""
    return click.option(
        "--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), callback=_existing,
        help="A loose Python file with plugins; may be given several times.",
    )(command)  # fmt: skip


def results_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--results DIR."""
    return click.option(
        "--results", type=click.Path(file_okay=False, path_type=Path), default=results_root, show_default="results",
        help="The folder of the records.",
    )(command)  # fmt: skip
