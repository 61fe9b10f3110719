"""Where data files come from: a folder of BENCH_DATA, the cache, or a mirror."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pooch

from bench.errors import BenchError
from bench.paths import cache_root, data_folders

__all__ = ["Source"]


@dataclass(frozen=True)
class Source:
    """Published files that belong together.

    Arguments:
        folder: the subfolder in which they lie, in BENCH_DATA as in the cache.
        sha256: file name -> published checksum, hexadecimal; "md5:..." where only that is published.
        mirrors: base URLs, each ending in "/", in the order in which they are tried.
        timeout: seconds until a silent mirror is given up.
    """

    folder: str
    sha256: Mapping[str, str]
    mirrors: tuple[str, ...]
    timeout: float = 20

    def find(self, name: str) -> Path:
        """The file of this name, its checksum verified; downloaded into the cache where no folder holds it.

        Raises:
            BenchError: a file with another content, or no file and no mirror that delivers it.
        """
        for folder in data_folders():
            path = folder / self.folder / name
            if path.is_file():
                return self.verified(path)
        return self.download(name)

    def verified(self, path: Path) -> Path:
        """The path, if the content is the published one; BenchError if it is not."""
        kind, _, wanted = self._checksum(path.name).partition(":")
        found = pooch.file_hash(str(path), alg=kind)
        if found != wanted:
            raise BenchError(
                f"{path}: {kind} is {found}, expected {wanted}",
                "the file is damaged or another one; replace it, or remove it to have it downloaded",
            )
        return path

    def download(self, name: str) -> Path:
        """The file in the cache, fetched from the first mirror that delivers the published content."""
        cache = cache_root() / "data" / self.folder
        refusals = []
        for mirror in self.mirrors:
            try:
                fetched = pooch.retrieve(
                    mirror + name,
                    known_hash=self._checksum(name),
                    fname=name,
                    path=cache,
                    downloader=pooch.HTTPDownloader(timeout=self.timeout),
                )
                return Path(fetched)
            except (OSError, ValueError) as error:
                refusals.append(f"{mirror}: {_why(error)}")
        raise BenchError(
            f"{self.folder}/{name} is in no folder of BENCH_DATA and no mirror delivers it [{'; '.join(refusals)}]",
            f"put it at {cache / name} or in {self.folder}/ of a BENCH_DATA folder; it has {self._checksum(name)}",
        )

    def _checksum(self, name: str) -> str:
        """The kind of a file's checksum, a colon, and the checksum."""
        published = self.sha256[name]
        return published if ":" in published else f"sha256:{published}"


def _why(error: Exception) -> str:
    """A mirror's refusal in a few words."""
    if isinstance(error, ValueError):
        return "wrong checksum"
    response = getattr(error, "response", None)
    return f"HTTP {response.status_code}" if response is not None else type(error).__name__
