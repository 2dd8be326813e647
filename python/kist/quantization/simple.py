"""Types with one scale a block, and the ternary ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .fields import Bytes, Floats, Numbers, fields, half, halves, quarters, repeated

IQ4_VALUES = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32)
_DOUBLED_E2M1 = np.array([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], np.float32)


def _half_of_e8m0() -> Floats:
    """2^(e - 128) for each byte e; the first two are subnormal."""
    bits = (np.maximum(np.arange(256, dtype=np.uint32), 1) - 1) << 23
    bits[:2] = 0x0020_0000, 0x0040_0000
    return bits.astype(np.uint32).view(np.float32)


def _half_of_ue4m3() -> Floats:
    """Half of an unsigned E4M3 number for each byte; 7F is 0, and the highest bit means nothing."""
    x = np.arange(256)
    exponent, mantissa = x >> 3 & 15, x & 7
    values = np.where(exponent == 0, mantissa * 2.0**-10, 2.0 ** (exponent - 8.0) * (1 + mantissa / 8))
    values[0x7F] = 0
    return values.astype(np.float32)


_E8M0 = _half_of_e8m0()
_UE4M3 = _half_of_ue4m3()


def _fives(b: Bytes, high: int, low: int) -> Numbers:
    """Numbers of 5 bits: the highest apart."""
    numbers: Numbers = halves(b, low, 16) | (fields(b, high, 1, 32) << 4)
    return numbers


def _q4_0(b: Bytes) -> Floats:
    return (halves(b, 2, 16).astype(np.float32) - 8) * half(b, 0)


def _q4_1(b: Bytes) -> Floats:
    return halves(b, 4, 16).astype(np.float32) * half(b, 0) + half(b, 2)


def _q5_0(b: Bytes) -> Floats:
    return (_fives(b, 2, 6).astype(np.float32) - 16) * half(b, 0)


def _q5_1(b: Bytes) -> Floats:
    return _fives(b, 4, 8).astype(np.float32) * half(b, 0) + half(b, 2)


def _q8(start: int) -> Callable[[Bytes], Floats]:
    return lambda b: b[:, start : start + 32].view(np.int8).astype(np.float32) * half(b, 0)


def _q1_0(b: Bytes) -> Floats:
    d = half(b, 0)
    return np.where(fields(b, 2, 1, 128) == 1, d, -d)


def _q2_0(b: Bytes) -> Floats:
    return (fields(b, 2, 2, 64).astype(np.float32) - 1) * half(b, 0)


def _iq4_nl(b: Bytes) -> Floats:
    return IQ4_VALUES[halves(b, 2, 16)] * half(b, 0)


def _mxfp4(b: Bytes) -> Floats:
    return _DOUBLED_E2M1[halves(b, 1, 16)] * _E8M0[b[:, :1]]


def _nvfp4(b: Bytes) -> Floats:
    return _DOUBLED_E2M1[halves(b, 4, 8, 4)] * repeated(_UE4M3[b[:, :4]], 16)


def _tq1_0(b: Bytes) -> Floats:
    """Bytes are fractions of 256 in base 3: 5 digits of 32 bytes, 5 of 16, 4 of 4."""
    powers = np.array([1, 3, 9, 27, 81], np.uint8)[:, None]
    parts = []
    for start, width, digits in ((0, 32, 5), (32, 16, 5), (48, 4, 4)):
        shifted = (b[:, None, start : start + width] * powers[:digits]).astype(np.uint16)  # wraps at 256
        parts.append(((shifted * 3) >> 8).reshape(len(b), -1))
    return (np.concatenate(parts, axis=1).astype(np.float32) - 1) * half(b, 52)


def _tq2_0(b: Bytes) -> Floats:
    return (quarters(b, 0, 32, 2).astype(np.float32) - 1) * half(b, 64)


DECODERS: dict[str, Callable[[Bytes], Floats]] = {
    "Q1_0": _q1_0, "Q2_0": _q2_0, "Q4_0": _q4_0, "Q4_1": _q4_1, "Q5_0": _q5_0, "Q5_1": _q5_1, "Q8_0": _q8(2),
    "Q8_1": _q8(4), "IQ4_NL": _iq4_nl, "MXFP4": _mxfp4, "NVFP4": _nvfp4, "TQ1_0": _tq1_0, "TQ2_0": _tq2_0,
}  # fmt: skip
