"""python Tests/Peers/gguf_tokenizers.py KIST LLAMA-TOKENIZE [NAME…]    (pip install numpy)

Whether llama.cpp gives the ids of the library that a tokenizer is from, once Kist made a GGUF of it: each of Fixtures/tokenizers/files
that has one is put beside a small model, converted, and run by llama.cpp's `llama-tokenize` on the texts of its golden.jsonl.
Prints the first difference of each. Exits with 1 if there is one that is not listed here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import numpy as np

FILES = Path(__file__).resolve().parents[2] / "Fixtures/tokenizers/files"
NAMES = [
    "bert-cased", "bert-uncased", "falcon", "gpt2", "llama2", "llama3", "o200k", "qwen", "sentencepiece-bpe",
    "sentencepiece-unigram", "starcoder", "tekken", "tekken-pattern", "tiktoken-llama3", "tiktoken-o200k_base",
    "tiktoken-r50k_base", "vocab-json-qwen2", "vocab-txt", "xlm-roberta",
]  # fmt: skip
WIDTH = 8


def write_model(folder: Path, size: int) -> None:
    """A small Llama with so many tokens."""
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": WIDTH, "intermediate_size": WIDTH, "vocab_size": size,
        "num_attention_heads": 1, "num_key_value_heads": 1, "num_hidden_layers": 1, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True, "rope_theta": 10000.0, "hidden_act": "silu", "head_dim": WIDTH, "torch_dtype": "float32",
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    layer = "model.layers.0."
    shapes = {"model.embed_tokens": (size, WIDTH), "model.norm": (WIDTH,)}
    shapes |= {layer + name: (WIDTH,) for name in ("input_layernorm", "post_attention_layernorm")}
    shapes |= {f"{layer}self_attn.{name}_proj": (WIDTH, WIDTH) for name in "qkvo"}
    shapes |= {f"{layer}mlp.{name}_proj": (WIDTH, WIDTH) for name in ("gate", "up", "down")}
    header, offset = {}, 0
    for name, shape in shapes.items():
        end = offset + 4 * int(np.prod(shape))
        header[name + ".weight"] = {"dtype": "F32", "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(offset))


def size_of(kist: str, folder: Path) -> int:
    report = json.loads(subprocess.check_output([kist, "tokenizer", "inspect", folder, "--json"]))
    return report["ids"]


def llama_ids(program: str, model: Path, text: str, file: Path, *options: str) -> list[int]:
    file.write_text(text, encoding="utf-8", newline="")
    command = [program, "-m", model, "-f", file, "--ids", "--no-bos", "--log-disable", *options]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(output.strip().splitlines()[-1])


def is_different(name: str, text: str) -> bool:
    """What llama.cpp does in its own way, whatever a file says."""
    if "qwen" in name and unicodedata.normalize("NFC", text) != text:
        return True  # it normalizes nothing before byte-level models
    if name == "sentencepiece-bpe":
        return "<sep>" in text  # pieces that the user defined are pieces like others
    if name == "xlm-roberta":
        # tokenizers applies the character map to whole graphemes; and ▁ is a space.
        return any(scalar in text for scalar in "\u200b\u200d▁")
    # In lower case; and ▁ marks the beginning of a word.
    return name == "vocab-txt" and any(scalar in text for scalar in "İẞ▁")


def compare(kist: str, program: str, name: str, folder: Path) -> str | None:
    for file in (FILES / name).iterdir():
        if file.name != "golden.jsonl":
            (folder / file.name).write_bytes(file.read_bytes())
    write_model(folder, size_of(kist, FILES / name))
    model = folder / "model.gguf"
    subprocess.run([kist, "convert", folder, "-o", model, "--no-verify", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    # These libraries take special tokens in a text for text.
    options = ["--no-parse-special"] if name.startswith(("tiktoken", "tekken", "sentencepiece")) and name != "tekken-pattern" else []
    for line in (FILES / name / "golden.jsonl").read_text(encoding="utf-8").strip().split("\n"):
        golden = json.loads(line)
        text = golden["text"]
        if "\0" in text or not text or is_different(name, text):
            continue
        ids = llama_ids(program, model, text, folder / "text.txt", *options)
        if ids != golden["ids"]:
            return f"{text!r}: {ids}, and its library gives {golden['ids']}"
    return None


def main() -> int:
    kist, program, names = sys.argv[1], sys.argv[2], sys.argv[3:] or NAMES
    failures = 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            try:
                problem = compare(kist, program, name, Path(folder))
            except Exception as error:  # whatever a program says is a failure of that one
                problem = f"{type(error).__name__}: {error}"
        print(f"{name}: {problem or 'the same ids'}")
        failures += problem is not None
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
