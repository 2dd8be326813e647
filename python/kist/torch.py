"""All tensors of a file as PyTorch tensors, and back: safetensors' `torch` module, for Kist files."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .errors import KistError
from .file import KistFile
from .index import Entry
from .packing import Packing
from .saving import Content, write_tensors
from .sets import open_set
from .slicing import KistSlice, select_rows
from .values import array_shape

__all__ = ["load", "load_file", "load_model", "save", "save_file", "save_model"]

_NAMES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
    "C64": "complex64", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz", "F4": "float4_e2m1fn_x2",
}  # fmt: skip
_DTYPES: dict[str, torch.dtype] = {name: getattr(torch, theirs) for name, theirs in _NAMES.items() if hasattr(torch, theirs)}
_OF_TORCH = {theirs: name for name, theirs in _DTYPES.items()}


def load_file(
    filename: str | os.PathLike[str], device: str | int | torch.device = "cpu", *, check: bool = False
) -> dict[str, Tensor]:
    """All tensors, in the order of the source. Raw ones are mapped and read when they are used; packed ones are unpacked by
    all cores and checked. With `check=True` the mapped ones are read now, and compared with their XXH3. A folder stands for
    the model in it, of however many shards."""
    target = device_of(os.fspath(filename), device)
    tensors: dict[str, Tensor] = {}
    for file in open_set(filename) if os.path.isdir(filename) else [KistFile(filename)]:
        tensors |= tensors_of(file, file.tensors, target, check)
    return tensors


def load(data: bytes) -> dict[str, Tensor]:
    """All tensors of a file that is in memory."""
    file = KistFile(data)
    return tensors_of(file, file.tensors, torch.device("cpu"), True)


def save_file(
    tensors: Mapping[str, Tensor],
    filename: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
    *,
    packing: Packing = "auto",
) -> None:
    """Writes tensors to a file, which appears when it is complete and replaces what was there.

    As with safetensors, tensors are dense, contiguous and share no memory; `save_model` takes care of the last.
    """
    write_tensors(_contents(tensors, os.fspath(filename)), filename, metadata, packing)


def save(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None, *, packing: Packing = "auto") -> bytes:
    """The bytes of a file with these tensors."""
    stream = io.BytesIO()
    write_tensors(_contents(tensors, ""), stream, metadata, packing)
    return stream.getvalue()


def save_model(
    model: torch.nn.Module,
    filename: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
    force_contiguous: bool = True,
    *,
    packing: Packing = "auto",
) -> None:
    """Writes a module's tensors. Of those that share memory one stays; metadata says which one stands for the others."""
    state = dict(model.state_dict())
    notes = dict(metadata or {})
    for kept, others in _duplicates(state).items():
        for name in others:
            notes.setdefault(name, kept)
            del state[name]
    if force_contiguous:
        state = {name: tensor.contiguous() for name, tensor in state.items()}
    save_file(state, filename, notes if notes else metadata, packing=packing)


def load_model(
    model: torch.nn.Module,
    filename: str | os.PathLike[str],
    strict: bool = True,
    device: str | int | torch.device = "cpu",
) -> tuple[list[str], list[str]]:
    """Loads a file into a module, tied tensors too. Gives the names that are missing and those that are unexpected."""
    state = load_file(filename, device)
    own = model.state_dict()
    result = model.load_state_dict(state, strict=False)
    missing, unexpected = set(result.missing_keys), list(result.unexpected_keys)
    for others in _duplicates(own, preferred=state.keys()).values():
        for name in others:
            if name in missing:
                missing.remove(name)
            elif name not in state:
                unexpected.append(name)
    if strict and (missing or unexpected):
        text = f"Error(s) in loading state_dict for {type(model).__name__}:"
        for what, names in (("Missing", missing), ("Unexpected", unexpected)):
            if names:
                text += f"\n    {what} key(s) in state_dict: " + ", ".join(f'"{name}"' for name in sorted(names))
        raise RuntimeError(text)
    return sorted(missing), sorted(unexpected)


