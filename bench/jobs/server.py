"""The warm server: torch imported once and never used, a fork for every worker, all ended when its socket closes.

`python -m bench.jobs.server FD` reads lines {"folder": F} from the socket FD, has a worker in a session of its own run
F/request.json, answers {"folder": F, "pid": P}, and later {"pid": P, "status": waitstatus}. When nothing else is to do
it forks a worker ahead, which waits for its folder.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PRELOADED = ("bench.jobs.work", "bench.oracles", "bench.representations.vae", "bench.representations.identity", "zuko")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def serve(channel: socket.socket) -> None:
    """Fork workers until the socket closes, then kill what is left of them."""
    _preload()
    gc.freeze()
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken, waker = socket.socketpair()
    woken.setblocking(False)
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    selector = selectors.DefaultSelector()
    selector.register(channel, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    running: set[int] = set()
    spare: _Worker | None = None
    rest = b""
    _send(channel, {"ready": os.getpid()})
    try:
        while True:
            ready = {key.fileobj for key, _ in selector.select(None if spare else 0)}
            if not ready:
                spare = spare or _Worker(channel)
            if woken in ready:
                with suppress(BlockingIOError):
                    woken.recv(4096)
                _reap(channel, running, spare)
            if channel in ready:
                received = b""
                with suppress(ConnectionResetError):
                    received = channel.recv(65536)
                if not received:
                    return
                *lines, rest = (rest + received).split(b"\n")
                for line in lines:
                    folder = json.loads(line)["folder"]
                    worker = spare if spare and spare.takes(folder) else _Worker(channel, folder)
                    spare = None
                    running.add(worker.pid)
                    _send(channel, {"folder": folder, "pid": worker.pid})
    finally:
        signal.set_wakeup_fd(-1)
        for pid in running:
            _kill(pid, os.killpg)
            _kill(pid)
        for stray in _children():
            _kill(stray)


def _preload() -> None:
    """Import what most workers need, and what pydantic imports when it is first used."""
    for module in PRELOADED:
        with suppress(ImportError):
            importlib.import_module(module)
    from pydantic import TypeAdapter

    from bench.plugins import Plugin

    TypeAdapter(Plugin)


def _send(channel: socket.socket, message: dict[str, object]) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):
        channel.sendall(json.dumps(message).encode() + b"\n")


def _reap(channel: socket.socket, running: set[int], spare: _Worker | None) -> None:
    """Tell of the workers that have ended, and end what they left behind."""
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        if pid in running:  # else a stray
            running.remove(pid)
            _kill(pid, os.killpg)
            for stray in _children() - running - {spare.pid if spare else pid}:
                _kill(stray)
            _send(channel, {"pid": pid, "status": status})


def _children() -> set[int]:
    """The workers, and what workers that have ended started in sessions of its own."""
    with suppress(OSError):
        return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}
    return set()


def _kill(pid: int, kill: Callable[[int, int], None] = os.kill) -> None:
    with suppress(ProcessLookupError, PermissionError):
        kill(pid, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


class _Worker:
    """A forked worker, which runs one folder.

    Arguments:
        folder: what it runs; None: it waits to be told by `takes`.
    """

    def __init__(self, channel: socket.socket, folder: str | None = None) -> None:
        server = os.getpid()
        reading, self._writing = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._writing)
            _be_worker(server, channel, reading)
        os.close(reading)
        if folder is not None:
            self.takes(folder)

    def takes(self, folder: str) -> bool:
        """Tell it what to run; False if it is no more."""
        try:
            os.write(self._writing, os.fsencode(folder))
        except BrokenPipeError:
            return False
        finally:
            os.close(self._writing)
        return True


def _be_worker(server: int, channel: socket.socket, reading: int) -> None:
    """What a forked process does until its end."""
    code = 1
    try:
        os.setsid()
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server:  # it died before it could be tied to us
            os._exit(code)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        channel.close()
        from bench.jobs import worker

        worker.warm_up()
        with open(reading, "rb") as told:
            folder = told.read()
        code = worker.main(Path(os.fsdecode(folder))) if folder else 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
