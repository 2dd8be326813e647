"""`safe_open` is used as safetensors' is: what its own tests ask for, asked of both, and of the file's packings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from conftest import FIXTURES

import kist
from kist import KistError, safe_open
from kist.numpy import save_file

safetensors = pytest.importorskip("safetensors")
from safetensors.numpy import save_file as save_safetensors  # noqa: E402

PACKINGS = ["auto", "none", "max"]


@pytest.fixture(scope="module")
def tensors() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    return {
        "wide": random.standard_normal((10, 5)),
        "embedding": (random.standard_normal((700, 1000)) * 0.02).astype(ml_dtypes.bfloat16),  # two chunks
        "bytes": random.integers(0, 256, (300, 400), dtype=np.uint8),  # mapped
        "cube": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        "scalar": np.array(5, np.int32),
        "empty": np.zeros((0, 3), np.float32),
    }


@pytest.fixture(scope="module", params=PACKINGS)
def path(request: pytest.FixtureRequest, tensors: dict[str, np.ndarray], tmp_path_factory: Any) -> Path:
    path = tmp_path_factory.mktemp("files") / f"{request.param}.kist"
    save_file(tensors, path, {"format": "np", "author": "ü"}, packing=request.param)
    return path


@pytest.fixture(scope="module")
def theirs(tensors: dict[str, np.ndarray], tmp_path_factory: Any) -> Path:
    path = tmp_path_factory.mktemp("files") / "model.safetensors"
    save_safetensors(tensors, path, {"format": "np", "author": "ü"})
    return path


def test_names_metadata_and_tensors_are_those_of_safetensors(path: Path, theirs: Path) -> None:
    with safe_open(path, framework="np") as ours, safetensors.safe_open(theirs, framework="np") as reference:
        assert ours.keys() == reference.keys()
        assert ours.offset_keys() == reference.offset_keys()
        assert ours.metadata() == reference.metadata()
        for name in reference.keys():
            expected, found = reference.get_tensor(name), ours.get_tensor(name)
            assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
            np.testing.assert_array_equal(found, expected)
            ours_slice, reference_slice = ours.get_slice(name), reference.get_slice(name)
            assert ours_slice.get_shape() == reference_slice.get_shape()
            assert ours_slice.get_dtype() == reference_slice.get_dtype()
        assert list(ours.get_tensors()) == reference.offset_keys()


SLICES = [
    0, -1, np.int64(1), True, slice(None), slice(0, 1), slice(None, 2), slice(1, None), slice(0, 2, 2), slice(None, None, 2),
    ..., (..., 0), (0, ...), (0, ..., 1), (0, 1, 2), (slice(None), slice(1, 3)), (slice(None), slice(None), slice(1, 3)),
    (slice(None), slice(None, None, 2)), (slice(0, 2), 1, slice(None, None, 3)), (), (slice(1, 2), ...), (1, slice(0, 1)),
    (..., slice(1, 2)), (-2, -3, -4),
]  # fmt: skip


@pytest.mark.parametrize("index", SLICES, ids=str)
def test_slices_of_numpy_are_those_of_safetensors(path: Path, theirs: Path, index: Any) -> None:
    with safe_open(path, framework="np") as ours, safetensors.safe_open(theirs, framework="np") as reference:
        expected, found = reference.get_slice("cube")[index], ours.get_slice("cube")[index]
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["embedding", "bytes", "wide"])
def test_slices_cross_chunks(path: Path, tensors: dict[str, np.ndarray], name: str) -> None:
    whole = tensors[name]
    part = safe_open(path, framework="np").get_slice(name)
    rows = len(whole)
    for index in [0, rows - 1, slice(rows // 2, rows), slice(3, rows, 7), (slice(2, 9), slice(1, 4)), (5, 2), (..., 3)]:
        np.testing.assert_array_equal(part[index], whole[index])


REFUSED = [
    2, -3, slice(5, 9), slice(None, 20), slice(20, None), (slice(None), slice(None, 20)), (slice(None), 20), (0, 0, 0, 0),
    (slice(None),) * 4, (..., ...), None, [0, 1], (slice(0, 1), [0, 2]), np.array([0, 1]), "x", 1.0, (0, None),
    slice(None, None, -1), slice(0, 1, 0), (slice(None), slice(3, 20, 2)), (..., slice(0, 6)),
]  # fmt: skip


@pytest.mark.parametrize("index", REFUSED, ids=str)
def test_what_safetensors_refuses_is_refused_in_its_words(path: Path, theirs: Path, index: Any) -> None:
    with pytest.raises(safetensors.SafetensorError) as expected:
        safetensors.safe_open(theirs, framework="np").get_slice("cube")[index]
    with pytest.raises(KistError) as found:
        safe_open(path, framework="np").get_slice("cube")[index]
    assert str(expected.value) in str(found.value)


def test_what_lies_outside_is_an_index_error_too(path: Path) -> None:
    with pytest.raises(IndexError):
        safe_open(path, framework="np").get_slice("cube")[7]


def test_slices_that_safetensors_stumbles_over_are_what_numpy_makes_of_them(path: Path, tensors: Any) -> None:
    part = safe_open(path, framework="np").get_slice("cube")
    for index in [slice(-1, None), slice(0, -1), slice(1, 0), (slice(None), slice(2, 1)), slice(-9, None)]:
        np.testing.assert_array_equal(part[index], tensors["cube"][index])
    assert safe_open(path, framework="np").get_slice("empty")[:].shape == (0, 3)


def test_scalars_have_no_dimension_to_slice(path: Path) -> None:
    part = safe_open(path, framework="np").get_slice("scalar")
    assert part[...] == 5 and part[()] == 5 and part[...].shape == ()
    for index in (0, slice(None)):
        with pytest.raises(KistError, match="more slicing indexes than dimensions"):
            part[index]


def test_a_missing_tensor_is_named(path: Path) -> None:
    with safe_open(path, framework="np") as file:
        for read in (file.get_tensor, file.get_slice):
            with pytest.raises(KistError, match="File does not contain tensor nope"):
                read("nope")


def test_a_missing_file_is_a_file_not_found_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="No such file or directory"):
        safe_open(tmp_path / "nope.kist", framework="np")
    with pytest.raises(KistError):
        safe_open(tmp_path / "nope.kist", framework="np")


def test_frameworks_and_devices_are_checked(path: Path) -> None:
    with pytest.raises(KistError, match="framework foo is invalid"):
        safe_open(path, framework="foo")
    with pytest.raises(KistError, match="not supported for framework np"):
        safe_open(path, framework="np", device="cuda")
    with pytest.raises(TypeError):
        safe_open(path)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        safe_open(5, framework="np")  # type: ignore[arg-type]
    assert safe_open(path, "numpy").keys() == safe_open(str(path), framework="np", device="cpu").keys()


def test_a_closed_file_gives_nothing_but_what_it_gave_stays(path: Path, tensors: dict[str, np.ndarray]) -> None:
    with safe_open(path, framework="np") as file:
        tensor = file.get_tensor("bytes")
        part = file.get_slice("cube")
    for use in (file.keys, file.offset_keys, file.metadata, file.get_tensors):
        with pytest.raises(KistError, match="File is closed"):
            use()
    with pytest.raises(KistError, match="File is closed"):
        file.get_tensor("bytes")
    np.testing.assert_array_equal(tensor, tensors["bytes"])
    np.testing.assert_array_equal(part[0], tensors["cube"][0])


def test_writing_to_an_array_changes_neither_the_file_nor_other_arrays(path: Path, tensors: Any) -> None:
    before = path.read_bytes()
    with safe_open(path, framework="np") as file:
        for name in ("bytes", "wide", "embedding"):
            first = file.get_tensor(name)
            first[...] = 0
            np.testing.assert_array_equal(file.get_tensor(name), tensors[name])
            np.testing.assert_array_equal(file.get_slice(name)[:], tensors[name])
    assert path.read_bytes() == before


def test_a_large_raw_tensor_is_mapped_and_checked(tmp_path: Path, tensors: dict[str, np.ndarray]) -> None:
    path = tmp_path / "raw.kist"
    save_file(tensors, path, packing="none")
    run = kist.KistFile(path).tensor("bytes").run
    content = bytearray(path.read_bytes())
    content[run + 70_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(KistError, match="XXH3"):
        safe_open(path, framework="np").get_tensor("bytes")
    with pytest.raises(KistError, match="XXH3"):
        safe_open(path, framework="np").get_slice("bytes")[200:]
    unchecked = safe_open(path, framework="np", check=False).get_tensor("bytes")
    assert (unchecked != tensors["bytes"]).sum() == 1
    with pytest.raises(KistError, match="XXH3"):
        kist.verify(path)


def test_an_open_file_is_verified(path: Path) -> None:
    with safe_open(path, framework="np") as file:
        file.verify()


def test_metadata_is_none_when_there_is_none(tmp_path: Path) -> None:
    for metadata in (None, {}):
        save_file({"a": np.zeros(1)}, tmp_path / "a.kist", metadata)
        assert safe_open(tmp_path / "a.kist", framework="np").metadata() is None


def test_every_dtype_is_given_as_its_golden_values(command: Any, tmp_path: Path) -> None:
    import json

    golden = json.loads((FIXTURES / "dtypes-values.json").read_text())
    command("convert", FIXTURES / "dtypes.safetensors", "-o", tmp_path / "dtypes.kist")
    with safe_open(tmp_path / "dtypes.kist", framework="np") as file:
        for name, row in golden.items():
            array, part = file.get_tensor(name), file.get_slice(name)
            assert (part.get_dtype(), part.get_shape()) == (row["dtype"], row["shape"])
            assert list(array.shape) == row["shape"]
            values = array.reshape(-1)[: len(row["values"])]
            assert [_text(value) for value in values] == row["values"], name
            assert part[...].tobytes() == array.tobytes()


def _text(value: np.generic) -> str:
    if isinstance(value, np.complexfloating):
        return f"{float(value.real)!r},{float(value.imag)!r}"
    return str(int(value)) if isinstance(value, (np.integer, np.bool_)) else repr(float(value))
