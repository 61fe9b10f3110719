"""The hash of a plugin's source: its file and what it reaches by relative import, and nothing is executed."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench import sources
from bench.errors import BenchError

FILES = {
    "plugin.py": "import os\nfrom .near import x\nfrom . import beside\nraise SystemExit('executed')\n",
    "near.py": "def late():\n    from .deep.inner import y\n",
    "beside.py": "from .near import x\n",
    "deep/__init__.py": "",
    "deep/inner.py": "from ..far import z\n",
    "deep/near.py": "unreached = 1\n",
    "far.py": "import near\n",
    "unreached.py": "",
}


@pytest.fixture
def package(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def fresh(file):
    sources.parse.cache_clear()
    sources.contents.cache_clear()
    return sources.source_hash(file)


@pytest.mark.parametrize("name", FILES)
def test_it_changes_exactly_when_a_reached_file_changes(package, name):
    before = fresh(package / "plugin.py")
    assert fresh(package / "plugin.py") == before
    path = package / name
    path.write_text(path.read_text() + "# another line\n")
    changed = fresh(package / "plugin.py") != before
    assert changed == (name not in ("unreached.py", "deep/near.py"))


def test_it_does_not_depend_on_the_folder_or_on_the_process(package, tmp_path_factory):
    """Two helpers of one name stand in two folders: their order must not come from a set."""
    (package / "plugin.py").write_text("from .near import x\nfrom .deep.near import y\n")
    program = (
        "from pathlib import Path; from bench import sources\n"
        f"print(sources.source_hash(Path({str(package)!r}) / 'plugin.py'))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    moved = tmp_path_factory.mktemp("elsewhere") / "copy"
    package.rename(moved)
    assert found == {fresh(moved / "plugin.py") + "\n"}


def test_a_helper_that_does_not_parse_is_named(package):
    (package / "far.py").write_text("x = (\n")
    with pytest.raises(BenchError, match=r"syntax error in .*far.py, line 1"):
        fresh(package / "plugin.py")


@pytest.mark.parametrize("module", ["json.decoder", "bench.methods.latent_flow", "bench.plugins", "email.mime.text"])
def test_modules_are_located_without_being_imported(module):
    assert sources.locate(module) == Path(find_spec(module).origin)


@pytest.mark.parametrize("module", ["no_such_module", "json.no_such_module", "bench.methods.no_such"])
def test_a_module_that_is_not_there_is_said_so(module):
    with pytest.raises(BenchError, match="no module named"):
        sources.locate(module)
