"""What it takes to read 20,000 jets in the published layouts, one row group for each in parquet: `make bench`.

The jets are the packaged ones, simulated; from the second time on in a mirror image and with other energies.
Speed is measured in CPU-seconds of one core, so that a busy machine does not count; memory as the most that a process
of its own holds, the interpreter and its libraries included.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import bench.datasets.cms
import h5py
import numpy as np
import pytest
from bench.datasets.cms.sparse import SparseImages

from ..datasets.published import parquet_of  # noqa: TID252

LEAST_CONVERTED = 1000
LEAST_READ = 20_000
MOST_MEMORY = 1e9
FEW = 300
BLOCK = 100
PACKAGED = Path(bench.datasets.cms.__file__).parent / "data" / "quark_gluon.h5"


@pytest.fixture(scope="module")
def count(request):
    """20,000 jets where figures are wanted; a few to see that the path works."""
    return 20_000 if request.config.getoption("benchmark_enable") else FEW


AXES = ((), (2,), (3,), (2, 3))  # of the mirror images


def blocks(count):
    """Blocks of jets in the published columns, so many jets in all."""
    draw = np.random.default_rng(0)
    packaged, made = SparseImages(PACKAGED), 0
    for turn in itertools.count():
        for rows, cells in packaged.blocks(BLOCK):
            if made == count:
                return
            images = np.zeros((len(cells), np.prod(packaged.shape)), np.float32)
            images[cells.image(), cells.cell.astype(int)] = cells.value
            images = np.flip(images.reshape(-1, *packaged.shape), AXES[turn % len(AXES)])
            scale = draw.uniform(0.9, 1.1, len(cells)).astype(np.float32) if turn else np.ones(len(cells), np.float32)
            columns = {"pt": packaged.pt[rows] * scale, "m0": packaged.m0[rows] * scale, "y": packaged.y[rows] * 1.0}
            made += len(cells)
            yield {"X_jets": images * scale[:, None, None, None], **columns}


@pytest.fixture(scope="module")
def published(tmp_path_factory, count):
    """A parquet file with one row group for each jet."""
    path = tmp_path_factory.mktemp("published") / "QCDToGGQQ_IMGjet_RH1all_jet0_run0_n20000.parquet"
    return parquet_of(path, blocks(count))


@pytest.fixture(scope="module")
def dense(tmp_path_factory, count):
    """An HDF5 file with channels last."""
    path = tmp_path_factory.mktemp("published") / "quark-gluon_data-set_n20000.hdf5"
    with h5py.File(path, "w") as file:
        file.create_dataset("X_jets", (count, 125, 125, 3), np.float32, chunks=(50, 125, 125, 3), compression="lzf")
        for name in ("pt", "m0", "y"):
            file.create_dataset(name, (count,), np.float32)
        for start, block in zip(range(0, count, BLOCK), blocks(count), strict=True):
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
import json, sys, time
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
memory = 1024 * int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
print(json.dumps({"convert cpu_s": converting, "read cpu_s": reading, "load cpu_s": loading, "bytes": memory}))
"""
