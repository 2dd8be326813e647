"""python Tests/Peers/exports.py KIST [NAME…]

GGUF files that `kist convert` turns into Hugging Face directories, in the programs that read those: every family of Fixtures/families that
becomes a GGUF has, loaded in transformers, the logits that Kist computes for the GGUF; and every tokenizer of Fixtures/tokenizers/gguf gives,
loaded in tokenizers and transformers, the ids that llama.cpp gives.
"""

from __future__ import annotations

import json
import os
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
from safetensors.torch import load_file

FIXTURES = Path(__file__).resolve().parents[2] / "Fixtures"
TOLERANCE = 1e-5
"""Of the logits' range. Both compute in f32, in different orders."""

NOT_IN_TRANSFORMERS = {"minicpm", "minicpm-longrope", "internlm2", "internlm2-bias"}
"""Families whose code comes with their checkpoints."""

DIFFERENT = {
    "bert-accents.gguf": ("ẞ",),
    "bpe.gguf": ("<<|",),
    "bpe-bos.gguf": ("<<|",),
    "unigram.gguf": ("\u200d", "\x85", "▁▁"),
}
"""Parts of texts that no tokenizer.json can have cut as llama.cpp cuts them: see GGUFTokenizerTests.swift."""
NOT_COMPARED = {"spm-phi3.gguf"}
"""Its tokens take ASCII white space along, and tokenizers' any."""


def kist(program: str, *arguments: str | Path) -> dict:
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"kist {' '.join(map(str, arguments))}: {done.returncode} {done.stderr.strip()} {done.stdout[-400:]}")
    return json.loads(done.stdout) if "--json" in arguments else {}


def compare_family(program: str, name: str, folder: Path) -> str | None:
    """What is wrong; nil when nothing is."""
    source, file, out = FIXTURES / "families" / name, folder / f"{name}.gguf", folder / name
    kist(program, "convert", source, "-o", file, "--type", "keep" if "mxfp4" in name else "f32", "--no-verify", "--quiet")
    kist(program, "convert", file, "-o", out, "--json")
    if name in NOT_IN_TRANSFORMERS:
        return None
    config = json.loads((out / "config.json").read_text())
    is_decoder = config["architectures"][0].endswith(("CausalLM", "LMHeadModel"))
    loader = transformers.AutoModelForCausalLM if is_decoder else transformers.AutoModel
    model = loader.from_pretrained(out, dtype=torch.float32, attn_implementation="eager").eval()
    golden = load_file(source / "golden.safetensors")
    limit = config.get("max_position_embeddings") or 20
    tokens = golden["tokens"].long().flatten()[:limit]
    types = {"token_type_ids": golden["token_types"].long().flatten()[None, :limit]} if "token_types" in golden else {}
    with torch.no_grad():
        found = model(tokens[None], **types)
    if not is_decoder:
        last = golden[max((key for key in golden if key.startswith("hidden.")), key=lambda key: int(key[7:]))]
        return difference(found.last_hidden_state[0], last)
    logits = folder / "logits.npy"
    kist(program, "logits", file, "--tokens", ",".join(str(int(token)) for token in tokens), "-o", logits, "--force")
    return difference(found.logits[0], torch.from_numpy(np.load(logits)))


def difference(found: torch.Tensor, wanted: torch.Tensor) -> str | None:
    part = ((found - wanted).abs().max() / (wanted.max() - wanted.min())).item()
    return None if part <= TOLERANCE else f"differs by {part:.2g} of the range"


def with_model(source: Path, target: Path) -> None:
    """The tokenizer of a GGUF in a small Llama."""
    reader = gguf.GGUFReader(source)
    size = len(reader.fields["tokenizer.ggml.tokens"].data)
    writer = gguf.GGUFWriter(target, "llama")
    for field in reader.fields.values():
        if field.name.startswith("tokenizer."):
            value, kind = field.contents(), field.types[0]
            writer.add_key_value(field.name, value, kind, sub_type=field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(8)
    writer.add_feed_forward_length(8)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(8)
    random = np.random.default_rng(0)
    shapes = {"token_embd": (size, 8), "output": (size, 8), "output_norm": (8,), "blk.0.attn_norm": (8,), "blk.0.ffn_norm": (8,)}
    shapes |= {f"blk.0.{name}": (8, 8) for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")}
    for name, shape in shapes.items():
        writer.add_tensor(name + ".weight", random.normal(size=shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def compare_tokenizer(program: str, file: str, goldens: list[dict], folder: Path) -> str | None:
    source, out = folder / f"tokenizer-{file}", folder / f"tokenizer-{file}-hub"
    with_model(FIXTURES / "tokenizers" / "gguf" / file, source)
    kist(program, "convert", source, "-o", out, "--no-verify", "--quiet")
    tokenizer = transformers.AutoTokenizer.from_pretrained(out)
    for golden in goldens:
        ids = tokenizer(golden["text"])["input_ids"]
        if ids != golden["parsed"] and not any(part in golden["text"] for part in DIFFERENT.get(file, ())):
            return f"{golden['text']!r}: {ids}, and llama.cpp gives {golden['parsed']}"
    return None


def main() -> int:
    program, names = sys.argv[1], sys.argv[2:]
    torch.set_num_threads(1)
    goldens: dict[str, list[dict]] = {}
    for line in (FIXTURES / "tokenizers" / "gguf" / "golden.jsonl").read_text().splitlines():
        golden = json.loads(line)
        if "parsed" in golden:
            goldens.setdefault(golden["file"], []).append(golden)
    models = json.loads((FIXTURES / "families" / "gguf.json").read_text())["models"]
    families = [name for name in models if "refused" not in models[name]]
    failures, count = 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        work = [(name, compare_family, (name,)) for name in families]
        work += [(file, compare_tokenizer, (file, texts)) for file, texts in goldens.items() if file not in NOT_COMPARED]
        for name, compare, arguments in work:
            if names and name not in names:
                continue
            count += 1
            try:
                problem = compare(program, *arguments, Path(temporary))
            except Exception as error:  # whatever a peer raises is a failure of that one
                problem = f"{type(error).__name__}: {error}"
            if problem:
                failures += 1
                print(f"{name}: {problem}")
    print(f"{count - failures} of {count} exported models and tokenizers agree with transformers {transformers.__version__}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
