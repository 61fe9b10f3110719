"""What the verbs that plan or run work with: registry, cache, store, pool, planner."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.jobs.cache import Cache
from bench.jobs.descriptions import Descriptions
from bench.jobs.planner import Planner
from bench.jobs.pool import Limits, Pool, Watcher
from bench.paths import cache_root
from bench.plugins import Registry
from bench.records.store import Store

__all__ = ["Session", "session"]

DESCRIBE_LIMIT = 120.0


@dataclass(frozen=True)
class Session:
    registry: Registry
    cache: Cache
    store: Store
    pool: Pool
    planner: Planner
    descriptions: Descriptions


@contextmanager
def session(
    plugins: Sequence[Path] = (),
    results: Path = Path("results"),
    *,
    jobs: int | None = None,
    timeout: float = 3600,
    memory: int | None = None,
    device: str = "cpu",
    watcher: Watcher | None = None,
    registry: Registry | None = None,
) -> Iterator[Session]:
    """A session; its workers end with it.

    Arguments:
        jobs: how many workers at a time; None: as many as there are cores.
        timeout: seconds that one job may take.
        memory: bytes that one job may hold; None: its share of four fifths of the machine's.
    """
    size = jobs or _cores()
    limit = memory or int(0.8 * _total_memory() / size)
    registry = registry or Registry(plugins)
    cache, store = Cache(cache_root()), Store(results)
    cache.sweep()
    store.sweep()
    pool = Pool(cache, size, Limits(timeout, limit), watcher)
    asking = Pool(cache, size, Limits(min(timeout, DESCRIBE_LIMIT), limit), share=pool)
    descriptions = Descriptions(cache, asking)
    try:
        planner = Planner(registry, cache, store, descriptions, device)
        yield Session(registry, cache, store, pool, planner, descriptions)
    finally:
        pool.close()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _total_memory() -> int:
    """Bytes of the machine, or of the container."""
    import psutil

    total = int(psutil.virtual_memory().total)
    with suppress(OSError, ValueError):  # "max" where there is no limit
        return min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total
