"""Files from Python: the same tensors come back, Swift's command verifies them, and digests are those that it computes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from conftest import FIXTURES, Command

import kist
from kist import KistError, KistFile, Writer
from kist.numpy import load, load_file, save, save_file

DTYPES: list[Any] = [
    "?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8", ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn,
    ml_dtypes.float8_e5m2, ml_dtypes.float8_e8m0fnu, ml_dtypes.float8_e4m3fnuz, ml_dtypes.float8_e5m2fnuz,
    ml_dtypes.float6_e2m3fn, ml_dtypes.float6_e3m2fn, ml_dtypes.float4_e2m1fn,
]  # fmt: skip


def example(dtype: Any, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Numbers that every dtype has."""
    values = np.random.default_rng(seed).integers(0, 2, shape)
    return (values + 1 if np.dtype(dtype).name == "float8_e8m0fnu" else values).astype(dtype)


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)
    normal = (random.standard_normal((900, 1000)) * 0.02).astype(np.float32)
    return {
        "f32": normal,
        "bf16": normal.astype(ml_dtypes.bfloat16),
        "f16": normal.astype(np.float16),
        "f64": normal[:100].astype(np.float64),
        "noise": random.integers(0, 256, (1500, 1000), dtype=np.uint8),
        "positions": np.arange(5000),
        "mask": np.tril(np.ones((300, 300), bool)),
        "twin": normal.copy(),
        "scalar": np.array(2.5, np.float32),
        "empty": np.zeros((4, 0), np.int8),
        "重み": np.ones(3, np.float16),
    }


@pytest.mark.parametrize("packing", ["auto", "none", "max"])
def test_tensors_come_back(weights: dict[str, np.ndarray], tmp_path: Path, packing: Any) -> None:
    small = weights if packing != "max" else {name: array[:40] if array.ndim else array for name, array in weights.items()}
    save_file(small, tmp_path / "a.kist", packing=packing)
    check_equal(load_file(tmp_path / "a.kist"), small)
    check_equal(load(save(small, packing=packing)), small)
    kist.verify(tmp_path / "a.kist")


def check_equal(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
        assert found[name].tobytes() == array.tobytes(), name


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
@pytest.mark.parametrize("packing", ["auto", "none"])
def test_every_dtype_comes_back(dtype: Any, packing: Any) -> None:
    tensors = {"a": example(dtype, (6, 4)), "long": example(dtype, (400, 700), 1)}
    check_equal(load(save(tensors, packing=packing)), tensors)


@pytest.mark.parametrize("width", [2, 4, 8])
@pytest.mark.parametrize("kind", ["f", "u"])
def test_planes_of_every_length_come_back(width: int, kind: str) -> None:
    for count in (1, 2, 3, 31, 32767, 32768, 32769, 70001):
        numbers = np.frombuffer(np.random.default_rng(count).bytes(width * count), f"<u{width}") % 300
        array = numbers.astype(f"u{width}").view(f"{kind}{width}")
        check_equal(load(save({"a": array}, packing="max" if count < 100 else "auto")), {"a": array})


def test_order_in_memory_does_not_matter() -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for other in (array.T, array[:, ::2], np.asfortranarray(array), array.astype(">f4"), array[::-1]):
        found = load(save({"a": other}))["a"]
        np.testing.assert_array_equal(found, other)
        assert found.dtype == np.float32


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.kist"
    for bad in (
        np.zeros(2, object),
        np.zeros(2, "<U1"),
        np.zeros(2, "c16"),
        np.zeros(2, "M8[s]"),
        np.zeros(2, np.longdouble),
    ):
        with pytest.raises(KistError, match="Unknown dtype"):
            save_file({"x": bad}, path)
    one = np.zeros(1)
    for name in ("", "x" * 65536, "\ud800"):
        with pytest.raises(KistError, match="name"):
            save_file({name: one}, path)
    with pytest.raises(KistError, match="no whole number of bytes"):
        save_file({"x": np.zeros(3, ml_dtypes.float4_e2m1fn)}, path)
    for metadata in ({"a": 1}, {1: "a"}, "x"):
        with pytest.raises(TypeError, match="metadata"):
            save_file({"x": one}, path, metadata)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir()), "something half-written stayed"


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.kist"
    save_file({"x": np.zeros(3)}, path)
    with pytest.raises(RuntimeError), Writer(path) as writer:
        writer.add_tensor("y", np.ones(100_000))
        raise RuntimeError
    assert list(load_file(path)) == ["x"]
    save_file({"z": np.ones(3)}, path)
    assert list(load_file(path)) == ["z"] and [entry.name for entry in tmp_path.iterdir()] == ["a.kist"]


