"""python Fixtures/make/tiny_llama.py    (pip install numpy ml_dtypes; rewrites Fixtures/tiny-llama and Fixtures/tiny-llama-sharded)

Two Llama-shaped Hugging Face directories with random weights of realistic size and a small byte-level BPE tokenizer.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from safetensors_bytes import Tensor, save

FIXTURES = Path(__file__).resolve().parents[1]
CORPUS = """\
A container keeps the weights of a language model together with everything that is needed to run them: the configuration,
the tokenizer, the chat template and the licence. Each tensor is cut into chunks, each chunk is checked when it is read,
and the whole file can be verified without the network. The same input gives the same bytes, on any machine, on any day.
The quick brown fox jumps over the lazy dog. Then the other dog thinks about the weather, and the fox goes home again.
When a program stops in the middle of writing, the older commit still stands; nothing before it was touched. Numbers
that come from elsewhere are never trusted: every length, every offset and every product is compared with what is really
there. Some people read specifications for pleasure. Others want working examples, good error messages and a short manual page.
Question: what is the capital of France? Answer: Paris. Question: how many legs does a spider have? Answer: eight.
"""
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
SPECIAL = ["<unk>", "<s>", "</s>"]


def byte_letters() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable} | {byte: chr(256 + at) for at, byte in enumerate(others)}
    return [letters[byte] for byte in range(256)]


def learn_merges(letters: list[str], count: int) -> list[tuple[str, str]]:
    """Plain BPE over words that begin with their space; the commonest pair first, then the least by code point."""
    words = Counter(CORPUS.replace("\n", " ").replace(" ", "\n ").split("\n"))
    pieces = {word: [letters[byte] for byte in word.encode()] for word in words}
    merges: list[tuple[str, str]] = []
    while len(merges) < count:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, parts in pieces.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += words[word]
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for parts in pieces.values():
            at = 0
            while at < len(parts) - 1:
                if (parts[at], parts[at + 1]) == best:
                    parts[at : at + 2] = ["".join(best)]
                at += 1
    return merges


def tokenizer(vocabulary: int) -> dict[str, Any]:
    letters = byte_letters()
    merges = learn_merges(letters, vocabulary - len(SPECIAL) - 256)
    tokens = SPECIAL + letters + ["".join(pair) for pair in merges]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": at, "content": token} | flags for at, token in enumerate(SPECIAL)],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: at for at, token in enumerate(tokens)},
            "merges": [list(pair) for pair in merges],
        },
    }


def config(hidden: int, intermediate: int, layers: int, vocabulary: int, dtype: str) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "head_dim": hidden // 4,
        "hidden_act": "silu",
        "hidden_size": hidden,
        "initializer_range": 0.02,
        "intermediate_size": intermediate,
        "max_position_embeddings": 256,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": 4,
        "num_hidden_layers": layers,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "torch_dtype": dtype,
        "vocab_size": vocabulary,
    }


def weights(settings: dict[str, Any], seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    hidden, intermediate = settings["hidden_size"], settings["intermediate_size"]
    keys = hidden // 2

    def matrix(rows: int, columns: int, deviation: float = 0.02) -> np.ndarray:
        return (random.standard_normal((rows, columns)) * deviation).astype(np.float32)

    tensors = {"model.embed_tokens.weight": matrix(settings["vocab_size"], hidden)}
    for layer in range(settings["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        tensors[prefix + "input_layernorm.weight"] = 1 + matrix(1, hidden, 0.05)[0]
        tensors[prefix + "self_attn.q_proj.weight"] = matrix(hidden, hidden)
        tensors[prefix + "self_attn.k_proj.weight"] = matrix(keys, hidden)
        tensors[prefix + "self_attn.v_proj.weight"] = matrix(keys, hidden)
        tensors[prefix + "self_attn.o_proj.weight"] = matrix(hidden, hidden, 0.014)
        tensors[prefix + "post_attention_layernorm.weight"] = 1 + matrix(1, hidden, 0.05)[0]
        tensors[prefix + "mlp.gate_proj.weight"] = matrix(intermediate, hidden)
        tensors[prefix + "mlp.up_proj.weight"] = matrix(intermediate, hidden)
        tensors[prefix + "mlp.down_proj.weight"] = matrix(hidden, intermediate, 0.014)
    tensors["model.norm.weight"] = 1 + matrix(1, hidden, 0.05)[0]
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"]  # tied: the same bytes twice
    return tensors


def write_json(path: Path, value: Any, indent: int | None = 2) -> None:
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")


def write_small_files(folder: Path, settings: dict[str, Any]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_json(folder / "config.json", settings)
    write_json(folder / "generation_config.json", {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2})
    (folder / "README.md").write_text(f"# {folder.name}\n\nRandom weights; made by Fixtures/make/tiny_llama.py.\n")


def tiny_llama() -> None:
    folder = FIXTURES / "tiny-llama"
    settings = config(hidden=128, intermediate=344, layers=2, vocabulary=512, dtype="bfloat16")
    write_small_files(folder, settings)
    write_json(folder / "tokenizer.json", tokenizer(512), indent=None)
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    write_json(folder / "tokenizer_config.json", special | {
        "add_bos_token": False,
        "chat_template": CHAT_TEMPLATE,
        "model_max_length": 256,
        "tokenizer_class": "PreTrainedTokenizerFast",
    })  # fmt: skip
    (folder / "prompts").mkdir()
    (folder / "prompts/hello.txt").write_text("Hello, weights.\n")
    tensors = {
        name: Tensor("BF16", values.shape, values.astype(ml_dtypes.bfloat16).tobytes())
        for name, values in weights(settings, seed=20260).items()
    }
    (folder / "model.safetensors").write_bytes(save(tensors, {"format": "pt"}))


def tiny_llama_sharded() -> None:
    folder = FIXTURES / "tiny-llama-sharded"
    settings = config(hidden=32, intermediate=88, layers=2, vocabulary=128, dtype="float32")
    write_small_files(folder, settings)
    tensors = weights(settings, seed=20261)
    names = list(tensors)
    cuts = [0, next(at for at, name in enumerate(names) if ".mlp." in name),
            next(at for at, name in enumerate(names) if ".1.mlp." in name), len(names)]  # fmt: skip
    metadata = [{"format": "pt"}, {"format": "pt", "note": "the second shard, ß"}, None]
    weight_map: dict[str, str] = {}
    for shard in range(3):
        file = f"model-{shard + 1:05}-of-00003.safetensors"
        part = {name: Tensor("F32", tensors[name].shape, tensors[name].tobytes())
                for name in names[cuts[shard] : cuts[shard + 1]]}  # fmt: skip
        (folder / file).write_bytes(save(part, metadata[shard]))
        weight_map |= dict.fromkeys(part, file)
    total = sum(values.nbytes for values in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    write_json(folder / "model.safetensors.index.json", index)


if __name__ == "__main__":
    tiny_llama()
    tiny_llama_sharded()
