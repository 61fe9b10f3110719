"""Provenance: where and with what a record was made."""

from __future__ import annotations

import platform
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from bench import __version__

__all__ = ["now", "provenance"]

NAMED = ("torch", "numpy", "scipy", "scikit-learn", "zuko")


@cache
def provenance() -> dict[str, Any]:
    """Versions, machine and git state; the same for all records of a process."""
    from bench.jobs.specs import digest

    versions = {d.metadata["Name"]: d.version for d in metadata.distributions()}
    return {
        "suite_version": __version__,
        "git_sha": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no", "--", ":!results", ":!leaderboard.md")),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "packages": {name: versions[name] for name in NAMED if name in versions},
        "packages_hash": digest(versions),
    }


def now() -> str:
    """The time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _git(*words: str) -> str | None:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _cpu() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
