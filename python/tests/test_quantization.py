"""Blocks become the numbers that llama.cpp's libggml makes of them (Fixtures/quantization), and gguf-py's."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import FIXTURES

import kist
from kist.dtypes import BY_NAME, DTYPES
from kist.quantization import quantized_types

COUNT = 4 * 1280
GOLDEN = json.loads((FIXTURES / "quantization/ggml-blocks.json").read_text())


def split_mix(state: int, count: int) -> np.ndarray:
    """SplitMix64, as Fixtures/make/ggml_blocks.c has it."""
    with np.errstate(over="ignore"):
        z = np.uint64(state) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def random_blocks(name: str) -> np.ndarray:
    dtype = BY_NAME[name]
    return split_mix(2000, COUNT // dtype.elements * dtype.unit).astype(np.uint8)


def fnv(content: bytes) -> str:
    value = 0xCBF29CE484222325
    for byte in content:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_random_blocks_become_what_libggml_makes_of_them(name: str) -> None:
    values = kist.dequantize(random_blocks(name), name, (4, 1280)).copy()
    values.view(np.uint32)[np.isnan(values)] = 0x7FC00000
    assert fnv(values.tobytes()) == GOLDEN[name]["dequantized"]


@pytest.mark.parametrize("name", quantized_types())
def test_blocks_become_what_gguf_py_makes_of_them(name: str) -> None:
    gguf = pytest.importorskip("gguf")
    if name not in gguf.GGMLQuantizationType.__members__:
        pytest.skip(f"gguf-py does not know {name}")
    kind = gguf.GGMLQuantizationType[name]
    blocks = random_blocks(name)
    try:
        with np.errstate(all="ignore"):
            expected = gguf.quants.dequantize(blocks, kind)
    except NotImplementedError:
        pytest.skip(f"gguf-py does not dequantize {name}")
    np.testing.assert_array_equal(kist.dequantize(blocks, name, (COUNT,)), expected.reshape(-1))


def test_every_block_type_of_the_specification_is_known() -> None:
    assert set(quantized_types()) == {dtype.name for dtype in DTYPES.values() if dtype.is_blocks}


def test_shape_follows_from_rows_of_blocks() -> None:
    assert kist.dequantize(np.zeros((3, 2 * 144), np.uint8), "Q4_K").shape == (3, 512)
    assert kist.dequantize(np.zeros(18, np.uint8), "Q4_0").shape == (32,)
    assert kist.dequantize(np.zeros(0, np.uint8), "Q4_0", (0, 32)).shape == (0, 32)


def test_what_is_no_blocks_is_refused() -> None:
    with pytest.raises(kist.KistError, match="whole number of blocks"):
        kist.dequantize(np.zeros(17, np.uint8), "Q4_0")
    with pytest.raises(kist.KistError, match="Q4_0"):
        kist.dequantize(np.zeros(18, np.uint8), "F32")
    with pytest.raises(kist.KistError, match="shape"):
        kist.dequantize(np.zeros(18, np.uint8), "Q4_0", (33,))
