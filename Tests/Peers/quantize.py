"""python Tests/Peers/quantize.py KIST LLAMA-QUANTIZE [MODEL.gguf] [--threads N] [--only TYPE...]    (pip install gguf==0.19.0 numpy)

Quantizes a GGUF with Kist and with llama.cpp, with and without an importance matrix, for every mixture, and compares whole files. Without
a model, makes a Llama of random BF16 weights. Prints both times. Exits with 1 if a file differs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gguf
import numpy as np

MIXTURES = (
    "Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q2_0 Q1_0 TQ1_0 TQ2_0 MXFP4_MOE F16 BF16 F32 Q6_K Q5_K_M Q5_K_S Q4_K_M Q4_K_S Q3_K_L Q3_K_M Q3_K_S Q2_K "
    "Q2_K_S IQ4_NL IQ4_XS IQ3_M IQ3_S IQ3_XS IQ3_XXS IQ2_M IQ2_S IQ2_XS IQ2_XXS IQ1_M IQ1_S"
).split()
WIDTH, HIDDEN, LAYERS, VOCABULARY = 512, 1280, 8, 2048


def write_model(path: Path) -> None:
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(8)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("no_vocab")

    def add(name: str, *shape: int) -> None:
        bits = (random.standard_normal(shape, dtype=np.float32) * 0.02).view(np.uint32) >> 16
        writer.add_tensor(name, bits.astype(np.uint16).view(np.uint8), raw_dtype=gguf.GGMLQuantizationType.BF16)

    add("token_embd.weight", VOCABULARY, WIDTH)
    add("output.weight", VOCABULARY, WIDTH)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    for layer in range(LAYERS):
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(WIDTH, np.float32))
        for name, rows, columns in (
            ("attn_q", WIDTH, WIDTH), ("attn_k", WIDTH // 4, WIDTH), ("attn_v", WIDTH // 4, WIDTH), ("attn_output", WIDTH, WIDTH),
            ("ffn_gate", HIDDEN, WIDTH), ("ffn_up", HIDDEN, WIDTH), ("ffn_down", WIDTH, HIDDEN),
        ):  # fmt: skip
            add(f"blk.{layer}.{name}.weight", rows, columns)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_importance(model: Path, path: Path) -> None:
    random = np.random.default_rng(2)
    writer = gguf.GGUFWriter(path, "")
    writer.kv_data[0].clear()
    writer.add_string("general.type", "imatrix")
    writer.add_array("imatrix.datasets", ["random"])
    writer.add_uint32("imatrix.chunk_count", 4)
    writer.add_uint32("imatrix.chunk_size", 512)
    for tensor in gguf.GGUFReader(model).tensors:
        if tensor.name.startswith("blk.") and len(tensor.shape) == 2:
            sums = np.exp(random.standard_normal(int(tensor.shape[0]))).astype(np.float32) * 2048
            writer.add_tensor(tensor.name + ".in_sum2", sums)
            writer.add_tensor(tensor.name + ".counts", np.array([2048], np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def timed(command: list[str], folder: Path) -> tuple[float, subprocess.CompletedProcess[str]]:
    start = time.perf_counter()
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return time.perf_counter() - start, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kist")
    parser.add_argument("llama_quantize")
    parser.add_argument("model", nargs="?")
    parser.add_argument("--threads", default=str(os.cpu_count()))
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--kinds", nargs="*", default=["plain", "imatrix"])
    options = parser.parse_args()
    kist, llama = os.path.abspath(options.kist), os.path.abspath(options.llama_quantize)
    failures = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = Path(options.model).resolve() if options.model else folder / "model.gguf"
        if not options.model:
            write_model(model)
        write_importance(model, folder / "im.gguf")
        for kind in options.kinds:
            extra = ["--imatrix", "im.gguf"] if kind == "imatrix" else []
            for mixture in options.only or MIXTURES:
                theirs, run = timed([llama, *extra, str(model), "b.gguf", mixture, options.threads], folder)
                if run.returncode != 0:
                    print(f"{kind:8} {mixture:10} llama-quantize refuses", flush=True)
                    continue
                ours, own = timed(
                    [kist, "quantize", str(model), "-o", "a.gguf", "--type", mixture, *extra, "--no-verify", "--force", "--quiet",
                     "--threads", options.threads], folder)  # fmt: skip
                same = own.returncode == 0 and (folder / "a.gguf").read_bytes() == (folder / "b.gguf").read_bytes()
                failures += not same
                word = "same" if same else f"DIFFERS {own.stderr.strip()[:200]}"
                print(f"{kind:8} {mixture:10} {ours:7.2f} s, llama-quantize {theirs:7.2f} s, {theirs / ours:5.1f}×  {word}", flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
