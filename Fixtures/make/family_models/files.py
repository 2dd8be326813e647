"""Models to Hugging Face folders and back, by transformers."""

from __future__ import annotations

import json
import re
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from safetensors_bytes import Tensor, save

from .family import REMOVED, Family, changed
from .gpt_oss import packed, unpacked
from .outside import STANDS

DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
NAMES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.uint8: "U8", torch.int64: "I64"}
CLASSES = {"causal": transformers.AutoModelForCausalLM, "encoder": transformers.AutoModel}


def options(family: Family) -> dict[str, Any]:
    return {"attn_implementation": family.attention, "experts_implementation": "eager", "dtype": torch.float32}


def tensor_of(values: torch.Tensor) -> Tensor:
    values = values.detach().contiguous()
    return Tensor(NAMES[values.dtype], tuple(values.shape), values.reshape(-1).view(torch.uint8).numpy().tobytes())


def write_config(folder: Path, config: dict[str, Any]) -> None:
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def known_config(family: Family, config: dict[str, Any]) -> dict[str, Any]:
    """`config` as transformers knows it, of weights that are not packed."""
    config = changed(config, {"quantization_config": REMOVED})
    return STANDS[family.stand].config(config) if family.stand else config


def known_weights(family: Family, config: dict[str, Any], weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    weights = unpacked(weights) if family.packed else weights
    return STANDS[family.stand].from_hub(weights, config) if family.stand else weights


def new_model(family: Family) -> Any:
    with tempfile.TemporaryDirectory() as temporary:
        write_config(Path(temporary), known_config(family, family.config))
        config = transformers.AutoConfig.from_pretrained(temporary)
    return CLASSES[family.task].from_config(config, **options(family))


def read_model(family: Family, folder: Path) -> Any:
    """The model as the files say, in f32; a name that transformers does not know or misses is an error."""
    with tempfile.TemporaryDirectory() as temporary:
        if family.stand or family.packed:
            config = json.loads((folder / "config.json").read_text())
            write_config(Path(temporary), known_config(family, config))
            weights = known_weights(family, config, load_file(folder / "model.safetensors"))
            save_file(weights, Path(temporary) / "model.safetensors", {"format": "pt"})
            folder = Path(temporary)
        model, report = CLASSES[family.task].from_pretrained(folder, output_loading_info=True, **options(family))
    report["unexpected_keys"] = set(report["unexpected_keys"]) - {name for name, _ in family.ignored}
    wrong = {kind: names for kind, names in report.items() if names}
    if wrong:
        raise SystemExit(f"{family.name}: {wrong}")
    return model.eval()


def write_model(family: Family, folder: Path, model: Any) -> None:
    """config.json, and model.safetensors with the names the Hub has (save_pretrained undoes what transformers fuses)."""
    folder.mkdir(parents=True, exist_ok=True)
    write_config(folder, family.config)
    with tempfile.TemporaryDirectory() as temporary:
        model.save_pretrained(temporary)
        weights = load_file(Path(temporary) / "model.safetensors")
    weights = {name: values.to(DTYPES[family.dtype]) for name, values in weights.items()}
    if family.stand:
        weights = STANDS[family.stand].to_hub(weights, family.config)
    if family.packed:
        weights = packed(weights, np.random.default_rng(zlib.crc32(family.name.encode())))
    for pattern, replacement in family.renamed:
        weights = {re.sub(pattern, replacement, name): values for name, values in weights.items()}
    weights |= {name: torch.full(shape, 0.5) for name, shape in family.ignored}
    stored = {name: tensor_of(values) for name, values in weights.items()}
    (folder / "model.safetensors").write_bytes(save(stored, {"format": "pt"}))
