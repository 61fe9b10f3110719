"""Reading and fetching data files: checked on the way in, never half-written."""

from bench.data.arrays import Expected, read_hdf5, read_idx, read_parquet
from bench.data.source import Source

__all__ = ["Expected", "Source", "read_hdf5", "read_idx", "read_parquet"]
