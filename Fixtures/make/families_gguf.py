"""python Fixtures/make/families_gguf.py LLAMA.CPP COMMIT    (pip install torch sentencepiece transformers==4.57.6, which it pins)

Rewrites Fixtures/families/gguf.json: what llama.cpp's convert_hf_to_gguf.py makes of each model of Fixtures/families. For
each tensor of the GGUF file its name, ggml type, shape (slowest dimension first) and the SHA-256 of its bytes; and the
metadata with the types of values, without the tokenizer's own (the converter is given a stand-in, for these models have none).
Both in the order of the file. Weights stored as F32 are converted with --outtype f32, the others with auto.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.append(sys.path.pop(0))  # the library named tokenizers comes before the script of that name here
LLAMA = Path(sys.argv[1])
sys.path[:0] = [str(LLAMA), str(LLAMA / "gguf-py")]

import gguf
import transformers
from conversion import ModelType, get_model_architecture, get_model_class
from conversion.base import ModelBase, TextModel
from conversion.bert import XLMRobertaModel
from conversion.internlm import InternLM2Model
from conversion.phi import Phi3MiniModel
from family_models import FAMILIES

FOLDER = Path(__file__).resolve().parents[1] / "families"
LEFT_OUT = ("GGUF.", "tokenizer.")
"""Beginnings of keys that are not recorded: those that the reader makes up, and the stand-in's."""


def stand_in_vocabulary(model: TextModel) -> tuple[list[str], list[int], str]:
    size = model.hparams["vocab_size"]
    return [f"t{at}" for at in range(size)], [gguf.TokenType.NORMAL] * size, "default"


def use_stand_in() -> None:
    """Replaces what reads tokenizer files; what the converters set beside them stays."""
    TextModel.get_vocab_base = stand_in_vocabulary
    for name in ("_set_vocab_sentencepiece", "_set_vocab_llama_hf", "_set_vocab_qwen"):
        setattr(TextModel, name, TextModel._set_vocab_gpt2)
    for model in (InternLM2Model, Phi3MiniModel, XLMRobertaModel):
        model.set_vocab = TextModel._set_vocab_gpt2


def convert(folder: Path, output: Path, dtype: str) -> None:
    config = ModelBase.load_hparams(folder, False)
    kind = get_model_class(get_model_architecture(config, ModelType.TEXT))
    file_type = gguf.LlamaFileType.ALL_F32 if dtype == "F32" else gguf.LlamaFileType.GUESSED
    kind(folder, file_type, output, eager=True).write()


def value_of(field: gguf.ReaderField) -> list[Any]:
    """The types of the value, outermost first, and the value."""
    value = field.contents()
    return [[kind.name for kind in field.types], value.tolist() if hasattr(value, "tolist") else value]


def description(file: Path) -> dict[str, Any]:
    reader = gguf.GGUFReader(file)
    metadata = {
        name: value_of(field) for name, field in reader.fields.items() if not name.startswith(LEFT_OUT)
    }
    tensors = {
        tensor.name: [
            gguf.GGMLQuantizationType(tensor.tensor_type).name,
            [int(size) for size in reversed(tensor.shape)],
            hashlib.sha256(tensor.data.tobytes()).hexdigest(),
        ]
        for tensor in reader.tensors
    }
    return {"metadata": metadata, "tensors": tensors}


def described(name: str, dtype: str, size: int) -> dict[str, Any]:
    """The description of one model's GGUF, or why there is none."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / name
        folder.mkdir()
        for file in ("config.json", "model.safetensors"):
            (folder / file).symlink_to(FOLDER / name / file)
        vocabulary = {f"t{at}": at for at in range(size)}
        tokenizer = {"model": {"type": "BPE", "vocab": vocabulary, "merges": []}, "added_tokens": []}
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
        output = Path(temporary) / "model.gguf"
        try:
            convert(folder, output, dtype)
        except Exception as problem:  # the converter's own words; it raises whatever it meets
            return {"refused": f"{type(problem).__name__}: {problem}".replace(temporary, "")[:160]}
        return description(output)


def text_of(models: dict[str, Any], source: str) -> str:
    """JSON with a line for each tensor and each metadata key."""
    lines = ["{", f'"source": {json.dumps(source)},', '"models": {']
    for at, (name, model) in enumerate(models.items()):
        lines.append(f"{json.dumps(name)}: {{")
        for part_at, (part, entries) in enumerate(model.items()):
            last_part = "" if part_at == len(model) - 1 else ","
            if isinstance(entries, str):
                lines.append(f"  {json.dumps(part)}: {json.dumps(entries)}{last_part}")
                continue
            body = ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in entries.items())
            lines.append(f"  {json.dumps(part)}: {{\n{body}\n  }}{last_part}")
        lines.append("}" if at == len(models) - 1 else "},")
    return "\n".join([*lines, "}", "}"]) + "\n"


def main() -> None:
    logging.disable(logging.CRITICAL)
    use_stand_in()
    models = {}
    for family in FAMILIES:
        if "text_config" in family.config:
            continue  # a model with vision: its text model's own fixture stands for it
        models[family.name] = described(family.name, family.dtype, family.config["vocab_size"])
        print(family.name, models[family.name].get("refused", len(models[family.name].get("tensors", {}))))
    source = f"convert_hf_to_gguf.py of llama.cpp {sys.argv[2]}, transformers {transformers.__version__}"
    (FOLDER / "gguf.json").write_text(text_of(models, source), encoding="utf-8")


if __name__ == "__main__":
    main()