# For `safe_open`.


def device_of(file: str, device: Any) -> torch.device:
    try:
        return torch.device(f"cuda:{device}" if isinstance(device, int) else device)
    except (RuntimeError, TypeError) as error:
        raise KistError(file, "", f"device {device} is invalid") from error


def tensors_of(file: KistFile, names: Iterable[str], device: torch.device, check: bool) -> dict[str, Tensor]:
    """Tensors by name, on a device."""
    found: dict[str, Tensor] = {}
    for name, (entry, content) in file.contents(names, check=check).items():
        tensor = _tensor(file.path, entry, content)
        found[name] = tensor if device.type == "cpu" else tensor.to(device)
    return found


class TorchSlice(KistSlice):
    """What `get_slice` gives for framework `pt`: takes what a tensor takes between brackets."""

    def __init__(self, file: KistFile, entry: Entry, check: bool, device: torch.device) -> None:
        super().__init__(file, entry, check)
        self._device = device

    def __getitem__(self, index: Any) -> Tensor:
        part = self._part(index if isinstance(index, tuple) else (index,))
        if part is None:
            content = self._file.read(self._entry, check=self._check)
            part = _tensor(self._file.path, self._entry, content)[index]
        # Not a view of more than was asked for.
        return part.clone(memory_format=torch.contiguous_format).to(self._device)

    def _part(self, index: tuple[Any, ...]) -> Tensor | None:
        """The rows that an index reaches, indexed; None when it is not one of numbers and slices."""
        shape = _torch_shape(self._entry)
        if not index or not all(type(part) in (int, slice, type(...)) for part in index) or index[0] is ...:
            return None
        torch.empty(shape, device="meta")[index]  # raises what PyTorch raises
        selection = select_rows(index, shape)
        if isinstance(index[0], int) and index[0] < 0:
            selection = select_rows((index[0] + shape[0], *index[1:]), shape)
        content = self._bytes_of_rows(selection.start, selection.stop, shape)
        if content is None:
            return None
        rows = _viewed(self._file.path, self._entry, content).reshape(selection.stop - selection.start, *shape[1:])
        return rows[selection.then]


def _tensor(file: str, entry: Entry, content: NDArray[np.uint8]) -> Tensor:
    try:
        return _viewed(file, entry, content).reshape(_torch_shape(entry))
    except RuntimeError as error:  # such as 0 × 2⁶², which is well-formed but not for PyTorch
        raise KistError(file, f"{entry}: dims", f"PyTorch has no shape {list(entry.shape)}") from error


