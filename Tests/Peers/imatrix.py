"""python Tests/Peers/imatrix.py KIST LLAMA-IMATRIX [NAME…]    (pip install torch==2.15.0 transformers==5.23.0 gguf==0.19.0 numpy)

Random models that transformers makes, of experts and without, become F32 GGUFs; `kist imatrix` and llama-imatrix (Tests/Peers/llama_cpp.sh
builds it) collect on the same text. Tensors, counts of every expert and chunks must be equal, sums nearly; what Kist collects in parts and adds
up likewise. Two matrices added up by both are the same file. Exits with 1 where something differs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gguf
import numpy as np
import torch
import transformers

WORLD = Path(__file__).resolve().parents[2] / "Fixtures/world-llama"
TEXT = WORLD / "held-out.txt"
TOLERANCE = 2e-4
"""Of a sum, or of a thousandth of the tensor's largest: both compute in f32, llama.cpp sums in it too."""

EXACT = ("--cache-type-k", "f32", "--cache-type-v", "f32", "--flash-attn", "off")
"""llama.cpp rounds keys and values to f16 otherwise, and then now and then another expert is the best."""

COMMON = {
    "vocab_size": 1024, "hidden_size": 128, "intermediate_size": 160, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
    "max_position_embeddings": 1024, "initializer_range": 0.15, "tie_word_embeddings": False, "bos_token_id": 0, "eos_token_id": 0,
}  # fmt: skip
EXPERTS = {"num_experts": 8, "num_experts_per_tok": 3, "moe_intermediate_size": 96}
MODELS: dict[str, tuple[str, dict[str, object]]] = {
    "llama": ("Llama", {}),
    "qwen3": ("Qwen3", {"head_dim": 32}),
    "mixtral": ("Mixtral", {"num_local_experts": 8, "num_experts_per_tok": 2}),
    "qwen2-moe": ("Qwen2Moe", {**EXPERTS, "shared_expert_intermediate_size": 64, "norm_topk_prob": False}),
    "qwen3-moe": ("Qwen3Moe", {**EXPERTS, "head_dim": 32, "norm_topk_prob": True}),
    # So many experts that some are never taken. llama.cpp weighs those of Qwen 3 so that they add up to 1.
    "many": ("Qwen3Moe", {**EXPERTS, "head_dim": 32, "num_experts": 64, "num_experts_per_tok": 2, "norm_topk_prob": True}),
}

Matrix = dict[str, np.ndarray]


def make(name: str, folder: Path) -> None:
    kind, settings = MODELS[name]
    config = getattr(transformers, f"{kind}Config")(**{**COMMON, **settings})
    torch.manual_seed(1)
    getattr(transformers, f"{kind}ForCausalLM")(config).save_pretrained(folder)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(WORLD / file, folder / file)


def run(*command: str | Path) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.returncode} {done.stderr.strip()[-800:]}")


def read(path: Path) -> tuple[Matrix, list[int]]:
    """Tensors of an importance matrix, and its chunks: how many, and of how many tokens."""
    file = gguf.GGUFReader(path)
    chunks = [int(file.fields[f"imatrix.chunk_{key}"].contents()) for key in ("count", "size")]
    return {tensor.name: np.array(tensor.data) for tensor in file.tensors}, chunks


def differences(ours: Path, theirs: Path) -> list[str]:
    (a, own_chunks), (b, chunks) = read(ours), read(theirs)
    told = [f"only in {path}: {name}" for path, names in ((ours.name, a.keys() - b.keys()), (theirs.name, b.keys() - a.keys()))
            for name in sorted(names)]  # fmt: skip
    if own_chunks != chunks:
        told.append(f"chunks {own_chunks}, llama-imatrix {chunks}")
    for name in sorted(a.keys() & b.keys()):
        if a[name].shape != b[name].shape:
            told.append(f"{name}: {a[name].shape}, llama-imatrix {b[name].shape}")
        elif name.endswith(".counts"):
            if not np.array_equal(a[name], b[name]):
                told.append(f"{name}: {a[name].ravel()}, llama-imatrix {b[name].ravel()}")
        else:
            worst = np.max(np.abs(a[name] - b[name]) / np.maximum(b[name], 1e-3 * b[name].max()))
            if not worst <= TOLERANCE:
                told.append(f"{name}: sums differ by up to {worst:.2g}")
    return told


def compare(kist: str, llama: str, name: str, folder: Path) -> list[str]:
    source, model = folder / "hf", folder / "model.gguf"
    make(name, source)
    run(kist, "convert", source, "-o", model, "--type", "f32", "--no-verify", "--quiet")
    theirs = folder / "theirs.gguf"
    run(llama, "-m", model, "-f", TEXT, "-o", theirs, "--ctx-size", "512", "--no-ppl", "--threads", "2", *EXACT)
    told: list[str] = []
    for kind, path in (("GGUF", model), ("directory", source)):
        ours = folder / "ours.gguf"
        run(kist, "imatrix", path, "--text", TEXT, "-o", ours, "--force")
        told += [f"{kind}: {text}" for text in differences(ours, theirs)]
    parts = [folder / f"part-{number}.gguf" for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        run(kist, "imatrix", model, "--text", TEXT, "-o", part, "--part", f"{number}/2")
    run(kist, "imatrix", *parts, "-o", folder / "sum.gguf")
    told += [f"parts: {text}" for text in differences(folder / "sum.gguf", theirs)]

    # Two texts: both programs add up the same two files.
    run(kist, "imatrix", theirs, parts[0], "-o", folder / "added.gguf")
    run(llama, "-m", model, "--in-file", theirs, "--in-file", parts[0], "-o", folder / "combined.gguf", "--ctx-size", "512")
    # llama.cpp names a text as often as it comes.
    told += [f"added: {text}" for text in differences(folder / "added.gguf", folder / "combined.gguf")]
    return told


def main() -> None:
    kist, llama = map(os.path.abspath, sys.argv[1:3])
    transformers.logging.disable_progress_bar()
    wrong = 0
    names = sys.argv[3:] or list(MODELS)
    for name in names:
        with tempfile.TemporaryDirectory() as temporary:
            told = compare(kist, llama, name, Path(temporary))
        wrong += bool(told)
        for text in told[:20]:
            print(f"{name}: {text}", flush=True)
    print(f"imatrix: {len(names)} models against llama-imatrix: {wrong} differ")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
