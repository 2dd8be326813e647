"""`safe_open`: the interface of safetensors, for Kist files."""

from __future__ import annotations

import importlib
import os
from types import TracebackType
from typing import Any, Literal

from .errors import KistError
from .file import KistFile
from .slicing import KistSlice, NumpySlice

__all__ = ["safe_open"]

_NUMPY = ("np", "numpy")
_TORCH = ("pt", "torch", "pytorch")


class safe_open:  # safetensors' name
    """Opens a Kist file and gives its tensors as they are asked for.

        with safe_open("model.kist", framework="pt", device="cpu") as f:
            for name in f.keys():
                tensor = f.get_tensor(name)
            rows = f.get_slice("model.embed_tokens.weight")[100:104]

    Args:
        filename: the file.
        framework: `"np"` (or `"numpy"`) or `"pt"` (or `"torch"`, `"pytorch"`).
        device: where PyTorch's tensors go; NumPy has only `"cpu"`.
        check: whether tensors that are stored raw, and so only mapped, are compared with their XXH3 when they are given out.
            Everything that is decoded or copied always is. By default yes for NumPy; no for PyTorch, where a mapped
            tensor is then not read before it is used, as with safetensors.
    """

    def __init__(
        self,
        filename: str | os.PathLike[str],
        framework: str,
        device: Any = "cpu",
        *,
        check: bool | None = None,
        backend: Literal["mmap"] = "mmap",
    ) -> None:
        path = os.fspath(filename)
        if framework not in _NUMPY + _TORCH:
            raise KistError(path, "", f"framework {framework} is invalid")
        if backend != "mmap":
            raise KistError(path, "", f"backend {backend} is invalid; Kist has mmap")
        self._torch: Any = None
        if framework in _TORCH:
            self._torch = importlib.import_module("kist.torch")  # only who asks for it needs PyTorch
            self._device = self._torch.device_of(path, device)
        elif str(device) != "cpu":
            raise KistError(path, "", f"Device {device} is not supported for framework {framework}")
        self._check = framework in _NUMPY if check is None else check
        self._opened: KistFile | None = KistFile(path)
        self._path = path

    @property
    def file(self) -> KistFile:
        """The file, for what safetensors has no words for: assets, digests, verification."""
        if self._opened is None:
            raise KistError(self._path, "", "File is closed")
        return self._opened

    def keys(self) -> list[str]:
        """Names of the tensors, sorted."""
        return list(self.file.index.tensors)

    def offset_keys(self) -> list[str]:
        """Names of the tensors in the order of the source, which is that of the file."""
        return self.file.tensors

    def metadata(self) -> dict[str, str] | None:
        """Key-values, as text; None when there are none. `file.metadata()` has them with their types."""
        members = self.file.metadata()
        return {key: value if isinstance(value, str) else str(value) for key, value in members.items()} or None

    def get_tensor(self, name: str) -> Any:
        """A tensor, whole."""
        file = self.file
        if self._torch is not None:
            return self._torch.tensors_of(file, [name], self._device, self._check)[name]
        return file.array(name, check=self._check)

    def get_tensors(self) -> dict[str, Any]:
        """All tensors, unpacked by all cores at once."""
        file = self.file
        if self._torch is not None:
            return dict(self._torch.tensors_of(file, file.tensors, self._device, self._check))
        return dict(file.arrays(check=self._check))

    def verify(self) -> None:
        """Checks every SHA-256, digest and signature of the file; raises `KistError` for the first thing that is wrong."""
        self.file.verify()

    def get_slice(self, name: str) -> KistSlice:
        """A tensor that is read when it is indexed, as far as the index reaches."""
        file = self.file
        entry = file.tensor(name)
        if self._torch is not None:
            made: KistSlice = self._torch.TorchSlice(file, entry, self._check, self._device)
            return made
        return NumpySlice(file, entry, self._check)

    def __enter__(self) -> safe_open:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._opened = None
