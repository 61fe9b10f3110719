"""The warm server keeps one worker ahead, and does without it."""

from __future__ import annotations

import json
import sys
import time

import psutil
import pytest
import torch

from bench.jobs.worker import warm_up
from bench.jobs.workers import Forked

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")


@pytest.fixture
def forked():
    workers = Forked()
    yield workers
    workers.close()


def run(workers, folder):
    """Run a request that no worker knows; the process that ran it."""
    folder.mkdir()
    (folder / "request.json").write_text(json.dumps({"kind": "unheard of", "sources": {}}))
    workers.start(folder)
    pid, ended, until = None, {}, time.monotonic() + 60
    while not ended:
        assert time.monotonic() < until
        ended = workers.wait(0.1)
        pid = workers.pids.get(folder) or pid
    assert ended == {folder: 0}
    assert json.loads((folder / "outcome.json").read_text())["reason"] == "KeyError: 'unheard of'"
    return pid


def spare(workers):
    """The worker that is forked ahead."""
    until = time.monotonic() + 60
    while len(found := psutil.Process(workers._server.pid).children()) != 1:
        assert time.monotonic() < until
        time.sleep(0.02)
    return found[0]


def test_the_worker_ahead_is_used_once_and_replaced(forked, tmp_path):
    run(forked, tmp_path / "first")
    waiting = spare(forked)
    assert run(forked, tmp_path / "second") in (waiting.pid, None)
    assert spare(forked).pid != waiting.pid


def test_a_worker_ahead_that_was_killed_is_done_without(forked, tmp_path):
    run(forked, tmp_path / "first")
    killed = spare(forked)
    killed.kill()
    until = time.monotonic() + 60
    while killed.is_running() and killed.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.02)
    run(forked, tmp_path / "second")
    assert spare(forked).pid != killed.pid


def test_it_ends_with_its_parent(forked, tmp_path):
    run(forked, tmp_path / "first")
    waiting = spare(forked)
    forked.close()
    assert waiting.wait(5) is None or not waiting.is_running()


def test_warming_up_draws_no_random_number():
    before = torch.get_rng_state()
    warm_up()
    assert torch.equal(torch.get_rng_state(), before)
