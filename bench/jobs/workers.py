"""Workers: processes that run a folder's request. Forked from the warm server on Linux, else started one by one."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

__all__ = ["Forked", "Spawned", "Workers", "workers"]

FINAL = getattr(signal, "SIGKILL", signal.SIGTERM)
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


class Workers(ABC):
    """Starts workers and tells when they end."""

    def __init__(self) -> None:
        self.pids: dict[Path, int | None] = {}

    def prepare(self, folder: Path) -> None:
        """Be told which folder is likely to be started next; where a worker can get ready for it, it does."""
        return

    @abstractmethod
    def start(self, folder: Path) -> None:
        """Begin to run folder/request.json."""

    @abstractmethod
    def wait(self, timeout: float) -> dict[Path, int]:
        """The folders whose worker has ended, with its exit code (negative: the signal), after `timeout` seconds."""

    @abstractmethod
    def close(self) -> None:
        """End all that runs."""

    def signal(self, folder: Path, number: int) -> None:
        """Send a signal to a worker and to all that it started."""
        pid = self.pids.get(folder)
        if pid is not None:
            for send in (os.killpg, os.kill) if hasattr(os, "killpg") else (os.kill,):
                with suppress(ProcessLookupError, PermissionError):
                    send(pid, number)
                    return


class Forked(Workers):
    """Workers forked from a warm server, which ends them all if this process is no more."""

    def __init__(self) -> None:
        super().__init__()
        self._socket: socket.socket | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._ended: dict[Path, int] = {}

    def start(self, folder: Path) -> None:
        if self._socket is None:
            self._open()
        assert self._socket is not None
        self.pids[folder] = None
        self._send({"folder": str(folder)})

    def prepare(self, folder: Path) -> None:
        if self._socket is not None:
            self._send({"next": str(folder)})

    def _send(self, message: dict[str, str]) -> None:
        assert self._socket is not None
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def wait(self, timeout: float) -> dict[Path, int]:
        if self._socket is None:
            time.sleep(timeout)
            return {}
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            if selector.select(timeout):
                self._receive()
        ended, self._ended = self._ended, {}
        return ended

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._server is not None:
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(2 if any(self.pids.values()) else 0)  # it ends its workers, and has to be given time
            self._server.kill()
            self._server.wait()
            self._server = None
        self.pids.clear()

    def _open(self) -> None:
        ours, theirs = socket.socketpair()
        self._server = subprocess.Popen(
            [sys.executable, "-m", "bench.jobs.server", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | ENVIRONMENT,
        )
        theirs.close()
        self._socket = ours

    def _receive(self) -> None:
        assert self._socket is not None
        try:
            received = self._socket.recv(65536)
        except ConnectionResetError:
            received = b""
        if not received:  # the server itself has died, and its workers with it
            self._ended |= dict.fromkeys(self.pids, -signal.SIGKILL)
            for folder in self.pids:
                self.signal(folder, signal.SIGKILL)
            self.close()
            return
        *lines, self._rest = (self._rest + received).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "folder" in message:
                self.pids[Path(message["folder"])] = message["pid"]
            elif "status" in message:
                folder = next(folder for folder, pid in self.pids.items() if pid == message["pid"])
                del self.pids[folder]
                self._ended[folder] = os.waitstatus_to_exitcode(message["status"])


class Spawned(Workers):
    """Workers started one by one: macOS, Windows, clusters."""

    def __init__(self) -> None:
        super().__init__()
        self._running: dict[Path, subprocess.Popen[bytes]] = {}

    def start(self, folder: Path) -> None:
        self._running[folder] = subprocess.Popen(
            [sys.executable, "-m", "bench.jobs.worker", str(folder)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | ENVIRONMENT,
        )
        self.pids[folder] = self._running[folder].pid

    def wait(self, timeout: float) -> dict[Path, int]:
        until = time.monotonic() + timeout
        while True:
            ended = {f: code for f, process in self._running.items() if (code := process.poll()) is not None}
            if ended or time.monotonic() > until:
                break
            time.sleep(0.02)
        for folder in ended:
            self.signal(folder, FINAL)
            del self._running[folder], self.pids[folder]
        return ended

    def close(self) -> None:
        for folder in list(self._running):
            self.signal(folder, FINAL)
        for process in self._running.values():
            process.wait()
        self._running.clear()
        self.pids.clear()


def workers() -> Workers:
    """The kind of workers that this platform has; BENCH_WORKERS=spawn asks for the plain kind."""
    return Forked() if sys.platform == "linux" and os.environ.get("BENCH_WORKERS") != "spawn" else Spawned()
