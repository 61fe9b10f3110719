"""The meter: what a job tells while it runs, and what its work costs."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Meter"]


class Meter:
    """Progress for whoever watches, and the cost of what is measured.

    Arguments:
        file: where the last step is told, at most ten times a second.
        device: where the work computes; what it has been given is done before the clocks are read.
    """

    def __init__(self, file: Path, device: str = "cpu") -> None:
        self.file = file
        self.device = device
        self.steps: int | None = None
        self._told = 0.0

    def progress(self, step: int, steps: int, loss: float | None = None) -> None:
        self.steps = step
        now = time.monotonic()
        if now - self._told > 0.1 or step == steps:
            self._told = now
            part = self.file.with_suffix(".part")
            part.write_text(json.dumps({"step": step, "steps": steps, "loss": None if loss is None else float(loss)}))
            os.replace(part, self.file)

    def measure(self, work: Callable[[], Any]) -> tuple[Any, dict[str, float | int | None]]:
        """The result of the work and its cost: cpu_s (children included), wall_s, peak_rss_mb, steps."""
        self._settle()
        wall, cpu = time.perf_counter(), _cpu_seconds()
        result = work()
        self._settle()
        return result, {
            "cpu_s": round(_cpu_seconds() - cpu, 3),
            "wall_s": round(time.perf_counter() - wall, 3),
            "peak_rss_mb": round(_peak_rss() / 2**20, 1),
            "steps": self.steps,
        }

    def _settle(self) -> None:
        if self.device != "cpu":
            import torch

            torch.accelerator.synchronize(self.device)


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_rss() -> int:
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
