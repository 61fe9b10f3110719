"""What it takes to read 20,000 jets in the published layout, one row group for each: `make bench`.

Speed is measured in CPU-seconds of one core, so that a busy machine does not count; memory as the most that a process
of its own holds, the interpreter and its libraries included.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from ..datasets.published import jets, parquet  # noqa: TID252

LEAST_CONVERTED = 1000
LEAST_READ = 20_000
MOST_MEMORY = 1e9
BLOCK = 100
DIFFERENT = 10


@pytest.fixture(scope="module")
def count(request):
    """20,000 jets where figures are wanted; a few to see that the path works."""
    return 20_000 if request.config.getoption("benchmark_enable") else 200


@pytest.fixture(scope="module")
def blocks(count):
    """Blocks of jets that follow each other; every tenth is the same."""
    made = [jets(BLOCK, seed) for seed in range(min(DIFFERENT, count // BLOCK))]
    return [made[i % len(made)] for i in range(count // BLOCK)]


@pytest.fixture(scope="module")
def published(tmp_path_factory, blocks):
    """A parquet file with one row group for each jet."""
    return parquet(tmp_path_factory.mktemp("published") / "QCDToGGQQ_IMGjet_RH1all_jet0_run0_n20000.parquet", *blocks)


@pytest.fixture(scope="module")
def dense(tmp_path_factory, count, blocks):
    """An HDF5 file with channels last."""
    path = tmp_path_factory.mktemp("published") / "quark-gluon_data-set_n20000.hdf5"
    with h5py.File(path, "w") as file:
        file.create_dataset("X_jets", (count, 125, 125, 3), np.float32, chunks=(50, 125, 125, 3), compression="lzf")
        for name in ("pt", "m0", "y"):
            file.create_dataset(name, (count,), np.float32)
        for start, block in zip(range(0, count, BLOCK), blocks, strict=True):
            for name, values in block.items():
                file[name][start : start + BLOCK] = np.moveaxis(values, 1, -1) if values.ndim > 1 else values
    return path


@pytest.mark.parametrize("layout", ["published", "dense"])
@pytest.mark.benchmark(group="20,000 jets")
def test_reading_published_files(benchmark, request, tmp_path, count, layout):
    """>= 1,000 jets/s into the sparse cache, >= 20,000 jets/s back at 32 x 32, <= 1 GB of memory."""
    path = request.getfixturevalue(layout)
    figures = benchmark.pedantic(measured, args=(path, tmp_path), rounds=1)
    rates = {f"{name} jets/s": count / figures[f"{name} cpu_s"] for name in ("convert", "read")}
    benchmark.extra_info.update(figures | rates)
    assert figures["bytes"] < MOST_MEMORY
    if benchmark.enabled:
        assert rates["convert jets/s"] > LEAST_CONVERTED
        assert rates["read jets/s"] > LEAST_READ


def measured(path: Path, cache: Path) -> dict[str, float]:
    """CPU-seconds of turning a file into a sparse one, reading that back and loading a split; most memory of all."""
    environment = os.environ | {"BENCH_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


PROGRAM = """
import json, resource, sys, time
from pathlib import Path
import numpy as np
from bench.datasets.cms.cms import CMS, KINDS
from bench.datasets.cms.files import sparse_file
from bench.datasets.cms.images import Preparation

def cpu(work):
    start = time.process_time()
    made = work()
    return made, time.process_time() - start

def read(images):
    out = np.empty((len(images), 3, 32, 32), np.float32)
    Preparation((0, 1, 2), False, 1e-3, False, 64, 32, "none").read(images, np.arange(len(images)), out)

path = Path(sys.argv[1])
images, converting = cpu(lambda: sparse_file(path, KINDS["quark_gluon"].layout, "file"))
_, reading = cpu(lambda: read(images))
_, loading = cpu(lambda: CMS(source="file", paths=(str(path),)).load("train", 0))
memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"convert cpu_s": converting, "read cpu_s": reading, "load cpu_s": loading, "bytes": memory}))
"""