def test_the_same_input_gives_the_same_bytes(weights: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    first = save(weights, {"a": "b"})
    assert first == save(dict(reversed(weights.items())), {"a": "b"})
    monkeypatch.setattr("kist.writer.core_count", lambda: 1)
    assert first == save(weights, {"a": "b"})


def test_equal_content_is_stored_once() -> None:
    noise = np.random.default_rng(0).integers(0, 256, 1 << 20, dtype=np.uint8)
    normal = np.random.default_rng(0).standard_normal(1 << 18).astype(np.float32)
    for array in (noise, normal):
        one, two = save({"a": array}), save({"a": array, "b": array})
        assert len(two) - len(one) < 2000


def test_bf16_gets_smaller_by_a_third(weights: dict[str, np.ndarray]) -> None:
    assert len(save({"a": weights["bf16"]})) < 0.68 * weights["bf16"].nbytes


# The other program.


@pytest.mark.parametrize("packing", ["auto", "none"])
def test_the_command_verifies_what_python_wrote(
    command: Command, weights: dict[str, np.ndarray], tmp_path: Path, packing: Any
) -> None:
    save_file(weights, tmp_path / "a.kist", {"format": "np"}, packing=packing)
    assert "sound" in command("verify", tmp_path / "a.kist").stdout


@pytest.mark.parametrize("packing", ["auto", "none"])
def test_digests_are_those_that_the_command_computes(
    command: Command, weights: dict[str, np.ndarray], tmp_path: Path, packing: Any
) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    for metadata in (None, {"format": "np", "größe": 'a"\n\x01'}):
        save_file(weights, tmp_path / "python.kist", metadata, packing=packing)
        safetensors.save_file(weights, tmp_path / "model.safetensors", metadata)
        if metadata:  # safetensors writes metadata in an order of its own choice: take ours
            tensors = command("convert", tmp_path / "python.kist", "-o", tmp_path / "model.safetensors", "--force")
            assert tensors.returncode == 0
        command("convert", tmp_path / "model.safetensors", "-o", tmp_path / "swift.kist", "--force", "--pack", packing)
        ours, theirs = KistFile(tmp_path / "python.kist"), KistFile(tmp_path / "swift.kist")
        assert ours.weights_digest == theirs.weights_digest
        assert ours.package_digest == theirs.package_digest


def test_the_command_makes_the_safetensors_file_of_it(
    command: Command, weights: dict[str, np.ndarray], tmp_path: Path
) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    save_file(weights, tmp_path / "a.kist", {"format": "np"})
    safetensors.save_file(weights, tmp_path / "theirs.safetensors", {"format": "np"})
    command("convert", tmp_path / "a.kist", "-o", tmp_path / "ours.safetensors")
    assert (tmp_path / "ours.safetensors").read_bytes() == (tmp_path / "theirs.safetensors").read_bytes()


@pytest.mark.parametrize("source", ["dtypes.safetensors", "tiny-llama", "tiny-llama-sharded", "layout.safetensors"])
@pytest.mark.parametrize("packing", ["auto", "none", "max"])
def test_python_reads_what_the_command_wrote(command: Command, tmp_path: Path, source: str, packing: str) -> None:
    safetensors = pytest.importorskip("safetensors")
    path = tmp_path / "a.kist"
    command("convert", FIXTURES / source, "-o", path, "--pack", packing)
    file = KistFile(path)
    file.verify()
    files = sorted((FIXTURES / source).glob("*.safetensors")) or [FIXTURES / source]
    expected = dict(tensor for each in files for tensor in safetensors.deserialize(each.read_bytes()))
    assert set(file.tensors) == expected.keys()
    for name, tensor in expected.items():
        entry = file.tensor(name)
        assert (entry.dtype_name, list(entry.shape)) == (tensor["dtype"], tensor["shape"])
        assert file.content(name).tobytes() == bytes(tensor["data"]), name
    for name in file.assets:
        if (FIXTURES / source / name).is_file() and not name.endswith(".safetensors"):
            assert file.asset(name) == (FIXTURES / source / name).read_bytes()


def test_python_reads_files_of_released_versions() -> None:
    for path in sorted((FIXTURES / "released").rglob("*.kist")):
        kist.verify(path)
        load_file(path)


def test_the_command_verifies_blocks_that_python_wrote(command: Command, tmp_path: Path) -> None:
    blocks = np.random.default_rng(0).integers(0, 256, (4, 2 * 144), dtype=np.uint8)
    with Writer(tmp_path / "a.kist") as writer:
        writer.add_tensor("w", blocks, "Q4_K", (4, 512))
    command("verify", tmp_path / "a.kist")
    with kist.safe_open(tmp_path / "a.kist", framework="np") as file:
        part = file.get_slice("w")
        assert (part.get_dtype(), part.get_shape()) == ("Q4_K", [4, 512])
        np.testing.assert_array_equal(part[1:3], blocks[1:3])
        np.testing.assert_array_equal(file.get_tensor("w"), blocks)


def test_a_gguf_of_the_command_is_dequantized(command: Command, tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    sources = sorted((FIXTURES / "gguf").glob("*.gguf"))
    seen = set()
    for source in sources:
        reader = gguf.GGUFReader(source)
        path = tmp_path / (source.stem + ".kist")
        command("convert", source, "-o", path)
        file = KistFile(path)
        for tensor in reader.tensors:
            kind = tensor.tensor_type.name
            if kind in kist.quantization.quantized_types() and tensor.tensor_type in gguf.quants._type_traits:
                entry = file.tensor(tensor.name)
                with np.errstate(all="ignore"):
                    expected = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
                found = kist.dequantize(file.array(tensor.name), entry.dtype_name, entry.shape)
                np.testing.assert_array_equal(found.reshape(-1), expected.reshape(-1))
                seen.add(kind)
    assert seen


def test_signatures_of_the_command_are_checked(command: Command, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    path, key = tmp_path / "a.kist", tmp_path / "key.pem"
    save_file({"a": np.arange(5)}, path)
    command("keygen", "-o", key)
    command("sign", path, "--key", key)
    file = KistFile(path)
    file.verify()
    kist.signed_by(file, Path(f"{key}.pub").read_bytes())
    command("keygen", "-o", tmp_path / "other.pem")
    with pytest.raises(KistError, match="not signed with this key"):
        kist.signed_by(file, (tmp_path / "other.pem.pub").read_bytes())


def test_reading_after_a_fork_works(weights: dict[str, np.ndarray], tmp_path: Path) -> None:
    """As a data loader's workers do, after the parent has used its threads."""
    path = tmp_path / "a.kist"
    save_file(weights, path)
    file = KistFile(path)
    file.arrays()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if file.array("bf16").tobytes() == weights["bf16"].tobytes() else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
