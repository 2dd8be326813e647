"""Llama with every kind of rotary scaling, with biases, and with its config as transformers 5 writes it."""

from __future__ import annotations

from .family import REMOVED, Family, decoder, on_the_bend, variant

BASE = decoder(
    "LlamaForCausalLM", "llama",
    mlp_bias=False, rope_scaling=None, head_dim=16, tie_word_embeddings=True,
    pretraining_tp=1,
)  # fmt: skip
PLAIN = ({"rope_scaling": None},)


def scaled(name: str, exercises: str, scaling: dict, **keys) -> Family:
    return Family(f"llama-{name}", exercises, BASE | {"rope_scaling": scaling} | keys, token_count=20, bites=PLAIN)


YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 48, "beta_fast": 16.0, "beta_slow": 1.0}
LONGROPE = {
    "rope_type": "longrope",
    "short_factor": [1.0, 1.1, 1.3, 1.5, 1.8, 2.2, 2.5, 3.0],
    "long_factor": [1.2, 1.5, 2.0, 3.0, 4.5, 6.0, 8.0, 9.0],
}

FAMILIES = [
    scaled("linear", "rotary positions divided by 4; `type` as older files have it", {"type": "linear", "factor": 4.0}),
    scaled(
        "dynamic", "NTK: the base grows with the number of tokens, 20 past max_position_embeddings of 8",
        {"type": "dynamic", "factor": 2.0}, max_position_embeddings=8,
    ),
    scaled(
        "llama3", "three bands of wavelengths: kept, blended, divided",
        {
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32,
        },
        max_position_embeddings=256,
    ),
    scaled("yarn", "ramp between two dims, cos and sin times 0.1 ln(factor) + 1", YARN, max_position_embeddings=192),
    scaled(
        "yarn-mscale", "yarn with mscale over mscale_all_dim, and ramp ends not truncated",
        YARN | {"mscale": 1.4, "mscale_all_dim": 0.6, "truncate": False}, max_position_embeddings=192,
    ),
    scaled(
        "longrope", "20 tokens past the original 8: the long factors; cos and sin times sqrt(1 + ln 4 / ln 8)",
        LONGROPE | {"original_max_position_embeddings": 8}, max_position_embeddings=32,
    ),
    scaled(
        "longrope-short", "20 tokens within the original 24: the short factors; attention_factor given",
        LONGROPE | {"original_max_position_embeddings": 24, "factor": 4.0, "attention_factor": 1.25},
        max_position_embeddings=96,
    ),
    Family(
        "llama-bias", "biases on q, k, v, o, gate, up and down; exact GELU in the gate",
        BASE | {"attention_bias": True, "mlp_bias": True, "hidden_act": "gelu"},
        bites=({"hidden_act": "gelu_new"}, {"rms_norm_eps": 0.001}), spread=on_the_bend("gate_proj", "down_proj"),
    ),
    variant(
        Family("", "", BASE), "llama-v5", "config.json as transformers 5 writes it: rope_parameters and dtype; no head "
        "count for keys, no head_dim",
        {
            "torch_dtype": REMOVED, "rope_theta": REMOVED, "rope_scaling": REMOVED, "num_key_value_heads": REMOVED,
            "head_dim": REMOVED, "dtype": "float32",
            "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 500.0},
        },
        bites=({"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}},),
    ),
]  # fmt: skip
