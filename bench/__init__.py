"""symmetry-bench: a benchmark of symmetry discovery."""

from pathlib import Path

__version__ = "0.1.0"

_root = Path(__file__).resolve().parent.parent
if (_root / "methods").is_dir() and not (_root / "bench" / "methods").is_dir():  # a bare checkout: python -m bench
    __path__.append(str(_root))
