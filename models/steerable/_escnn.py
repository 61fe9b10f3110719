"""escnn, imported without what its planar groups do not need.

escnn 1.0.11 does not install with its dependencies (py3nj wants a Fortran compiler, lie_learn wants numpy < 2). Both
serve rotations in space. Installed alone it runs, if its import is helped:

- `lie_learn`, imported at its start, is a stand-in without content;
- scikit-learn is hidden: escnn's randomised solver hands it a matrix type that it no longer takes, and without it
  escnn solves by scipy, the same way each time;
- what escnn keeps in files inside its installation, which may be read-only and which workers share, is kept in memory;
- its Sylvester equations, thousands of matrices of a few rows, are set up without sparse ones: a network of D_n is
  built in a fraction of the time, from the same numbers.

The import costs a second of CPU time; it is done when a network is built and not before.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

from bench.contracts import BenchError

__all__ = ["RECIPE", "escnn", "sylvester"]

RECIPE = "pip install --no-deps escnn==1.0.11"
Matrix = np.ndarray[Any, Any]
_MISSING = object()


@cache
def escnn() -> ModuleType:
    """The package, with `escnn.gspaces` and `escnn.nn`. BenchError with the recipe if it is not installed."""
    with _replaced(_replacements()), patch("joblib.Memory", _Memory), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`py3nj`")
        try:
            import_module("escnn.gspaces")
            import_module("escnn.nn")
        except ImportError as error:
            raise BenchError(f"steerable needs escnn, which cannot be imported: {error}", RECIPE) from None
    for user in ("_numerical", "_clebsh_gordan"):
        sys.modules[f"escnn.group.{user}"].build_sylvester_constraint = sylvester  # type: ignore[attr-defined]
    return sys.modules["escnn"]


def sylvester(left: Sequence[Matrix], right: Sequence[Matrix]) -> Any:
    """The matrix C with C vec(X) = (A_g X - X B_g)_g, as escnn's `build_sylvester_constraint`.

    Arguments:
        left, right: A_g (a, a) and B_g (b, b), of each g.

    Returns:
        A sparse matrix (g b a, b a), as it is asked for; vec stacks the columns of X (a, b).
    """
    from scipy.sparse import csc_matrix

    one_a, one_b = np.eye(len(left[0])), np.eye(len(right[0]))
    blocks = [np.kron(one_b, A) + np.kron(-B.T, one_a) for A, B in zip(left, right, strict=True)]
    return csc_matrix(np.concatenate(blocks))


class _Memory:
    """What escnn uses of joblib.Memory, in memory."""

    def __init__(self, *location: object, **options: object) -> None:
        pass

    def cache(self, function: Callable[..., Any] | None = None, **options: object) -> Callable[..., Any]:
        return cache(function) if function else lambda other: other


def _replacements() -> Mapping[str, ModuleType | None]:
    wigner = ModuleType("lie_learn.representations.SO3.wigner_d")
    wigner.wigner_D_matrix = None  # type: ignore[attr-defined]
    return {wigner.__name__: wigner, "sklearn.utils.extmath": None}


@contextmanager
def _replaced(modules: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """Imports find these modules; None: nothing."""
    before = {name: sys.modules.get(name, _MISSING) for name in modules}
    sys.modules.update(modules)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name, module in before.items():
            if module is _MISSING:
                del sys.modules[name]
            else:
                sys.modules[name] = module  # type: ignore[assignment]
