"""The warm server: torch imported once and never used, a fork for every worker, all ended when its socket closes.

`python -m bench.jobs.server FD` reads lines {"folder": F} from the socket FD, has a worker in a session of its own run
F/request.json, answers {"folder": F, "pid": P}, and later {"pid": P, "status": waitstatus}. When nothing else is to do
it forks a worker ahead, which waits for its folder; told {"next": F}, that worker imports what F/request.json needs.
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
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

PRELOADED = ("bench.jobs.work", "bench.oracles", "bench.representations.vae", "bench.representations.identity", "zuko")
LIBC = ctypes.CDLL(None)
END = struct.Struct("ii")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
MADV_COLLAPSE = 25
HUGE = 2 << 20
SOME, MANY = 4, 20
LATER = "torch._dynamo"


def serve(channel: socket.socket) -> None:
    """Fork workers until the socket closes, then kill what is left of them."""
    _preload()
    gc.freeze()
    chores = _chores()
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken, waker = socket.socketpair()
    woken.setblocking(False)
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    ends, end = os.pipe()
    selector = selectors.DefaultSelector()
    for source in (channel, woken, ends):
        selector.register(source, selectors.EVENT_READ)
    workers = _Workers(channel, end)
    rest = b""
    _send(channel, {"ready": os.getpid()})
    try:
        while True:
            due = bool(chores) and workers.started > chores[-1][0]
            ready = {key.fileobj for key, _ in selector.select(None if workers.spare and not due else 0)}
            if not ready and not workers.spare:
                workers.fork_ahead()
            elif not ready and due:
                chores.pop()[1]()
            if ends in ready:
                workers.told(os.read(ends, 64 * END.size))
            if woken in ready:
                with suppress(BlockingIOError):
                    woken.recv(4096)
                workers.reap()
            if channel in ready:
                received = b""
                with suppress(ConnectionResetError):
                    received = channel.recv(65536)
                if not received:
                    return
                *lines, rest = (rest + received).split(b"\n")
                for line in lines:
                    message = json.loads(line)
                    if "next" in message:
                        workers.fork_ahead(message["next"])
                    else:
                        workers.start(message["folder"])
    finally:
        signal.set_wakeup_fd(-1)
        workers.kill()


class _Workers:
    """The forked workers, their ends told to whoever asked for them.

    Arguments:
        channel: where to tell.
        end: the pipe into which a worker writes, as END, its pid and exit code when its work is done: the kernel takes
            milliseconds to take apart the memory of its process.
    """

    def __init__(self, channel: socket.socket, end: int) -> None:
        self.channel = channel
        self.end = end
        self.started = 0
        self.running: set[int] = set()
        self.leaving: set[int] = set()
        self.spare: _Worker | None = None

    def fork_ahead(self, folder: str | None = None) -> None:
        """Have a worker ready, for that folder if it is known; one that is ready for another gives way."""
        if self.spare and self.spare.folder and folder:
            self.spare.drop()
            self.spare = None
        self.spare = self.spare or _Worker(self.channel, self.end)
        if folder:
            self.spare.prepare(folder)

    def start(self, folder: str) -> None:
        worker = self.spare if self.spare and self.spare.folder in (None, folder) else None
        if worker:
            self.spare = None
        if worker is None or not worker.run(folder):
            worker = _Worker(self.channel, self.end)
            worker.run(folder)
        self.started += 1
        self.running.add(worker.pid)
        _send(self.channel, {"folder": folder, "pid": worker.pid})

    def told(self, ends: bytes) -> None:
        """The workers that say that they are done are, and what they left in their session is killed with them."""
        for pid, code in END.iter_unpack(ends):
            if pid in self.running:
                self.leaving.add(pid)
                self._ended(pid, code << 8)

    def reap(self) -> None:
        """Tell of the workers that have ended otherwise, and end what they left behind."""
        while self.running or self.leaving:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            if pid in self.running:
                self._ended(pid, status)
            elif pid not in self.leaving:  # a stray
                continue
            self.leaving.discard(pid)
            for stray in _children() - self.running - self.leaving - {self.spare.pid if self.spare else pid}:
                _kill(stray)

    def _ended(self, pid: int, status: int) -> None:
        self.running.remove(pid)
        _kill(pid, os.killpg)
        _send(self.channel, {"pid": pid, "status": status})

    def kill(self) -> None:
        for pid in self.running:
            _kill(pid, os.killpg)
            _kill(pid)
        for stray in _children():
            _kill(stray)


def _preload() -> None:
    """Import what most workers need, and what pydantic imports when it is first used."""
    for module in PRELOADED:
        _import(module)
    from pydantic import TypeAdapter

    from bench.plugins import Plugin

    TypeAdapter(Plugin)
    from bench.jobs import worker

    worker.warm_up()


def _chores() -> list[tuple[int, Callable[[], object]]]:
    """What makes workers cheaper and is not worth it for a few: (after how many, what), the next one last.

    Done when the server has nothing else to do. LATER is what torch imports, in a second, where a worker first
    differentiates along a tangent that is zero.
    """
    joins = [(MANY, partial(_join, page)) for page in _small_pages()]
    return [*joins, (SOME, partial(_import, LATER))]


def _import(module: str) -> None:
    with suppress(ImportError):
        importlib.import_module(module)


def _join(page: int) -> None:
    """Ask for a huge page.

    To fork, and to take a worker's memory apart, the kernel then goes through dozens of pages instead of tens of
    thousands; what a worker writes to is still copied by small pages. A kernel that cannot do it says so, and no harm
    is done.
    """
    LIBC.madvise(ctypes.c_void_p(page), ctypes.c_size_t(HUGE), MADV_COLLAPSE)


def _small_pages() -> list[int]:
    """Where our memory could be a huge page."""
    found: list[int] = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, access, _, _, inode, *_ = line.split()
        if access == "rw-p" and inode == "0":
            start, end = (int(address, 16) for address in span.split("-"))
            found += range(-(-start // HUGE) * HUGE, end - HUGE + 1, HUGE)
    return found


def _send(channel: socket.socket, message: dict[str, object]) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):
        channel.sendall(json.dumps(message).encode() + b"\n")


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
        LIBC.prctl(option, value)


class _Worker:
    """A forked worker, which is told to prepare for a folder, and to run it."""

    def __init__(self, channel: socket.socket, end: int) -> None:
        self.folder: str | None = None
        server = os.getpid()
        reading, self._writing = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._writing)
            _be_worker(server, channel, end, reading)
        os.close(reading)

    def prepare(self, folder: str) -> None:
        """Have it import what the request in a folder needs."""
        self.folder = folder
        self._tell(folder)

    def run(self, folder: str) -> bool:
        """Have it run a folder; False if it is no more."""
        if self.folder is None:
            self.prepare(folder)
        alive = self._tell("go")
        os.close(self._writing)
        return alive

    def drop(self) -> None:
        """Do without it."""
        os.close(self._writing)
        _kill(self.pid)

    def _tell(self, order: str) -> bool:
        with suppress(BrokenPipeError):
            return os.write(self._writing, json.dumps(order).encode() + b"\n") > 0
        return False


def _be_worker(server: int, channel: socket.socket, end: int, reading: int) -> None:
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
        with open(reading, "rb") as orders:
            order = orders.readline()
            if not order:  # it was forked ahead, and is not needed
                os._exit(0)
            folder = Path(json.loads(order))
            go = cache(orders.readline)
            code = worker.main(folder, go)
            go()
        os.write(end, END.pack(os.getpid(), code))
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
