"""Reads and writes Kist files: losslessly packed, checked, memory-mapped containers for model weights.

    from kist import safe_open                            # safetensors' interface
    from kist.numpy import load_file, save_file           # all tensors at once; also kist.load_file, kist.save_file
    from kist.torch import load_file, save_file, load_model, save_model
    from kist.transformers import from_pretrained         # a model and its tokenizer

The format is spec/kist-format.md.
"""

import os

from .errors import KistError, KistIndexError, KistMissingError
from .file import KistFile
from .numpy import load_file, save_file
from .opener import safe_open
from .quantization import dequantize
from .sets import open_set
from .signatures import signed_by
from .writer import Writer

__version__ = "0.1.0"
__all__ = [
    "KistError",
    "KistFile",
    "KistIndexError",
    "KistMissingError",
    "Writer",
    "dequantize",
    "load_file",
    "open_set",
    "safe_open",
    "save_file",
    "signed_by",
    "verify",
]


def verify(path: str | os.PathLike[str]) -> None:
    """Checks every byte of a file: SHA-256 of all content, digests, signatures. Raises `KistError` for the first fault."""
    KistFile(path).verify()
