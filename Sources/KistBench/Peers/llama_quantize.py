"""Times llama-quantize on a random bf16 Llama: seconds per number of the types named, and one thread count.

    python llama_quantize.py LLAMA-QUANTIZE FOLDER THREADS RUNS TYPE...
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import gguf
import numpy as np

WIDTH, HIDDEN, LAYERS, VOCABULARY = 1024, 2816, 8, 16384


def write_model(path):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(16)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("no_vocab")
    writer.add_vocab_size(VOCABULARY)
    random = np.random.default_rng(1)
    numbers = 0

    def add(name, *shape):
        nonlocal numbers
        weights = (random.standard_normal(shape, dtype=np.float32) * 0.02).view(np.uint32)
        bits = ((weights + 0x7FFF + (weights >> 16 & 1)) >> 16).astype(np.uint16)
        writer.add_tensor(name, bits, raw_dtype=gguf.GGMLQuantizationType.BF16)
        numbers += bits.size

    add("token_embd.weight", VOCABULARY, WIDTH)
    add("output.weight", VOCABULARY, WIDTH)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    for layer in range(LAYERS):
        for name in ["attn_q", "attn_k", "attn_v", "attn_output"]:
            add(f"blk.{layer}.{name}.weight", WIDTH, WIDTH)
        for name in ["ffn_gate", "ffn_up"]:
            add(f"blk.{layer}.{name}.weight", HIDDEN, WIDTH)
        add(f"blk.{layer}.ffn_down.weight", WIDTH, HIDDEN)
        for name in ["attn_norm", "ffn_norm"]:
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return numbers


command, folder, threads, runs, *types = sys.argv[1:]
model = Path(folder) / "random-llama.gguf"
numbers = write_model(str(model))
result = {}
for name in types:
    best = float("inf")
    for _ in range(int(runs)):
        start = time.perf_counter()
        run = subprocess.run(
            [command, "--pure", str(model), str(model.with_suffix(".quantized")), name, threads],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if run.returncode == 0:
            best = min(best, time.perf_counter() - start)
    # It refuses some types without an importance matrix.
    if best < float("inf"):
        result[name] = best / numbers
print(json.dumps(result))
