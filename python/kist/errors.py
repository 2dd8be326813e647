"""What can go wrong with a file, in one exception that says where."""

from __future__ import annotations

__all__ = ["KistError", "KistIndexError", "KistMissingError"]


class KistError(Exception):
    """What is wrong (`message`), in which `field` of which `file`, at which byte `offset` where one can be named."""

    def __init__(self, file: str, field: str, message: str, offset: int | None = None) -> None:
        super().__init__(file, field, message, offset)
        self.file = file
        self.field = field
        self.message = message
        self.offset = offset

    def __str__(self) -> str:
        place = "" if self.offset is None else f" (at byte {self.offset})"
        return ": ".join(part for part in (self.file, self.field, self.message) if part) + place


class KistMissingError(KistError, FileNotFoundError):
    """There is no such file. Also a `FileNotFoundError`, as callers of `open` expect."""


class KistIndexError(KistError, IndexError):
    """A slice reaches outside the tensor. Also an `IndexError`."""
