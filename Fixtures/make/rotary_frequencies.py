"""python Fixtures/make/rotary_frequencies.py    (pip install torch transformers==5.23.0)

Rewrites Fixtures/families/rotary.json: for each rotary scaling, what transformers' ROPE_INIT_FUNCTIONS give for a number of
tokens: the frequency of each pair and the factor of cosines and sines. The configuration beside them is part of a Llama's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.append(sys.path.pop(0))  # the library named tokenizers comes before the script of that name here

import torch
import transformers
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

OUTPUT = Path(__file__).resolve().parents[1] / "families/rotary.json"
SIZE = 48
YARN = {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 64}
LONG = {
    "rope_type": "longrope",
    "short_factor": [1 + at / 16 for at in range(SIZE // 2)],
    "long_factor": [1 + at * at / 16 for at in range(SIZE // 2)],
    "original_max_position_embeddings": 64,
}
CASES: list[tuple[str, dict[str, Any], int]] = [
    ("default", {"rope_scaling": None}, 20),
    ("another base", {"rope_theta": 1e6}, 20),
    ("linear", {"rope_scaling": {"type": "linear", "factor": 4.0}}, 20),
    ("dynamic, within the context", {"rope_scaling": {"type": "dynamic", "factor": 2.0}}, 512),
    ("dynamic, past it", {"rope_scaling": {"type": "dynamic", "factor": 2.0}}, 700),
    (
        "llama3",
        {
            "rope_theta": 500000.0,
            "rope_scaling": {
                "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                "original_max_position_embeddings": 256,
            },
        },
        20,
    ),
    ("yarn", {"rope_scaling": YARN}, 20),
    ("yarn, other betas", {"rope_scaling": YARN | {"beta_fast": 16.0, "beta_slow": 2.0}}, 20),
    ("yarn, not truncated", {"rope_scaling": YARN | {"truncate": False}}, 20),
    ("yarn, attention given", {"rope_scaling": YARN | {"attention_factor": 1.3}}, 20),
    ("yarn, mscale", {"rope_scaling": YARN | {"mscale": 1.2, "mscale_all_dim": 0.7}}, 20),
    ("yarn, ends equal", {"rope_scaling": YARN | {"original_max_position_embeddings": 2}}, 20),
    ("longrope, short", {"rope_scaling": LONG}, 64),
    ("longrope, long", {"rope_scaling": LONG}, 65),
    ("longrope, factor and attention given", {"rope_scaling": LONG | {"factor": 3.0, "attention_factor": 1.1}}, 65),
    ("partial", {"rope_parameters": {"rope_type": "default", "rope_theta": 5000.0, "partial_rotary_factor": 0.4}}, 20),
    ("partial yarn", {"rope_parameters": YARN | {"rope_theta": 5000.0, "partial_rotary_factor": 0.5}}, 20),
]  # fmt: skip


def case(name: str, changes: dict[str, Any], tokens: int) -> dict[str, Any]:
    config = LlamaConfig(
        hidden_size=4 * SIZE, num_attention_heads=4, head_dim=SIZE, max_position_embeddings=512, **json.loads(json.dumps(changes))
    )
    kind = config.rope_parameters["rope_type"]
    if kind == "default":  # it is the model's own, and knows no part of a head
        config.head_dim = int(SIZE * config.rope_parameters.get("partial_rotary_factor", 1.0))
        frequencies, attention = LlamaRotaryEmbedding.compute_default_rope_parameters(config)
    else:
        frequencies, attention = ROPE_INIT_FUNCTIONS[kind](config, torch.device("cpu"), seq_len=tokens)
    return {
        "name": name, "config": changes, "tokens": tokens, "attention": attention,
        "frequencies": frequencies.float().tolist(),
    }  # fmt: skip


def main() -> None:
    cases = [case(*entry) for entry in CASES]
    text = ",\n".join(json.dumps(entry) for entry in cases)
    OUTPUT.write_text(f'{{"source": "transformers {transformers.__version__}", "cases": [\n{text}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
