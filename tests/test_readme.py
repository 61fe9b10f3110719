"""The README's plugin, exactly as printed there, as a loose file and as an installed package."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BENCH = [sys.executable, "-m", "bench"]


def block(name: str) -> str:
    match = re.search(rf"<!-- test: {re.escape(name)} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert match, f"the README has no block for {name}"
    return match[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    for name in ("quiet_plane.py", "pyproject.toml"):
        (folder / name).write_text(block(name), encoding="utf-8")
    return folder


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"BENCH_CACHE": str(folder / "cache"), "BENCH_RESULTS": str(folder / "results")} | environment
    return subprocess.run([*BENCH, *words], cwd=folder, env=env, capture_output=True, text=True)


def test_plugin_is_at_most_thirty_lines() -> None:
    assert len(block("quiet_plane.py").splitlines()) <= 30


def test_as_a_loose_file_it_reaches_the_leaderboard(folder: Path) -> None:
    words = "run --plugin quiet_plane.py --method quiet_plane --dataset rotated_digits --budget smoke"
    done = run(folder, *words.split(), "--representation", "pca", "--json")
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)
    assert record["status"] == "ok"
    assert record["scores"]["oracle_preservation"] is not None
    assert run(folder, "leaderboard").returncode == 0
    assert "quiet_plane" in (folder / "leaderboard.md").read_text(encoding="utf-8")


def test_as_a_package_it_is_listed_with_its_owner(folder: Path) -> None:
    site = folder / "site"
    pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(site), "."]
    subprocess.run([sys.executable, *pip], cwd=folder, check=True, capture_output=True)
    done = run(folder / "site", "list", "methods", PYTHONPATH=str(site))
    assert re.search(r"quiet_plane +quiet-plane 1\.0\n", done.stdout), done.stdout + done.stderr
    shown = run(folder / "site", "show", "method", "quiet_plane", PYTHONPATH=str(site))
    assert "Rotation in the plane of the two directions" in shown.stdout, shown.stderr


def test_every_command_in_the_readme_is_one() -> None:
    for line in re.findall(r"^bench (\w+)", README, re.MULTILINE):
        assert subprocess.run([*BENCH, line, "--help"], capture_output=True).returncode == 0, line
