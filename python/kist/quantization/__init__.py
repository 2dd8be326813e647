"""GGML's block types, from blocks to numbers. Layouts are those of the `block_` structs in llama.cpp's ggml-common.h."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..dtypes import BY_NAME
from ..errors import KistError
from . import grids, simple, super_blocks

__all__ = ["dequantize", "quantized_types"]

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

# Each takes blocks [n, bytes] and gives numbers [n, elements].
_DECODERS: dict[str, Callable[[Bytes], Floats]] = {**simple.DECODERS, **super_blocks.DECODERS, **grids.DECODERS}

_BLOCKS_AT_ONCE = 1 << 14  # bounds what is held besides the result


def quantized_types() -> list[str]:
    """The dtypes that `dequantize` knows."""
    return sorted(_DECODERS)


def dequantize(blocks: NDArray[np.uint8], dtype: str, shape: Sequence[int] | None = None) -> Floats:
    """Numbers from blocks of a GGML type, as f32: what llama.cpp computes, bit by bit.

        with safe_open("model.kist", framework="np") as f:
            part = f.get_slice("blk.0.ffn_up.weight")
            weights = kist.dequantize(f.get_tensor("blk.0.ffn_up.weight"), part.get_dtype(), part.get_shape())

    Args:
        blocks: bytes, as `get_tensor` gives them: [.., bytes of a row].
        dtype: the type's name, such as `"Q4_K"`.
        shape: of the result; by default that of `blocks` with its rows in elements.
    """
    decode = _DECODERS.get(dtype)
    if decode is None:
        known = ", ".join(quantized_types())
        raise KistError("", f"dtype {dtype}", f"is not a type that is dequantized; those are {known}")
    kind = BY_NAME[dtype]
    raw = np.ascontiguousarray(blocks).view(np.uint8)
    if raw.size % kind.unit:
        raise KistError("", f"dtype {dtype}", f"{raw.size} bytes are no whole number of blocks of {kind.unit}")
    if shape is None:
        row = raw.shape[-1] if raw.ndim else 0
        whole = raw.ndim > 1 and row % kind.unit == 0
        shape = (*raw.shape[:-1], row // kind.unit * kind.elements) if whole else (raw.size // kind.unit * kind.elements,)
    rows = raw.reshape(-1, kind.unit)
    out = np.empty((len(rows), kind.elements), np.float32)
    if out.size != int(np.prod(shape, dtype=np.int64)):
        raise KistError("", f"dtype {dtype}", f"{out.size} elements do not fill the shape {list(shape)}")
    with np.errstate(all="ignore"):  # scales may be infinite or no numbers
        for start in range(0, len(rows), _BLOCKS_AT_ONCE):
            out[start : start + _BLOCKS_AT_ONCE] = decode(rows[start : start + _BLOCKS_AT_ONCE])
    return out.reshape(tuple(shape))
