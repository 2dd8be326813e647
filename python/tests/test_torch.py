"""`kist.torch` beside `safetensors.torch`: the same tensors, the same refusals. Skipped where there is no PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
theirs = pytest.importorskip("safetensors.torch")

from safetensors import safe_open as safetensors_open  # noqa: E402

from kist import KistError, safe_open  # noqa: E402
from kist.torch import load, load_file, load_model, save, save_file, save_model  # noqa: E402

DTYPES = [
    "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "bfloat16", "float32",
    "float64", "complex64", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz",
]  # fmt: skip


@pytest.fixture(scope="module")
def tensors() -> dict[str, Any]:
    torch.manual_seed(0)
    return {
        "cube": torch.arange(24, dtype=torch.float32).reshape(2, 3, 4),
        "bf16": (torch.randn(700, 1000) * 0.02).bfloat16(),
        "bytes": torch.randint(0, 256, (300, 400), dtype=torch.uint8),
        "scalar": torch.tensor(5),
        "empty": torch.zeros(0, 3),
    }


@pytest.fixture(scope="module", params=["auto", "none"])
def path(request: pytest.FixtureRequest, tensors: dict[str, Any], tmp_path_factory: Any) -> Path:
    path = tmp_path_factory.mktemp("files") / f"{request.param}.kist"
    save_file(tensors, path, {"format": "pt"}, packing=request.param)
    return path


def equal(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and bytes(as_bytes(a)) == bytes(as_bytes(b))


def as_bytes(tensor: Any) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def test_tensors_come_back(path: Path, tensors: dict[str, Any]) -> None:
    for found in (load_file(path), load_file(path, check=True), load(path.read_bytes())):
        assert found.keys() == tensors.keys()
        assert all(equal(found[name], tensors[name]) for name in tensors)


@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype_comes_back(name: str) -> None:
    raw = torch.randint(0, 2, (512,), dtype=torch.uint8)
    tensor = raw.view(getattr(torch, name)).reshape(4, -1)
    assert equal(load(save({"a": tensor}))["a"], tensor)


def test_f4_has_two_elements_in_one_of_pytorch(tmp_path: Path) -> None:
    tensor = torch.randint(0, 256, (4, 6), dtype=torch.uint8).view(torch.float4_e2m1fn_x2)
    save_file({"a": tensor}, tmp_path / "a.kist")
    with safe_open(tmp_path / "a.kist", framework="pt") as file:
        assert file.get_slice("a").get_shape() == [4, 12]
        assert equal(file.get_tensor("a"), tensor)


INDICES = [
    0, -1, slice(None), slice(1, None), slice(-1, None), slice(0, -1), slice(5, 9), slice(1, 0), ..., (..., 0), (0, ..., 1),
    (0, 1, 2), (slice(None), slice(1, 20)), (slice(None), slice(None, None, 2)), None, (0, None), [0, 1],
    (slice(0, 1), [0, 2]),     (), True, [True, False], (slice(None, None, 2), -1), (-1, slice(None, None, 2)), (..., ...),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_slices_are_those_of_pytorch(path: Path, tensors: dict[str, Any], index: Any) -> None:
    part = safe_open(path, framework="pt").get_slice("cube")
    assert equal(part[index], tensors["cube"][index])


@pytest.mark.parametrize("index", [2, -3, (0, 0, 0, 0), slice(None, None, -1), "x", 1.0, slice("a", None)], ids=str)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_slices_that_pytorch_refuses_are_refused_as_it_does(path: Path, tensors: dict[str, Any], index: Any) -> None:
    with pytest.raises((IndexError, TypeError, ValueError)) as expected:
        tensors["cube"][index]
    with pytest.raises(expected.type):
        safe_open(path, framework="pt").get_slice("cube")[index]


def test_slices_cross_chunks(path: Path, tensors: dict[str, Any]) -> None:
    part = safe_open(path, framework="pt").get_slice("bf16")
    for index in [slice(500, 600), (slice(520, 530), slice(10, 20)), 699, (slice(0, 700, 100), 5)]:
        assert equal(part[index], tensors["bf16"][index])


def test_names_metadata_and_order_are_those_of_safetensors(path: Path, tensors: dict[str, Any], tmp_path: Path) -> None:
    theirs.save_file(tensors, tmp_path / "a.safetensors", {"format": "pt"})
    with safe_open(path, framework="pt") as ours, safetensors_open(tmp_path / "a.safetensors", framework="pt") as file:
        assert (ours.keys(), ours.offset_keys(), ours.metadata()) == (file.keys(), file.offset_keys(), file.metadata())


def test_devices(path: Path) -> None:
    with pytest.raises(KistError, match="device foo is invalid"):
        safe_open(path, framework="pt", device="foo")
    assert load_file(path, device=torch.device("cpu"))["cube"].device.type == "cpu"
    assert load_file(path, device="meta")["cube"].device.type == "meta"


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path, x = tmp_path / "a.kist", torch.zeros(4, 4)
    for tensors, error, words in [
        ({"x": x.t()}, ValueError, "non contiguous"),
        ({"x": x, "y": x}, RuntimeError, "share memory"),
        ({"x": x, "y": x[1:3]}, RuntimeError, "share memory"),
        ({"x": x.to_sparse()}, ValueError, "sparse"),
        ({"x": 1}, ValueError, "expected torch.Tensor"),
        ([x], ValueError, "Expected a dict"),
        ({"x": torch.zeros(2, dtype=torch.complex128)}, KistError, "Unknown dtype"),
    ]:
        with pytest.raises(error, match=words):
            save_file(tensors, path)
    assert not list(tmp_path.iterdir())
    found = load(save({"x": x[:2], "y": x[2:]}))  # one storage, but not over one another
    assert found.keys() == {"x", "y"}


class Tied(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(10, 4)
        self.head = torch.nn.Linear(4, 10, bias=False)
        self.head.weight = self.embed.weight
        self.norm = torch.nn.LayerNorm(4)


def test_a_module_with_tied_weights_comes_back(tmp_path: Path) -> None:
    path, model, other = tmp_path / "a.kist", Tied(), Tied()
    save_model(model, path)
    with safe_open(path, framework="pt") as file:
        assert file.metadata() == {"head.weight": "embed.weight"} and "head.weight" not in file.keys()
    assert load_model(other, path) == ([], [])
    assert all(equal(a, b) for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True))
    assert other.head.weight is other.embed.weight


def test_loading_a_module_says_what_is_missing(tmp_path: Path) -> None:
    path, model = tmp_path / "a.kist", torch.nn.Linear(2, 3)
    save_file({"weight": torch.zeros(3, 2), "extra": torch.zeros(1)}, path)
    with pytest.raises(RuntimeError) as caught:
        load_model(model, path)
    assert 'Missing key(s) in state_dict: "bias"' in str(caught.value) and '"extra"' in str(caught.value)
    assert load_model(model, path, strict=False) == (["bias"], ["extra"])


def test_mapped_tensors_can_be_trained_and_leave_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.kist"
    save_file({"weight": torch.randn(256, 256), "bias": torch.zeros(256)}, path, packing="none")
    before = path.read_bytes()
    model = torch.nn.Linear(256, 256)
    model.load_state_dict(load_file(path), assign=True)
    model(torch.ones(1, 256)).sum().backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert model.bias.ne(0).all()
    assert path.read_bytes() == before


def test_a_changed_byte_of_a_mapped_tensor_is_found_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.kist"
    save_file({"a": torch.arange(100_000)}, path, packing="none")
    content = bytearray(path.read_bytes())
    content[16384 + 80_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(KistError, match="XXH3"):
        load_file(path, check=True)
    with pytest.raises(KistError, match="XXH3"):
        load(bytes(content))
    assert load_file(path)["a"].ne(torch.arange(100_000)).sum() == 1


def test_numpy_and_pytorch_read_one_file(path: Path, tensors: dict[str, Any]) -> None:
    found = safe_open(path, framework="np").get_tensor("cube")
    np.testing.assert_array_equal(found, tensors["cube"].numpy())
