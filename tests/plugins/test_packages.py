import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLUGINS = ("methods", "models", "datasets")


def test_every_package_is_installed():
    """pyproject.toml lists all folders with an __init__.py, those of plugins under bench."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = []
    for top in ("bench", *PLUGINS):
        for file in (ROOT / top).rglob("__init__.py"):
            parts = file.parent.relative_to(ROOT).parts
            found.append(".".join(parts if top == "bench" else ("bench", *parts)))
    assert sorted(listed) == sorted(found)
