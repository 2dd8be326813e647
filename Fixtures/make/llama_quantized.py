"""A small GGUF, an importance matrix for it, and SHA-256 of what llama-quantize makes of it: Fixtures/quantization/llama.

The model has the names and keys of a Llama and few rows, which llama-quantize does not mind.
Also what llama-imatrix collects on Fixtures/world-llama: world-llama.imatrix.gguf.

    python llama_quantized.py PATH-TO-llama-quantize [PATH-TO-llama-imatrix F32.gguf]
"""

import libraries_first  # noqa: F401
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import ml_dtypes
import numpy

FOLDER = Path(__file__).parent.parent / "quantization" / "llama"
LAYERS = 8
COLUMNS = 256
MIXTURES = (
    "Q1_0 Q2_0 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q2_K_S Q3_K_S Q3_K_M Q3_K_L Q4_K_S Q4_K_M Q5_K_S Q5_K_M Q6_K IQ1_S IQ1_M "
    "IQ2_XXS IQ2_XS IQ2_S IQ2_M IQ3_XXS IQ3_XS IQ3_S IQ3_M IQ4_NL IQ4_XS TQ1_0 TQ2_0 MXFP4_MOE F16 BF16 F32"
).split()
OPTIONS = {
    "pure": ["--pure"],
    "named": ["--tensor-type", "attn_v=q6_k", "--tensor-type", "ffn_up=iq4_xs"],
    "ends": ["--output-tensor-type", "q8_0", "--token-embedding-type", "q5_1"],
}


def tensors(random):
    """Names and shapes in an order that llama-quantize changes; some rows that do not divide into blocks of 256."""
    yield "output.weight", (2, COLUMNS)
    yield "token_embd.weight", (2, COLUMNS)
    yield "output_norm.weight", (COLUMNS,)
    for layer in reversed(range(LAYERS)):
        for name in "attn_q attn_k attn_v attn_output ffn_gate ffn_up".split():
            yield f"blk.{layer}.{name}.weight", (2, COLUMNS)
        yield f"blk.{layer}.ffn_down.weight", (2, 96 if layer == 4 else COLUMNS)
        yield f"blk.{layer}.attn_norm.weight", (COLUMNS,)


def write_model(path):
    random = numpy.random.default_rng(7)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("rows")
    writer.add_file_type(32)
    writer.add_block_count(LAYERS)
    writer.add_context_length(64)
    writer.add_embedding_length(COLUMNS)
    writer.add_feed_forward_length(COLUMNS)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("no_vocab")
    for name, shape in tensors(random):
        values = random.standard_normal(shape).astype(numpy.float32) * 0.1
        if len(shape) == 1:
            writer.add_tensor(name, values)
        else:
            bits = values.astype(ml_dtypes.bfloat16).view(numpy.uint8).reshape(*shape[:-1], -1)
            writer.add_tensor(name, bits, raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_importance(path):
    random = numpy.random.default_rng(8)
    writer = gguf.GGUFWriter(path, "")
    writer.kv_data[0].clear()
    writer.add_string("general.type", "imatrix")
    writer.add_array("imatrix.datasets", ["text.txt"])
    writer.add_uint32("imatrix.chunk_count", 3)
    writer.add_uint32("imatrix.chunk_size", 64)
    for name, shape in sorted(tensors(random)):
        if name.startswith("blk.") and len(shape) > 1:
            sums = numpy.exp(random.standard_normal(shape[1])).astype(numpy.float32) * 192
            writer.add_tensor(name + ".in_sum2", sums)
            writer.add_tensor(name + ".counts", numpy.array([192], dtype=numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def digest(quantize, arguments, mixture):
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "out.gguf")
        run = subprocess.run(
            [quantize, *arguments, "rows.gguf", target, mixture], cwd=FOLDER, capture_output=True, text=True
        )
        return hashlib.sha256(Path(target).read_bytes()).hexdigest() if run.returncode == 0 else None


def main():
    quantize = os.path.abspath(sys.argv[1])
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_model(FOLDER / "rows.gguf")
    write_importance(FOLDER / "im.gguf")
    golden = {"plain": {}, "imatrix": {}}
    for mixture in MIXTURES:
        golden["plain"][mixture] = digest(quantize, [], mixture)
        golden["imatrix"][mixture] = digest(quantize, ["--imatrix", "im.gguf"], mixture)
    for name, arguments in OPTIONS.items():
        golden[name] = {mixture: digest(quantize, arguments, mixture) for mixture in ("Q4_K_M", "Q5_0")}
    (FOLDER / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
    if len(sys.argv) > 3:
        world = FOLDER.parent.parent / "world-llama"
        subprocess.run(
            [os.path.abspath(sys.argv[2]), "-m", os.path.abspath(sys.argv[3]), "-f", "held-out.txt", "-c", "256", "-b", "1024",
             "--no-ppl", "-o", str(FOLDER / "world-llama.imatrix.gguf")],
            cwd=world, check=True, capture_output=True,
        )


main()
