"""A transformers model and its tokenizer straight from a Kist file.

    from kist.transformers import from_pretrained

    model, tokenizer = from_pretrained("model.kist")

The weights that are stored raw stay mapped and are read as they are used; packed ones are unpacked as transformers asks for
them, so there is never a second copy of the model.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoTokenizer, GenerationConfig

from .errors import KistError
from .file import KistFile
from .index import Entry
from .sets import open_set
from .torch import TorchSlice, tensors_of, torch_dtype

__all__ = ["from_pretrained", "load_model", "load_tokenizer"]

# What takes part in making a tokenizer; other files of a package are not written out.
_TOKENIZER_FILES = (
    "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "tekken.json",
    "chat_template.jinja", "chat_template.json", "preprocessor_config.json", "processor_config.json",
)  # fmt: skip
_TOKENIZER_SUFFIXES = (".model", ".tiktoken", ".jinja", ".py")


def from_pretrained(path: str | os.PathLike[str], **kwargs: Any) -> tuple[Any, Any]:
    """A model and its tokenizer, or None where the file has none.

    Args:
        path: a Kist file made from a Hugging Face folder; of a model in shards any of them, or their folder.
        kwargs: for the model's `from_pretrained`, such as `dtype=torch.bfloat16` or `device_map="auto"`;
            `trust_remote_code` goes to the tokenizer too, `model_class` says which class it is to be.
    """
    remote = {key: kwargs[key] for key in ("trust_remote_code",) if key in kwargs}
    return load_model(path, **kwargs), load_tokenizer(path, **remote)


def load_model(path: str | os.PathLike[str], *, model_class: Any = None, **kwargs: Any) -> Any:
    """The model alone. By default of the class that config.json names."""
    files = open_set(path)
    file = files[0]
    if "config.json" not in file.index.assets:
        message = "there is none in it, so that nothing says what the model is; make the file from the model's folder"
        raise KistError(file.path, "config.json", message)
    with _unpacked(file, lambda name: name.endswith((".json", ".py"))) as folder:
        remote = {key: kwargs[key] for key in ("trust_remote_code",) if key in kwargs}
        config = AutoConfig.from_pretrained(folder, **remote)
        cls = model_class or _class_of(file, config)
        model = cls.from_pretrained(None, config=config, state_dict=_state(files), **kwargs)
        if "generation_config.json" in file.index.assets and hasattr(model, "generation_config"):
            model.generation_config = GenerationConfig.from_pretrained(folder)
    model.name_or_path = file.path
    return model


def load_tokenizer(path: str | os.PathLike[str], **kwargs: Any) -> Any:
    """The tokenizer alone; None where the file has none."""
    file = open_set(path)[0]
    if not any(name.startswith(("tokenizer", "vocab", "spiece", "tekken")) for name in file.assets):
        return None
    with _unpacked(file, lambda name: name in _TOKENIZER_FILES or name.endswith(_TOKENIZER_SUFFIXES)) as folder:
        return AutoTokenizer.from_pretrained(folder, **kwargs)


class _Lazy(TorchSlice):
    """A tensor that transformers reads when its turn comes: it asks for `[...]`, as of safetensors' slices."""

    def __init__(self, file: KistFile, entry: Entry) -> None:
        super().__init__(file, entry, False, torch.device("cpu"))

    def __getitem__(self, index: Any) -> torch.Tensor:
        if index is ...:
            return tensors_of(self._file, [self._entry.name], self._device, False)[self._entry.name]
        return super().__getitem__(index)

    @property
    def dtype(self) -> torch.dtype:
        return torch_dtype(self._entry)

    def is_floating_point(self) -> bool:
        return self.dtype.is_floating_point


def _state(files: list[KistFile]) -> dict[str, Any]:
    """What transformers takes for a state dict: since version 5 it reads slices itself, before it wants tensors."""
    state: dict[str, Any] = {}
    for file in files:
        blocks = [name for name in file.tensors if file.tensor(name).dtype.is_blocks]
        if blocks:
            message = "is in blocks, which transformers does not take; kist.dequantize gives numbers"
            raise KistError(file.path, f"tensor {blocks[0]!r}", message)
        if int(transformers.__version__.split(".")[0]) >= 5:
            state |= {name: _Lazy(file, file.tensor(name)) for name in file.tensors}
        else:
            state |= tensors_of(file, file.tensors, torch.device("cpu"), False)
    return state


def _class_of(file: KistFile, config: Any) -> Any:
    """The class that config.json names."""
    names = getattr(config, "architectures", None) or []
    for name in names:
        found = getattr(transformers, name, None)
        if found is not None:
            return found
    remote = getattr(config, "auto_map", None) or {}
    for auto in ("AutoModelForCausalLM", "AutoModel"):
        if auto in remote:
            return getattr(transformers, auto)
    what = json.dumps(names)
    message = f"architectures {what}: transformers {transformers.__version__} has none of them; name one with model_class"
    raise KistError(file.path, "config.json", message)


def _unpacked(file: KistFile, wanted: Callable[[str], bool]) -> tempfile.TemporaryDirectory[str]:
    """A temporary folder with some of the files that came with the model."""
    headers = file.provenance().get("weights", [])
    names = [name for name in file.assets if wanted(name) and name not in headers]
    for name in names:
        if any(part in ("", ".", "..") for part in name.split("/")) or "\\" in name or "\0" in name:
            raise KistError(file.path, f"asset {name!r}: name", "is no path inside a folder")
    folder = tempfile.TemporaryDirectory(prefix="kist-")
    for name in names:
        target = Path(folder.name, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.asset(name))
    return folder
