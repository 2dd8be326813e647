"""Blocks are packed as block planes where that saves 3 %, and every reader gives them back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FIXTURES, SPEC, Command

from kist import KistFile, Writer
from kist.dtypes import BY_NAME, DTYPES
from kist.layout import BLOCK_PLANES, HAS_BLOCK_PLANES, RAW
from kist.planes import PlaneLayout, merge, split

BLOCK_TYPES = [dtype.name for dtype in DTYPES.values() if dtype.is_blocks]


def blocks(name: str, count: int, limit: int = 128) -> np.ndarray[Any, Any]:
    """Blocks of bytes below a limit: 128 makes them an eighth smaller."""
    return np.random.default_rng(count).integers(0, limit, (count, BY_NAME[name].unit), np.uint8)


def write(path: Path, tensors: dict[str, tuple[str, np.ndarray[Any, Any]]], packing: Any = "auto") -> KistFile:
    with Writer(path, packing=packing) as writer:
        for tensor, (name, content) in tensors.items():
            writer.add_tensor(tensor, content, name, (len(content), BY_NAME[name].elements))
    return KistFile(path)


@pytest.mark.parametrize("name", BLOCK_TYPES)
def test_planes_of_blocks_are_merged_again(name: str) -> None:
    dtype = BY_NAME[name]
    layout = PlaneLayout.of(BLOCK_PLANES, dtype)
    assert layout.unit == dtype.unit and len(layout.widths) <= 16
    raw = blocks(name, 37, 256)
    planes = split(raw.reshape(-1), layout)
    assert [len(plane) for plane in planes] == [37 * width for width in layout.widths]
    merged = np.empty(raw.size, np.uint8)
    merge([[plane] for plane in planes], layout, merged)
    np.testing.assert_array_equal(merged, raw.reshape(-1))


def test_numbers_of_a_field_stand_most_significant_byte_first() -> None:
    layout = PlaneLayout(BLOCK_PLANES, ((2, 1), (1, 3), (4, 2)))
    raw = bytes.fromhex("0100 111213 24232221 28272625 0302 141516 34333231 38373635")
    planes = [plane.tobytes().hex() for plane in split(np.frombuffer(raw, np.uint8), layout)]
    assert planes == ["0002", "0103", "111213141516", "21253135", "22263236", "23273337", "24283438"]


@pytest.mark.parametrize("packing", ["auto", "max"])
@pytest.mark.parametrize("name", BLOCK_TYPES)
def test_blocks_come_back(name: str, packing: Any, tmp_path: Path) -> None:
    count = ((1 << 20) if packing == "auto" else 20_000) // BY_NAME[name].unit + 3  # two chunks, or one
    content = blocks(name, count)
    file = write(tmp_path / "a.kist", {"w": (name, content)}, packing)
    assert file.tensor("w").transform == BLOCK_PLANES
    np.testing.assert_array_equal(file.array("w").reshape(content.shape), content)
    assert file.problems() == []


def test_the_independent_reader_reads_them(tmp_path: Path) -> None:
    write(tmp_path / "a.kist", {name: (name, blocks(name, 1000)) for name in BLOCK_TYPES})
    result = subprocess.run([sys.executable, str(SPEC / "kist.py"), "--verify", str(tmp_path / "a.kist")],
                            capture_output=True, text=True)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("block planes, zstd") == len(BLOCK_TYPES)


def test_the_command_reads_them(tmp_path: Path, command: Command) -> None:
    write(tmp_path / "a.kist", {name: (name, blocks(name, 1000)) for name in BLOCK_TYPES})
    command("verify", tmp_path / "a.kist")


def test_what_the_command_packs_is_read(tmp_path: Path, command: Command) -> None:
    """Blocks of a trained model's weights: the command's planes are those of this package."""
    command("quantize", FIXTURES / "world-llama", "-o", tmp_path / "a.kist", "--type", "Q4_K_M", "--no-verify")
    command("convert", tmp_path / "a.kist", "-o", tmp_path / "raw.kist", "--pack", "none")
    packed, raw = KistFile(tmp_path / "a.kist"), KistFile(tmp_path / "raw.kist")
    assert packed.problems() == []
    assert {packed.tensor(name).dtype.name for name in packed.tensors
            if packed.tensor(name).transform == BLOCK_PLANES} >= {"Q4_K"}  # fmt: skip
    for name in packed.tensors:
        assert raw.tensor(name).codec == RAW
        np.testing.assert_array_equal(packed.array(name), raw.array(name))


def test_the_commit_says_that_there_are_block_planes(tmp_path: Path) -> None:
    said = write(tmp_path / "a.kist", {"w": ("Q4_0", blocks("Q4_0", 5000))})
    noise = write(tmp_path / "b.kist", {"w": ("Q4_0", blocks("Q4_0", 100_000, 256))})
    unpacked = write(tmp_path / "c.kist", {"w": ("Q4_0", blocks("Q4_0", 5000))}, "none")
    incompatible = [int.from_bytes(Path(file.path).read_bytes()[4104:4112], "little") for file in (said, noise, unpacked)]
    assert incompatible == [HAS_BLOCK_PLANES, 0, 0]
    assert noise.tensor("w").codec == RAW
    assert said.weights_digest == unpacked.weights_digest


def test_equal_blocks_of_types_with_equal_fields_are_stored_once(tmp_path: Path) -> None:
    content = blocks("Q4_0", 5000)
    kinds = ("Q4_0", "IQ4_NL", "Q4_0")
    file = write(tmp_path / "a.kist", {f"w{at}": (name, content) for at, name in enumerate(kinds)})
    assert len({chunk.offset for at in range(3) for chunk in file.chunks(file.tensor(f"w{at}"))}) == 1
    assert file.problems() == []
