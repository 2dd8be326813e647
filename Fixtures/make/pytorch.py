"""python Fixtures/make/pytorch.py    (pip install torch==2.15.0 safetensors==0.8.0; rewrites Fixtures/pytorch)

Checkpoints as torch.save writes them, each NAME.pt with NAME.safetensors: the same tensors, written by the safetensors library after torch
loaded the checkpoint again. Names in the latter are those that Kist is to give: keys joined by dots. tiny-llama-bin is the model of
Fixtures/tiny-llama-sharded with its weights as PyTorch shards.
"""

from __future__ import annotations

import collections
import json
import shutil
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

FIXTURES = Path(__file__).resolve().parents[1]
FOLDER = FIXTURES / "pytorch"
DTYPES = (
    "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 uint16 uint32 uint64 float8_e4m3fn float8_e5m2 "
    "float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu float4_e2m1fn_x2"
).split()


def numbers(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    count = torch.Size(shape).numel()
    return (torch.arange(count, dtype=torch.float64) * 0.37 - 3).reshape(shape).to(dtype)


def every_dtype() -> dict[str, torch.Tensor]:
    tensors = {}
    for name in DTYPES:
        dtype = getattr(torch, name)
        width = torch.empty(0, dtype=dtype).element_size()
        if name == "bool":
            tensors[name] = numbers(3, 4) > 0
        else:
            # Any bytes will do, and all of them should come through; NaNs too.
            bytes_ = torch.arange(24 * width, dtype=torch.int64).mul(37).remainder(256).to(torch.uint8)
            tensors[name] = bytes_.view(dtype).reshape(2, 3, 4)
    return tensors


def strides() -> dict[str, torch.Tensor]:
    base = numbers(4, 6)
    image = numbers(2, 3, 4, 5)
    return {
        "transposed": base.t(),
        "permuted": image.permute(3, 1, 0, 2),
        "channels-last": image.to(memory_format=torch.channels_last),
        "every-second": base[::2, 1::2],
        "narrow": base[1:3],
        "column": base[:, 2],
        "expanded": numbers(1, 3).expand(4, 3),
        "expanded-scalar": torch.tensor(2.5).expand(2, 2),
        "diagonal": base[:4, :4].diagonal(),
        "bytes": numbers(5, 7, dtype=torch.int8).t(),
        "bf16": numbers(5, 7, dtype=torch.bfloat16).t(),
        "f64": numbers(5, 7, dtype=torch.float64)[:, ::3],
        "c64": torch.complex(numbers(3, 2), numbers(3, 2) + 1).t(),
        "scalar": torch.tensor(1.5),
        "element": base[2, 3],
        "empty": torch.empty(0),
        "empty-3": torch.empty(3, 0, 2),
        "rank-9": numbers(1, 2, 1, 3, 1, 2, 1, 1, 1).permute(8, 3, 0, 1, 5, 2, 4, 7, 6),
    }


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(5, 4)
        self.linear = torch.nn.Linear(4, 3)
        self.norm = torch.nn.BatchNorm1d(3)
        self.head = torch.nn.Linear(4, 5, bias=False)
        self.head.weight = self.embed.weight  # tied: one storage


def with_attribute(tensor: torch.Tensor) -> torch.Tensor:
    tensor.note = "an attribute"  # type: ignore[attr-defined]
    return tensor


def checkpoints() -> dict[str, tuple[Any, str]]:
    """By name: what is saved, and the prefix that Kist leaves away."""
    torch.manual_seed(7)
    model = Model()
    state = model.state_dict()
    base = numbers(4, 6)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    model.linear(torch.ones(2, 4)).sum().backward()
    optimizer.step()
    parameters = {
        "parameter": torch.nn.Parameter(numbers(2, 3)),
        "frozen": torch.nn.Parameter(numbers(2), requires_grad=False),
        "with-state": with_attribute(torch.nn.Parameter(numbers(3))),
        "with-attribute": with_attribute(numbers(2, 2)),
        "buffer": torch.nn.Buffer(numbers(2)),
    }
    training = {
        "model": state,
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "lr": 0.001,
        "best": float("inf"),
        "done": False,
        "note": "späť",
        "nothing": None,
        "raw": b"\x00\xff",
        "large": 2**80,
        "negative": [-1, -129, -32769, -(2**31) - 1, 2**31, 2**62],
        "shape": torch.Size([2, 3]),
        "dtype": torch.bfloat16,
        "device": torch.device("cpu"),
        "names": {"a", "b"} - {"b"},
        "layers": [{"w": numbers(2)}, {"w": numbers(3)}],
        "pair": (numbers(1), "text"),
    }
    return {
        "dtypes": (every_dtype(), ""),
        "strides": (strides(), ""),
        "shared": ({"all": base, "row": base[1], "rows": base[2:], "transposed": base.t(), "again": base}, ""),
        "parameters": (parameters, ""),
        "module": (state, ""),
        "training": (training, ""),
        "wrapped": ({"state_dict": collections.OrderedDict(a=numbers(2), b=numbers(3)), "epoch": 1}, "state_dict."),
        "one": (numbers(2, 2), ""),
        "list": ([numbers(2), {"x": numbers(3)}], ""),
    }


def flat(value: Any, name: str = "") -> dict[str, torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return {name or "tensor": value}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else []
    found: dict[str, torch.Tensor] = {}
    for key, item in items:
        found |= flat(item, f"{name}.{key}" if name else str(key))
    return found


def write_golden(path: Path, prefix: str) -> None:
    # Files of our own making; torch's careful reader knows protocol 2 alone.
    tensors = flat(torch.load(path, weights_only=False))
    plain = {key.removeprefix(prefix): tensor.detach().clone(memory_format=torch.contiguous_format) for key, tensor in tensors.items()}
    save_file(plain, path.with_suffix(".safetensors"))


def rewritten(source: Path, target: Path, *, big_endian: bool = False, **options: Any) -> None:
    """The same checkpoint in another archive: deflated, or as a machine of the other byte order would have written it."""
    widths = {}
    if big_endian:
        for tensor in flat(torch.load(source, weights_only=True)).values():
            widths[tensor.untyped_storage().nbytes()] = tensor.element_size() // (2 if tensor.is_complex() else 1)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", **options) as new:
        for info in old.infolist():
            content = old.read(info)
            if big_endian and info.filename.endswith("/byteorder"):
                content = b"big"
            if big_endian and "/data/" in info.filename and content:
                width = widths[len(content)]
                content = b"".join(content[at : at + width][::-1] for at in range(0, len(content), width))
            new.writestr(info.filename, content)


def sharded() -> None:
    source, target = FIXTURES / "tiny-llama-sharded", FIXTURES / "tiny-llama-bin"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for name in ["config.json", "generation_config.json"]:
        shutil.copy(source / name, target / name)
    index = json.loads((source / "model.safetensors.index.json").read_text())
    rename = lambda name: name.replace("model-", "pytorch_model-").replace(".safetensors", ".bin")
    for name in sorted(set(index["weight_map"].values())):
        torch.save(collections.OrderedDict(load_file(source / name)), target / rename(name))
    index["weight_map"] = {tensor: rename(name) for tensor, name in index["weight_map"].items()}
    (target / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2) + "\n")


def main() -> None:
    warnings.simplefilter("ignore")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for name, (value, prefix) in checkpoints().items():
        torch.save(value, FOLDER / f"{name}.pt")
        write_golden(FOLDER / f"{name}.pt", prefix)
    for protocol in [3, 4, 5]:
        path = FOLDER / f"protocol-{protocol}.pt"
        torch.save({"a": numbers(2, 3), "list": [1, 2], "bytes": b"abc", "text": "x" * 300, "b": {"c": numbers(4).to(torch.uint16)}}, path, pickle_protocol=protocol)
        write_golden(path, "")
    torch.serialization.set_crc32_options(False)
    torch.save({"a": numbers(2, 3)}, FOLDER / "no-crc.pt")
    torch.serialization.set_crc32_options(True)
    write_golden(FOLDER / "no-crc.pt", "")
    swapped = {
        "a": numbers(3, 5), "b": numbers(7, dtype=torch.bfloat16), "c": torch.complex(numbers(9), numbers(9)),
        "d": numbers(11, dtype=torch.float64), "e": numbers(2, 23, dtype=torch.int8).t(), "f": numbers(5, 6).t(),
    }  # fmt: skip
    torch.save(swapped, FOLDER / "plain.pt")
    rewritten(FOLDER / "plain.pt", FOLDER / "big-endian.pt", big_endian=True)
    rewritten(FOLDER / "plain.pt", FOLDER / "deflated.pt", compression=zipfile.ZIP_DEFLATED)
    (FOLDER / "plain.pt").unlink()
    write_golden(FOLDER / "big-endian.pt", "")
    shutil.copy(FOLDER / "big-endian.safetensors", FOLDER / "deflated.safetensors")
    sharded()


if __name__ == "__main__":
    main()
