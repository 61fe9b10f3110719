"""Plugins are listed from metadata; none is imported before a worker runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.plugins import Registry, load

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "numpy", "pandas", "matplotlib", "scipy", "sklearn", "rich", "pydantic", "bench.contracts")


def installed(folder: Path, name: str, group: str, entries: str, **modules: str) -> Path:
    """A distribution with entry points, as pip leaves it in a folder."""
    info = folder / f"{name}-1.5.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{entries}\n")
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text)
    return folder


def bench(*words: str, path: Path | None = None, flags: tuple[str, ...] = (), cwd: Path | None = None):
    environment = {**os.environ, "PYTHONPATH": str(path)} if path else dict(os.environ)
    command = [sys.executable, *flags, "-m", "bench", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd=cwd, check=False)


@pytest.mark.parametrize("words", [
    ["--help"], ["list"], ["run", "--help"], ["run", "-m", "latent_flw", "-d", "rotated_digits"], ["lst"],
    ["show", "method", "latent_flw"], ["run", "-m", "latent_flow", "-d", "rotated_digits", "--set", "epochs"],
])  # fmt: skip
def test_nothing_heavy_is_imported(words):
    program = (
        f"import sys, json; sys.argv = ['bench', *{words!r}]\n"
        "from bench.cli import main\n"
        "try: main()\n"
        f"finally: print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert json.loads(done.stderr.splitlines()[-1]) == []


def test_a_misspelt_name_gets_a_suggestion_and_the_list():
    done = bench("run", "-m", "latent_flw", "-d", "rotated_digit")
    assert done.returncode == 2
    method, dataset = done.stderr.splitlines()
    assert method.startswith("error: no method named 'latent_flw', did you mean 'latent_flow'? There are: ")
    assert dataset.startswith("error: no dataset named 'rotated_digit', did you mean 'rotated_digits'? There are: ")
    assert "kernel" in method


def test_a_collision_names_both_owners(tmp_path):
    installed(tmp_path, "rival", "bench.methods", "latent_flow = rival:Flow", rival="class Flow: pass\n")
    done = bench("list", "methods", path=tmp_path)
    (line,) = [line for line in done.stdout.splitlines() if line.split()[:1] == ["latent_flow"]]
    assert "broken: the name is claimed by rival 1.5 and symmetry-bench" in line


@pytest.mark.parametrize(("entry", "text", "reason"), [
    ("third = third:Flow", "def half(:\n", "syntax error in"),
    ("third = third:Flow", "class Other: pass\n", "third has no Flow"),
    ("third = nowhere.at_all:Flow", "", "no module named nowhere"),
    ("third = third", "class Flow: pass\n", "third has no class named in its entry point"),
])  # fmt: skip
def test_a_broken_entry_point_breaks_nothing_else(tmp_path, entry, text, reason):
    installed(tmp_path, "others", "bench.methods", entry, third=text)
    done = bench("list", path=tmp_path)
    assert done.returncode == 0
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("  third")]
    assert "others 1.5" in line
    assert f"broken: {reason}" in line
    assert "latent_flow" in done.stdout


def test_a_bare_checkout_needs_no_installation(tmp_path):
    """No site-packages but click, no metadata of an installation: the package is only found where it stands."""
    import click

    site, checkout = tmp_path / "site", tmp_path / "checkout"
    for folder in (site, checkout):
        folder.mkdir()
    (site / "click").symlink_to(Path(click.__file__).parent)
    for name in ("bench", "methods", "models", "datasets", "pyproject.toml"):
        (checkout / name).symlink_to(ROOT / name)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-S", "-m", "bench", "list"]
    done = subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "this checkout" in done.stdout
    assert "latent_flow" in done.stdout
    assert "broken" not in done.stdout


LOOSE = """
from bench import contracts
from bench.contracts import Method, Metric, NoSymmetry
from .partner import K

class HTTPFlow2Net(Method):
    def discover(self, task): return NoSymmetry(task.action)

class Derived(HTTPFlow2Net):
    k = K

class ByAttribute(contracts.Metric):
    pass

class _Hidden(Method):
    pass

class Unrelated:
    pass
"""


@pytest.fixture
def loose(tmp_path):
    (tmp_path / "partner.py").write_text("K = 3\n")
    path = tmp_path / "loose-file.py"
    path.write_text(LOOSE)
    return path


def test_classes_of_a_loose_file_are_named_in_snake_case(loose):
    registry = Registry([loose])
    owners = {plugin.name: plugin.kind for kind in ("method", "metric") for plugin in registry.all(kind)
              if plugin.file}  # fmt: skip
    assert owners == {"http_flow2_net": "method", "derived": "method", "by_attribute": "metric"}


def test_a_loose_file_imports_its_siblings(loose):
    assert load(Registry([loose]).get("method", "derived")).k == 3


def test_the_same_file_twice_is_no_collision(loose):
    assert Registry([loose, loose.parent / "." / loose.name]).get("method", "derived").broken is None


def test_equal_names_in_two_files_collide(loose, tmp_path):
    other = tmp_path / "other.py"
    other.write_text("from bench.contracts import Method\nclass Derived(Method): pass\n")
    broken = Registry([loose, other]).get("method", "derived").broken
    assert broken == f"the name is claimed by {loose} and {other}"


def test_folders_of_similar_names_are_kept_apart(tmp_path):
    for number, folder in enumerate(("a-b", "a_b")):
        (tmp_path / folder).mkdir()
        text = f"from bench.contracts import Method\nclass Named{number}(Method):\n    number = {number}\n"
        (tmp_path / folder / "plugin.py").write_text(text)
    registry = Registry([tmp_path / "a-b" / "plugin.py", tmp_path / "a_b" / "plugin.py"])
    assert [load(registry.get("method", f"named{number}")).number for number in (0, 1)] == [0, 1]


def test_a_loose_file_without_plugins_is_refused(tmp_path):
    path = tmp_path / "empty.py"
    path.write_text("class Unrelated: pass\n")
    with pytest.raises(BenchError, match=r"empty.py defines no plugin \(derive a class from Method"):
        Registry([path])


def test_a_class_of_the_wrong_contract_is_refused(tmp_path):
    path = tmp_path / "wrong.py"
    path.write_text("class Method: pass\nclass Mine(Method): pass\n")
    with pytest.raises(BenchError, match="defines no plugin"):
        Registry([path])
