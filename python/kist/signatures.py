"""Ed25519 signatures of the package digest. Needs the package `cryptography`; without it only their form is checked."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

from .errors import KistError
from .layout import SIGNATURE

if TYPE_CHECKING:
    from .file import KistFile

__all__ = ["check_signature", "signed_by"]


def check_signature(file: str, name: str, read: Callable[[], bytes], package_digest: bytes) -> bytes:
    """Checks one `kist:signature/…` record and gives the public key that signed."""
    content = read()
    field = f"record {name!r}"
    if len(content) != 96:
        raise KistError(file, f"{field}: raw length", f"{len(content)} instead of 96")
    key, signature = content[:32], content[32:]
    expected = SIGNATURE + sha256(key).hexdigest()[:16]
    if name != expected:
        raise KistError(file, f"{field}: name", f"its public key makes it {expected!r}")
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return key
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, package_digest)
    except (InvalidSignature, ValueError) as error:
        raise KistError(file, f"{field}: signature", "not one of this package digest") from error
    return key


def signed_by(file: KistFile, public_key: bytes) -> None:
    """Raises unless the file has a right signature of this key: 32 bytes, or PEM as `kist keygen` writes it.

    What is signed is the package digest: call `file.verify()` too, so that it is known to be that of the content.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError as error:
        raise KistError(file.path, "signature", "checking it needs the package cryptography") from error
    raw = public_key
    if len(public_key) != 32:
        try:
            key = load_pem_public_key(public_key)
        except ValueError as error:
            raise KistError(file.path, "public key", "neither 32 bytes nor PEM") from error
        if not isinstance(key, Ed25519PublicKey):
            raise KistError(file.path, "public key", "not an Ed25519 key")
        raw = key.public_bytes_raw()
    name = SIGNATURE + sha256(raw).hexdigest()[:16]
    if name not in file.index.records:
        raise KistError(file.path, "signature", "not signed with this key")
    check_signature(file.path, name, lambda: file.record(name), file.package_digest)
