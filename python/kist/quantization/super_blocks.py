"""Super-blocks of 256 numbers, whose sub-blocks have quantized scales."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .fields import Bytes, Floats, Numbers, fields, half, halves, quarters, repeated, words
from .simple import IQ4_VALUES


def _f32(values: Numbers) -> Floats:
    return values.astype(np.float32)


def _q2_k(b: Bytes) -> Floats:
    scales = b[:, :16]
    d = repeated(half(b, 80) * _f32(scales & 15), 16)
    minimum = repeated(half(b, 82) * _f32(scales >> 4), 16)
    return d * _f32(quarters(b, 16, 32, 2)) - minimum


def _q3_k(b: Bytes) -> Floats:
    low = halves(b, 96, 8)
    high = quarters(b, 104, 4, 1)
    scales = (low | (high << 4)).astype(np.int8) - 32
    # The third bit of number i is bit i / 32 of byte i % 32.
    third = ((b[:, None, :32] >> np.arange(8, dtype=np.uint8)[:, None]) & 1).reshape(len(b), 256)
    q = (quarters(b, 32, 32, 2) | (third << 2)).astype(np.int8) - 4
    return repeated(half(b, 108) * _f32(scales), 16) * _f32(q)


def _k4_scales(b: Bytes) -> tuple[Numbers, Numbers]:
    """8 scales and 8 minima of 6 bits, in 12 bytes."""
    first, second, third = b[:, 4:8], b[:, 8:12], b[:, 12:16]
    scales = np.concatenate([first & 63, (third & 15) | ((first >> 6) << 4)], axis=1)
    minima = np.concatenate([second & 63, (third >> 4) | ((second >> 6) << 4)], axis=1)
    return scales, minima


def _affine(b: Bytes, q: Numbers) -> Floats:
    scales, minima = _k4_scales(b)
    return repeated(half(b, 0) * _f32(scales), 32) * _f32(q) - repeated(half(b, 2) * _f32(minima), 32)


def _q4_k(b: Bytes) -> Floats:
    return _affine(b, halves(b, 16, 32, 4))


def _q5_k(b: Bytes) -> Floats:
    fifth = ((b[:, None, 16:48] >> np.arange(8, dtype=np.uint8)[:, None]) & 1).reshape(len(b), 256)
    return _affine(b, halves(b, 48, 32, 4) | (fifth << 4))


def _q6_k(b: Bytes) -> Floats:
    low = halves(b, 0, 64, 2)
    q = (low | (quarters(b, 128, 32, 2) << 4)).astype(np.int8) - 32
    return repeated(half(b, 208) * _f32(b[:, 192:208].view(np.int8)), 16) * _f32(q)


def _q8_k(b: Bytes) -> Floats:
    d = words(b, 0, 1, 4).view(np.float32)
    return d * _f32(b[:, 4:260].view(np.int8))


def _iq4_xs(b: Bytes) -> Floats:
    high = (words(b, 2, 1) >> np.arange(0, 16, 2, dtype=np.uint16)) & 3
    scales = (fields(b, 4, 4, 8) | (high << 4).astype(np.uint8)).astype(np.int8) - 32
    return repeated(half(b, 0) * _f32(scales), 32) * IQ4_VALUES[halves(b, 8, 16, 8)]


DECODERS: dict[str, Callable[[Bytes], Floats]] = {
    "Q2_K": _q2_k, "Q3_K": _q3_k, "Q4_K": _q4_k, "Q5_K": _q5_k, "Q6_K": _q6_k, "Q8_K": _q8_k, "IQ4_XS": _iq4_xs,
}  # fmt: skip
