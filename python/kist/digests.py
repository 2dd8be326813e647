"""The digests of kist-format.md ("Digests"): of leaves, of weights, of a package."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from .layout import RECORD, SIGNATURE, TENSOR

__all__ = ["Digested", "package_digests"]


class Digested(NamedTuple):
    """What the digests say of an entry."""

    name: bytes
    kind: int
    dtype_code: int
    shape: tuple[int, ...]
    digest: bytes


def package_digests(entries: Iterable[Digested]) -> tuple[bytes, bytes]:
    """The weights digest and the package digest of entries in entry order."""
    weights, package = sha256(), sha256()
    signature = SIGNATURE.encode()
    for name, kind, code, shape, digest in entries:
        text = struct.pack("<I", len(name)) + name
        text += struct.pack(f"<BHI{len(shape)}Q", kind, code, len(shape), *shape) + digest
        if kind == TENSOR:
            weights.update(text)
        if not (kind == RECORD and name.startswith(signature)):
            package.update(text)
    return weights.digest(), package.digest()
