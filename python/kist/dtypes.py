"""The dtypes of kist-format.md ("Dtypes"), and what they are in NumPy and in safetensors.

A *unit* is the least number of bytes that holds whole elements; a *component* is what the transforms take apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

__all__ = ["BYTES", "BY_NAME", "DTYPES", "MAX_CHUNK", "Dtype", "of_numpy"]

MAX_CHUNK = 1 << 20

Field = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Dtype:
    code: int
    name: str
    elements: int  # of a unit
    unit: int  # bytes
    component: int  # bytes
    numpy: np.dtype[Any] | None  # None: blocks, which are given as rows of bytes
    rotates: bool = False  # whether float planes are for it
    fields: tuple[Field, ...] = ()  # of a block

    @property
    def chunk_length(self) -> int:
        """Raw bytes per chunk: the most whole units that fit 1 MiB."""
        return MAX_CHUNK // self.unit * self.unit

    @property
    def is_blocks(self) -> bool:
        """Whether elements share scales in blocks."""
        return self.code >= 256

    @property
    def is_plain(self) -> bool:
        """Whether an array's memory is the content as it is: all but blocks, F4, F6, and BOOL, whose true is any byte."""
        return self.elements == 1 and self.code > 1

    @property
    def is_packed(self) -> bool:
        """Whether a byte holds parts of several elements: F4, F6."""
        return self.elements > 1 and not self.is_blocks


def _plain(code: int, name: str, numpy: Any, component: int = 0, rotates: bool = False) -> Dtype:
    dtype = np.dtype(numpy)
    return Dtype(code, name, 1, dtype.itemsize, component or dtype.itemsize, dtype, rotates)


_FIXED = [
    _plain(1, "BOOL", np.bool_),
    _plain(2, "U8", "u1"),
    _plain(3, "I8", "i1"),
    _plain(4, "U16", "<u2"),
    _plain(5, "I16", "<i2"),
    _plain(6, "U32", "<u4"),
    _plain(7, "I32", "<i4"),
    _plain(8, "U64", "<u8"),
    _plain(9, "I64", "<i8"),
    _plain(16, "F16", "<f2", rotates=True),
    _plain(17, "BF16", ml_dtypes.bfloat16, rotates=True),
    _plain(18, "F32", "<f4", rotates=True),
    _plain(19, "F64", "<f8", rotates=True),
    _plain(20, "C64", "<c8", component=4, rotates=True),
    _plain(32, "F8_E4M3", ml_dtypes.float8_e4m3fn),
    _plain(33, "F8_E5M2", ml_dtypes.float8_e5m2),
    _plain(34, "F8_E8M0", ml_dtypes.float8_e8m0fnu),
    _plain(35, "F8_E4M3FNUZ", ml_dtypes.float8_e4m3fnuz),
    _plain(36, "F8_E5M2FNUZ", ml_dtypes.float8_e5m2fnuz),
    Dtype(40, "F6_E2M3", 4, 3, 1, np.dtype(ml_dtypes.float6_e2m3fn)),
    Dtype(41, "F6_E3M2", 4, 3, 1, np.dtype(ml_dtypes.float6_e3m2fn)),
    Dtype(42, "F4", 2, 1, 1, np.dtype(ml_dtypes.float4_e2m1fn)),
]

# GGML's block types: name: ggml_type, elements of a block, its fields, each as (bytes of a number, numbers). The code is
# 256 + ggml_type.
_BLOCKS: dict[str, tuple[int, int, tuple[Field, ...]]] = {
    "Q4_0": (2, 32, ((2, 1), (1, 16))),
    "Q4_1": (3, 32, ((2, 1), (2, 1), (1, 16))),
    "Q5_0": (6, 32, ((2, 1), (1, 4), (1, 16))),
    "Q5_1": (7, 32, ((2, 1), (2, 1), (1, 4), (1, 16))),
    "Q8_0": (8, 32, ((2, 1), (1, 32))),
    "Q8_1": (9, 32, ((2, 1), (2, 1), (1, 32))),
    "Q2_K": (10, 256, ((1, 16), (1, 64), (2, 1), (2, 1))),
    "Q3_K": (11, 256, ((1, 32), (1, 64), (1, 8), (1, 4), (2, 1))),
    "Q4_K": (12, 256, ((2, 1), (2, 1), (1, 4), (1, 4), (1, 4), (1, 128))),
    "Q5_K": (13, 256, ((2, 1), (2, 1), (1, 4), (1, 4), (1, 4), (1, 32), (1, 128))),
    "Q6_K": (14, 256, ((1, 128), (1, 64), (1, 16), (2, 1))),
    "Q8_K": (15, 256, ((4, 1), (1, 256), (2, 16))),
    "IQ2_XXS": (16, 256, ((2, 1), (8, 8))),
    "IQ2_XS": (17, 256, ((2, 1), (2, 32), (1, 8))),
    "IQ3_XXS": (18, 256, ((2, 1), (1, 64), (4, 8))),
    "IQ1_S": (19, 256, ((2, 1), (1, 32), (2, 8))),
    "IQ4_NL": (20, 32, ((2, 1), (1, 16))),
    "IQ3_S": (21, 256, ((2, 1), (1, 64), (1, 8), (1, 32), (1, 4))),
    "IQ2_S": (22, 256, ((2, 1), (1, 32), (1, 32), (1, 8), (1, 8))),
    "IQ4_XS": (23, 256, ((2, 1), (1, 2), (1, 4), (1, 128))),
    "IQ1_M": (29, 256, ((1, 32), (1, 16), (8, 1))),
    "TQ1_0": (34, 256, ((1, 48), (1, 4), (2, 1))),
    "TQ2_0": (35, 256, ((1, 64), (2, 1))),
    "MXFP4": (39, 32, ((1, 1), (1, 16))),
    "NVFP4": (40, 64, ((1, 4), (1, 32))),
    "Q1_0": (41, 128, ((2, 1), (1, 16))),
    "Q2_0": (42, 64, ((2, 1), (1, 16))),
}


def _block(name: str, kind: int, elements: int, fields: tuple[Field, ...]) -> Dtype:
    size = sum(width * count for width, count in fields)
    return Dtype(256 + kind, name, elements, size, 1, None, fields=fields)


DTYPES = {dtype.code: dtype for dtype in _FIXED} | {
    256 + kind: _block(name, kind, elements, fields) for name, (kind, elements, fields) in _BLOCKS.items()
}
BY_NAME = {dtype.name: dtype for dtype in DTYPES.values()}
BYTES = Dtype(0, "-", 1, 1, 1, np.dtype(np.uint8))

_OF_NUMPY = {dtype.numpy: dtype for dtype in _FIXED if dtype.numpy is not None}


def of_numpy(dtype: np.dtype[Any]) -> Dtype | None:
    """The dtype that stores arrays of a NumPy or ml_dtypes dtype, of any byte order; None when there is none."""
    return _OF_NUMPY.get(dtype.newbyteorder("<"))
