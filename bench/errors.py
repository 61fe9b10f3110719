"""The exceptions that a user is meant to see."""

from __future__ import annotations

__all__ = ["BenchError", "Unsuitable"]


class BenchError(Exception):
    """What happened, and what to do about it.

    Arguments:
        message: one line, what was wrong and what is allowed.
        hint: one line, what to do.
        usage: whether the request itself was wrong, rather than the world.
    """

    def __init__(self, message: str, hint: str = "", *, usage: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.usage = usage

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class Unsuitable(BenchError):
    """A model cannot learn from such samples, or under such an action: the run is skipped, which says nothing of it."""
