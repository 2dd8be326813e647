"""python Fixtures/make/bench_llama.py FOLDER [--type bf16|f32] [--tokenizer FILE... | --no-tokenizer]    (pip install numpy ml_dtypes tokenizers==0.23.3)

Writes the model that the benches run: a Llama of 246 million parameters (1024 wide, 16 layers, BF16, 492 MB, or the same values in F32) in Hugging Face form.
Its weights are random, normal with a deviation of 0.02, and the same each time. The tokenizer is a byte-level BPE of 32,000 tokens
learned from Python's own sources and documentation, or from the text FILEs given; so its tokens depend on what is there.
"""

from __future__ import annotations

import argparse
import json
import struct
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libraries_first  # noqa: F401
import ml_dtypes
import numpy as np

WIDTH, FEED_FORWARD, LAYERS, HEADS, KEY_VALUE_HEADS, VOCABULARY = 1024, 2816, 16, 16, 4, 32000
SPECIAL = ["<s>", "</s>"]
TYPES = {ml_dtypes.bfloat16: "BF16", np.float32: "F32"}
CORPUS_BYTES = 16_000_000


def configuration(type: str) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "bos_token_id": 0,
        "eos_token_id": 1,
        "head_dim": WIDTH // HEADS,
        "hidden_act": "silu",
        "hidden_size": WIDTH,
        "initializer_range": 0.02,
        "intermediate_size": FEED_FORWARD,
        "max_position_embeddings": 4096,
        "model_type": "llama",
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "num_key_value_heads": KEY_VALUE_HEADS,
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "torch_dtype": {"bf16": "bfloat16", "f32": "float32"}[type],
        "vocab_size": VOCABULARY,
    }


def shapes() -> dict[str, tuple[int, ...]]:
    keys = WIDTH // HEADS * KEY_VALUE_HEADS
    named: dict[str, tuple[int, ...]] = {"lm_head.weight": (VOCABULARY, WIDTH), "model.embed_tokens.weight": (VOCABULARY, WIDTH)}
    for layer in range(LAYERS):
        named |= {
            f"model.layers.{layer}.{name}.weight": shape
            for name, shape in {
                "input_layernorm": (WIDTH,),
                "mlp.down_proj": (WIDTH, FEED_FORWARD),
                "mlp.gate_proj": (FEED_FORWARD, WIDTH),
                "mlp.up_proj": (FEED_FORWARD, WIDTH),
                "post_attention_layernorm": (WIDTH,),
                "self_attn.k_proj": (keys, WIDTH),
                "self_attn.o_proj": (WIDTH, WIDTH),
                "self_attn.q_proj": (WIDTH, WIDTH),
                "self_attn.v_proj": (keys, WIDTH),
            }.items()
        }
    return dict(sorted((named | {"model.norm.weight": (WIDTH,)}).items()))


def weights(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    values = random.standard_normal(shape, dtype=np.float32) * np.float32(0.02)
    return (values + 1 if len(shape) == 1 else values).astype(ml_dtypes.bfloat16)


def write_weights(path: Path, dtype: Any) -> int:
    """Writes one tensor after the other, and returns how many parameters they have."""
    named, offset = shapes(), 0
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    for name, shape in named.items():
        end = offset + np.dtype(dtype).itemsize * int(np.prod(shape))
        header[name] = {"dtype": TYPES[dtype], "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    random = np.random.Generator(np.random.SFC64(20262))
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for shape in named.values():
            file.write(weights(random, shape).astype(dtype).tobytes())
    return offset // np.dtype(dtype).itemsize


def lines(files: list[Path]) -> Iterator[str]:
    left = CORPUS_BYTES
    for path in files:
        for line in path.read_text(encoding="utf-8", errors="ignore").splitlines(keepends=True):
            left -= len(line)
            if left < 0:
                return
            yield line


def learned_tokenizer(files: list[Path]) -> Any:
    import tokenizers

    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(lines(files), trainer)
    if tokenizer.get_vocab_size() != VOCABULARY:
        raise SystemExit(f"the text gives only {tokenizer.get_vocab_size()} tokens; name more with --tokenizer")
    return tokenizer


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_tokenizer(folder: Path, files: list[Path]) -> None:
    learned_tokenizer(files).save(str(folder / "tokenizer.json"), pretty=False)
    write_json(folder / "tokenizer_config.json", {
        "add_bos_token": False,
        "bos_token": SPECIAL[0],
        "clean_up_tokenization_spaces": False,
        "eos_token": SPECIAL[1],
        "model_max_length": 4096,
        "tokenizer_class": "PreTrainedTokenizerFast",
    })  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--type", choices=["bf16", "f32"], default="bf16")
    parser.add_argument("--no-tokenizer", action="store_true")
    parser.add_argument("--tokenizer", type=Path, nargs="+", metavar="FILE")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    if not arguments.no_tokenizer:
        write_tokenizer(folder, arguments.tokenizer or sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*/**/*.py")))
    write_json(folder / "config.json", configuration(arguments.type))
    dtype = {"bf16": ml_dtypes.bfloat16, "f32": np.float32}[arguments.type]
    print(f"{folder}: {write_weights(folder / 'model.safetensors', dtype):,} parameters")


if __name__ == "__main__":
    main()
