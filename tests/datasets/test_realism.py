"""The packaged jets beside those of real collisions."""

from __future__ import annotations

from pathlib import Path

import bench.datasets.cms
import numpy as np
import pytest
from bench.datasets.cms.simulation.realism import figures, real_images
from bench.datasets.cms.sparse import SparseImages

from bench.paths import data_folders

JETS = 600
REAL = [path for folder in data_folders() if (path := folder / "cms" / "cms_ispy_real_jets.h5").is_file()]


@pytest.mark.skipif(not REAL, reason="the real jets are in no folder of BENCH_DATA")
def test_occupancy_noise_and_widths_are_within_a_quarter_of_the_real_ones():
    stored = SparseImages(Path(bench.datasets.cms.__file__).parent / "data" / "quark_gluon.h5")
    _, cells = next(iter(stored.blocks(JETS)))
    images = np.zeros((JETS, int(np.prod(stored.shape))), np.float32)
    images[cells.image(), cells.cell.astype(np.int64)] = cells.value
    simulated, real = figures(images.reshape(-1, *stored.shape)), figures(real_images(REAL[0]))
    compared = [name for name in real if "energy" not in name]
    assert len(compared) == 8
    ratios = {name: simulated[name] / real[name] for name in compared}
    assert ratios == pytest.approx(dict.fromkeys(compared, 1), abs=0.25)
