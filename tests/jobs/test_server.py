"""The warm server keeps one worker ahead, and does without it."""

from __future__ import annotations

import ctypes
import hashlib
import json
import mmap
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from bench.jobs.worker import warm_up
from bench.jobs.workers import Forked
from bench.plugins import Plugin

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")

TELLING = """
from pathlib import Path
from bench.contracts import Method
class M(Method): pass
Path(__file__).with_name("imported").touch()
"""


class Started(dict):
    """The pids of folders that run, and in `ever` of all that ever ran."""

    def __init__(self):
        super().__init__()
        self.ever = {}

    def __setitem__(self, folder, pid):
        super().__setitem__(folder, pid)
        self.ever[folder] = pid


@pytest.fixture
def forked():
    workers = Forked()
    workers.pids = Started()
    yield workers
    workers.close()


def asked(folder, imports=(), sources=()):
    """A folder with a request that no worker knows."""
    folder.mkdir()
    hashes = {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in sources}
    request = {"kind": "unheard of", "sources": hashes, "imports": list(imports)}
    (folder / "request.json").write_text(json.dumps(request))
    return folder


def plugin(file, text):
    """A method in a file of its own, as a request names it."""
    file.write_text(text)
    return Plugin("method", "m", "loose.plugin", "M", str(file), str(file)).to_json()


def run(workers, folder):
    """Run the request in a folder; the process that ran it."""
    workers.start(folder)
    assert comes(lambda: workers.wait(0.1)) == {folder: 0}
    assert json.loads((folder / "outcome.json").read_text())["reason"] == "KeyError: 'unheard of'"
    return workers.pids.ever[folder]


def comes(what):
    """What a function returns as soon as it is something."""
    until = time.monotonic() + 60
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def spare(workers):
    """The worker that is forked ahead, once those that have run are gone."""
    server = psutil.Process(workers._server.pid)

    def alone():
        children = server.children()
        return children if len(children) == 1 and children[0].pid not in workers.pids.ever.values() else None

    return comes(alone)[0]


def test_the_worker_ahead_is_used_once_and_replaced(forked, tmp_path):
    run(forked, asked(tmp_path / "first"))
    waiting = spare(forked)
    assert run(forked, asked(tmp_path / "second")) == waiting.pid
    assert spare(forked).pid != waiting.pid


def test_a_worker_ahead_that_was_killed_is_done_without(forked, tmp_path):
    run(forked, asked(tmp_path / "first"))
    killed = spare(forked)
    killed.kill()
    comes(lambda: not killed.is_running() or killed.status() == psutil.STATUS_ZOMBIE)
    run(forked, asked(tmp_path / "second"))
    assert spare(forked).pid != killed.pid


def test_a_worker_told_what_is_next_imports_it_and_waits(forked, tmp_path):
    run(forked, asked(tmp_path / "first"))
    folder = asked(tmp_path / "second", [plugin(tmp_path / "plugin.py", TELLING)])
    forked.prepare(folder)
    comes((tmp_path / "imported").exists)
    ready = spare(forked)
    assert not (folder / "outcome.json").exists()
    assert run(forked, folder) == ready.pid


def test_what_is_edited_while_a_worker_waits_is_refused(forked, tmp_path):
    file = tmp_path / "plugin.py"
    run(forked, asked(tmp_path / "first"))
    folder = asked(tmp_path / "second", [plugin(file, TELLING)], [file])
    forked.prepare(folder)
    comes((tmp_path / "imported").exists)
    file.write_text(file.read_text() + "# another line\n")
    forked.start(folder)
    assert comes(lambda: forked.wait(0.1)) == {folder: 0}
    reason = json.loads((folder / "outcome.json").read_text())["reason"]
    assert reason == f"{file} changed after the run was planned (run again)"


def test_a_worker_that_is_ready_for_another_folder_stays_so(forked, tmp_path):
    run(forked, asked(tmp_path / "first"))
    later = asked(tmp_path / "later")
    forked.prepare(later)
    ready = spare(forked)
    assert run(forked, asked(tmp_path / "second")) != ready.pid
    assert run(forked, later) == ready.pid


def test_a_worker_gives_way_when_something_else_is_next(forked, tmp_path):
    run(forked, asked(tmp_path / "first"))
    forked.prepare(asked(tmp_path / "never"))
    ready = spare(forked)
    last = asked(tmp_path / "last")
    forked.prepare(last)
    comes(lambda: not ready.is_running() or ready.status() == psutil.STATUS_ZOMBIE)
    run(forked, last)
    assert not (tmp_path / "never" / "outcome.json").exists()


def huge(pid):
    """Bytes of a process's own memory that are in huge pages."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("AnonHugePages:"))


def test_a_server_that_has_started_many_workers_joins_its_pages_and_goes_on(forked, tmp_path):
    from bench.jobs.server import HUGE, LIBC, MADV_COLLAPSE, MANY

    memory = mmap.mmap(-1, 2 * HUGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.write(bytes(2 * HUGE))
    start = -(-ctypes.addressof(ctypes.c_char.from_buffer(memory)) // HUGE) * HUGE
    if LIBC.madvise(ctypes.c_void_p(start), ctypes.c_size_t(HUGE), MADV_COLLAPSE):
        pytest.skip("this kernel does not join pages when asked")
    run(forked, asked(tmp_path / "first"))
    before = huge(forked._server.pid)
    for number in range(MANY):
        run(forked, asked(tmp_path / str(number)))
    comes(lambda: huge(forked._server.pid) > before + 20 * HUGE)
    run(forked, asked(tmp_path / "last"))


def test_an_import_that_ends_the_process_ends_the_run_and_not_the_server(forked, tmp_path):
    run(forked, asked(tmp_path / "first"))
    folder = asked(tmp_path / "second", [plugin(tmp_path / "plugin.py", "import os\nos._exit(7)\n")])
    forked.prepare(folder)
    forked.start(folder)
    assert comes(lambda: forked.wait(0.1)) == {folder: 7}
    run(forked, asked(tmp_path / "third"))


def test_it_ends_with_its_parent(forked, tmp_path):
    run(forked, asked(tmp_path / "first"))
    waiting = spare(forked)
    forked.close()
    assert waiting.wait(5) is None or not waiting.is_running()


def test_warming_up_draws_no_random_number():
    before = torch.get_rng_state()
    warm_up()
    assert torch.equal(torch.get_rng_state(), before)
