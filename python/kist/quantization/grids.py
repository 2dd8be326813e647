"""Types that take 8 or 4 numbers at once from a grid: IQ1, IQ2, IQ3. Each 8 numbers have their signs in a byte."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from .fields import Bytes, Floats, Numbers, fields, half, repeated, words
from .grid_codes import codes

_TWOS = np.array([8, 25, 43, 0], np.float32)
_XXS_THREES = np.array([4, 12, 20, 28, 36, 44, 52, 62], np.float32)
_S_THREES = np.arange(1, 16, 2).astype(np.float32)
_ONES = np.array([-1, 0, 1, 2], np.float32)


@cache
def _points(name: str, bits: int) -> Numbers:
    """What digits each place of a grid has: 8 of 2 bits, or 4 of 3."""
    shifts = np.arange(0, 16 if bits == 2 else 12, bits, dtype=np.uint16)
    return (codes(name)[:, None] >> shifts) & ((1 << bits) - 1)


def _taken(name: str, bits: int, places: Numbers, values: Floats) -> Floats:
    """The numbers at places of a grid: [n, 256]."""
    points: Floats = values[_points(name, bits)]
    return points[places].reshape(len(places), 256)


def _signs(bytes: Numbers) -> Floats:
    """-1 where a bit is set: [n, 8 · bytes]."""
    bits = (bytes[..., None] >> np.arange(8, dtype=np.uint8)) & 1
    return (1 - 2 * bits.astype(np.int8)).reshape(len(bytes), -1).astype(np.float32)


def _even_signs(seven: Numbers) -> Floats:
    """Signs of which an eighth, not stored, makes the number of minuses even."""
    seven = seven.astype(np.uint8)
    parity = seven ^ (seven >> 4)
    parity ^= parity >> 2
    parity ^= parity >> 1
    return _signs(seven | ((parity & 1) << 7))


def _groups_of_words(w: Numbers) -> Numbers:
    """The 7 sign bits of the 4 groups in each word of 32 bits."""
    return ((w[..., None] >> np.array([0, 7, 14, 21], np.uint32)) & 127).reshape(len(w), 32)


def _quarter(d: Floats, scales: Numbers) -> Floats:
    return d * (np.float32(0.5) + scales.astype(np.float32)) * np.float32(0.25)


def _iq2_xxs(b: Bytes) -> Floats:
    parts = b[:, 2:66].reshape(len(b), 8, 8)
    places = parts[:, :, :4].reshape(len(b), 32)
    w = np.ascontiguousarray(parts[:, :, 4:]).view("<u4").reshape(len(b), 8)
    d = repeated(_quarter(half(b, 0), w >> 28), 32)
    return d * _taken("iq2_xxs", 2, places, _TWOS) * _even_signs(_groups_of_words(w))


def _iq2_xs(b: Bytes) -> Floats:
    q = words(b, 2, 32)
    d = repeated(_quarter(half(b, 0), fields(b, 66, 4, 16)), 16)
    return d * _taken("iq2_xs", 2, q & 511, _TWOS) * _even_signs(q >> 9)


def _iq2_s(b: Bytes) -> Floats:
    places = b[:, 2:34].astype(np.uint16) | (fields(b, 66, 2, 32).astype(np.uint16) << 8)
    d = repeated(_quarter(half(b, 0), fields(b, 74, 4, 16)), 16)
    return d * _taken("iq2_s", 2, places, _TWOS) * _signs(b[:, 34:66])


def _iq3_xxs(b: Bytes) -> Floats:
    w = words(b, 66, 8, 4)
    d = half(b, 0) * (np.float32(0.5) + (w >> 28).astype(np.float32)) * np.float32(0.5)
    signs = _even_signs(_groups_of_words(w))
    return repeated(d, 32) * _taken("iq3_xxs", 3, b[:, 2:66], _XXS_THREES) * signs


def _iq3_s(b: Bytes) -> Floats:
    places = b[:, 2:66].astype(np.uint16) | (fields(b, 66, 1, 64).astype(np.uint16) << 8)
    d = half(b, 0) * (1 + 2 * fields(b, 106, 4, 8)).astype(np.float32)
    return repeated(d, 32) * _taken("iq3_s", 3, places, _S_THREES) * _signs(b[:, 74:106])


def _iq1_s(b: Bytes) -> Floats:
    high = words(b, 34, 8)
    above = ((high[..., None] >> np.array([0, 3, 6, 9], np.uint16)) & 7).reshape(len(b), 32)
    places = b[:, 2:34].astype(np.uint16) | (above << 8)
    d = half(b, 0) * (2 * ((high >> 12) & 7) + 1).astype(np.float32)
    shift = np.where(high >> 15 == 1, np.float32(-0.125), np.float32(0.125))
    return repeated(d, 32) * (_taken("iq1", 2, places, _ONES) + repeated(shift, 32))


def _iq1_m(b: Bytes) -> Floats:
    w = words(b, 48, 4)
    d = np.zeros((len(b), 1), np.uint16)
    for at in range(4):
        d[:, 0] |= (w[:, at] >> 12) << (4 * at)
    scales = ((w[..., None] >> np.array([0, 3, 6, 9], np.uint16)) & 7).reshape(len(b), 16)
    high = fields(b, 32, 4, 32)
    places = b[:, :32].astype(np.uint16) | ((high & 7).astype(np.uint16) << 8)
    scale = d.view(np.float16).astype(np.float32) * (2 * scales + 1).astype(np.float32)
    shift = np.where(high >> 3 == 1, np.float32(-0.125), np.float32(0.125))
    return repeated(scale, 16) * (_taken("iq1", 2, places, _ONES) + repeated(shift, 8))


DECODERS: dict[str, Callable[[Bytes], Floats]] = {
    "IQ1_S": _iq1_s, "IQ1_M": _iq1_m, "IQ2_XXS": _iq2_xxs, "IQ2_XS": _iq2_xs, "IQ2_S": _iq2_s, "IQ3_XXS": _iq3_xxs,
    "IQ3_S": _iq3_s,
}  # fmt: skip
