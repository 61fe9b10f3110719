"""Files are found, fetched and verified; the mirrors stand on 127.0.0.1."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.data import Source
from bench.errors import BenchError
from bench.paths import cache_root

CONTENT = b"seventy thousand digits" * 1000
NAME = "images.gz"
REFUSED = "http://127.0.0.1:9/"


@dataclass
class Mirror:
    """A server whose answers a test decides: path -> (status, announced length, body)."""

    url: str
    answers: dict[str, tuple[int, int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def serve(self, place: str, body: bytes, status: int = 200, announce: int | None = None) -> str:
        self.answers[f"/{place}/{NAME}"] = (status, len(body) if announce is None else announce, body)
        return f"{self.url}/{place}/"


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            status, length, body = state.answers[self.path]
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Mirror(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BENCH_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


def source(*mirrors: str) -> Source:
    return Source("digits", {NAME: hashlib.sha256(CONTENT).hexdigest()}, mirrors, timeout=2)


def left_behind(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def test_download_is_kept_in_the_cache(mirror):
    one = source(mirror.serve("a", CONTENT))
    path = one.find(NAME)
    assert path == cache_root() / "data" / "digits" / NAME
    assert path.read_bytes() == CONTENT
    assert one.find(NAME) == path
    assert len(mirror.asked) == 1


@pytest.mark.parametrize("fault", ["missing", "error", "checksum", "truncated", "refused"])
def test_a_mirror_that_fails_is_passed_over(mirror, folders, fault):
    bad = {
        "missing": lambda: mirror.serve("bad", b"", status=404),
        "error": lambda: mirror.serve("bad", b"", status=503),
        "checksum": lambda: mirror.serve("bad", CONTENT[::-1]),
        "truncated": lambda: mirror.serve("bad", CONTENT[:1000], announce=len(CONTENT)),
        "refused": lambda: REFUSED,
    }[fault]()
    assert source(bad, mirror.serve("good", CONTENT)).find(NAME).read_bytes() == CONTENT
    assert left_behind(folders) == [NAME]


@pytest.mark.parametrize(
    ("status", "body", "announce", "says"),
    [
        (404, b"", None, "HTTP 404"),
        (200, b"another file", None, "wrong checksum"),
        (200, CONTENT[:1000], len(CONTENT), "ChunkedEncodingError"),
    ],
)
def test_no_mirror_left_is_one_line_and_leaves_nothing(mirror, folders, status, body, announce, says):
    with pytest.raises(BenchError, match=says) as error:
        source(REFUSED, mirror.serve("a", body, status, announce)).find(NAME)
    text = str(error.value)
    assert "\n" not in text
    assert f"digits/{NAME}" in text
    assert str(cache_root() / "data" / "digits" / NAME) in text
    assert hashlib.sha256(CONTENT).hexdigest() in text
    assert left_behind(folders) == []


def test_a_damaged_file_in_the_cache_is_fetched_again(mirror):
    one = source(mirror.serve("a", CONTENT))
    path = one.find(NAME)
    path.write_bytes(CONTENT[:100])
    assert one.find(NAME).read_bytes() == CONTENT


def test_folders_of_bench_data_come_first(folders, monkeypatch):
    for name in ("first", "second"):
        (folders / name / "digits").mkdir(parents=True)
    (folders / "second" / "digits" / NAME).write_bytes(CONTENT)
    monkeypatch.setenv("BENCH_DATA", f"{folders / 'first'}:{folders / 'second'}")
    assert source().find(NAME) == folders / "second" / "digits" / NAME


def test_a_damaged_file_in_bench_data_is_named(folders, monkeypatch):
    (folders / "digits").mkdir()
    (folders / "digits" / NAME).write_bytes(b"other")
    monkeypatch.setenv("BENCH_DATA", str(folders))
    with pytest.raises(BenchError, match=r"sha256 is d9298a.*, expected ") as error:
        source().find(NAME)
    assert str(folders / "digits" / NAME) in str(error.value)