def _torch_shape(entry: Entry) -> tuple[int, ...]:
    """The shape of the tensor: PyTorch's F4 has two elements in each of its own, F6 are bytes to it."""
    shape = array_shape(entry)
    if not entry.dtype.is_packed:
        return shape
    if entry.dtype.name in _DTYPES and shape and shape[-1] % 2 == 0:
        return (*shape[:-1], shape[-1] // 2)
    return (entry.raw_length,)


def torch_dtype(entry: Entry) -> torch.dtype:
    """The dtype of the tensor; bytes where PyTorch has none for it, as for blocks."""
    return _DTYPES.get(entry.dtype.name, torch.uint8)


def _viewed(file: str, entry: Entry, content: NDArray[np.uint8]) -> Tensor:
    """Bytes as one dimension of elements; they stay where they are."""
    dtype = entry.dtype
    if dtype.code and dtype.numpy is not None and not dtype.is_packed and dtype.name not in _DTYPES:
        raise KistError(file, f"{entry}: dtype", f"this PyTorch has no {dtype.name}")
    if dtype.name == "BOOL" and (content > 1).any():
        content = (content != 0).view(np.uint8)
    theirs = torch_dtype(entry)
    return torch.from_numpy(content).view(theirs) if len(content) else torch.empty(0, dtype=theirs)


# For writing.


def _contents(tensors: Mapping[str, Tensor], file: str) -> dict[str, Content]:
    _check_tensors(tensors)
    contents: dict[str, Content] = {}
    for name, tensor in tensors.items():
        dtype = _OF_TORCH.get(tensor.dtype)
        if dtype is None:
            raise KistError(file, f"tensor {name!r}: dtype", f'Unknown dtype "{tensor.dtype}"')
        if not tensor.is_contiguous():
            raise ValueError(
                f"You are trying to save a non contiguous tensor: `{name}` which is not allowed. It either means you are"
                " trying to save tensors which are reference of each other, in which case save only the full tensors and"
                " slice when loading, or call `.contiguous()` on it before saving."
            )
        flat = tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy()
        shape = tuple(tensor.shape)
        if dtype == "F4":
            shape = (*shape[:-1], 2 * shape[-1])
        contents[name] = Content(dtype, shape, flat)
    return contents


def _check_tensors(tensors: Mapping[str, Tensor]) -> None:
    if not isinstance(tensors, Mapping):
        raise ValueError(f"Expected a dict of [str, torch.Tensor] but received {type(tensors)}")
    for name, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor):
            raise ValueError(f"Key `{name}` is invalid, expected torch.Tensor but received {type(tensor)}")
    sparse = [name for name, tensor in tensors.items() if tensor.layout != torch.strided]
    if sparse:
        raise ValueError(
            f"You are trying to save a sparse tensors: `{sparse}` which this library does not support."
            " You can make it a dense tensor before saving with `.to_dense()`."
        )
    sharing = _sharing(tensors)
    if sharing:
        raise RuntimeError(
            f"Some tensors share memory, this will lead to duplicate memory on disk and potential differences when loading"
            f" them again: {sharing}. A potential way to correctly save your model is to use `save_model`."
        )


def _range(tensor: Tensor) -> tuple[int, int]:
    """The memory from a tensor's first element to behind its last."""
    start = tensor.data_ptr()
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return start, start + (last + 1) * tensor.element_size()


def _sharing(tensors: Mapping[str, Tensor]) -> list[set[str]]:
    """Names of tensors that lie over one another, together."""
    storages: dict[tuple[Any, int], list[tuple[int, int, str]]] = {}
    for name, tensor in tensors.items():
        if tensor.layout == torch.strided and tensor.device.type != "meta" and tensor.numel():
            key = tensor.device, tensor.untyped_storage().data_ptr()
            storages.setdefault(key, []).append((*_range(tensor), name))
    groups: list[set[str]] = []
    for ranges in storages.values():
        end = -1
        for start, stop, name in sorted(ranges):
            if start >= end:
                groups.append(set())
            groups[-1].add(name)
            end = max(end, stop)
    return [group for group in groups if len(group) > 1]


def _duplicates(state: Mapping[str, Tensor], preferred: Iterable[str] = ()) -> dict[str, list[str]]:
    """Of tensors that share memory, the one that is kept, which has all of it: and the others."""
    wanted = set(preferred)
    found: dict[str, list[str]] = {}
    for group in _sharing(state):
        whole = sorted(name for name in group if _has_whole_storage(state[name]))
        if not whole:
            raise RuntimeError(
                "Error while trying to find names to remove to save state dict, but found no suitable name to keep for"
                f" saving amongst: {group}. None is covering the entire storage. Refusing to save/load the model since you"
                " could be storing much more memory than needed."
            )
        kept = next((name for name in whole if name in wanted), whole[0])
        found[kept] = sorted(group - {kept})
    return found


def _has_whole_storage(tensor: Tensor) -> bool:
    storage = tensor.untyped_storage()
    return tensor.data_ptr() == storage.data_ptr() and tensor.numel() * tensor.element_size() == storage.nbytes()
