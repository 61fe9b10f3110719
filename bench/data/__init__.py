"""Reading and fetching data files: checked on the way in, never half-written."""

from bench.data.arrays import REMEDY, Expected, read_hdf5, read_idx, read_npy, read_npz, read_parquet, reading
from bench.data.derived import derived
from bench.data.folders import complete, find_files
from bench.data.source import Source
from bench.data.splits import split_rows
from bench.data.tables import Table, open_table

__all__ = [
    "REMEDY", "Expected", "Source", "Table", "complete", "derived", "find_files", "open_table", "read_hdf5", "read_idx",
    "read_npy", "read_npz", "read_parquet", "reading", "split_rows",
]  # fmt: skip
