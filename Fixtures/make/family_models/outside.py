"""Families that transformers does not have: what they compute is said in terms of one that it has."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from .family import Family, changed, decoder, REMOVED, variant

Config = dict[str, Any]
Weights = dict[str, torch.Tensor]


class Stand(NamedTuple):
    """A family of transformers that computes the same, and how to go there and back."""

    name: str
    config: Callable[[Config], Config]
    to_hub: Callable[[Weights, Config], Weights]
    from_hub: Callable[[Weights, Config], Weights]


def granite_of_minicpm(config: Config) -> Config:
    """MiniCPM: embedding × scale_emb, each branch × scale_depth / √layers, head input ÷ (width / dim_model_base)."""
    width = config["hidden_size"]
    return changed(config, {
        "architectures": ["GraniteForCausalLM"], "model_type": "granite",
        "embedding_multiplier": config.get("scale_emb", 1),
        "residual_multiplier": config.get("scale_depth", 1) / math.sqrt(config["num_hidden_layers"]),
        "logits_scaling": width / config.get("dim_model_base", 1),
        "attention_multiplier": (width // config["num_attention_heads"]) ** -0.5,
        "tie_word_embeddings": config.get("tie_word_embeddings", True),
        "scale_emb": REMOVED, "scale_depth": REMOVED, "dim_model_base": REMOVED,
    })  # fmt: skip


def llama_of_internlm2(config: Config) -> Config:
    bias = config.get("bias", True)
    return changed(config, {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": bias, "mlp_bias": False, "bias": REMOVED,
    })  # fmt: skip


INTERNLM2_NAMES = {
    "model.embed_tokens.": "model.tok_embeddings.", "lm_head.": "output.", "self_attn.o_proj.": "attention.wo.",
    "input_layernorm.": "attention_norm.", "post_attention_layernorm.": "ffn_norm.", "mlp.gate_proj.": "feed_forward.w1.",
    "mlp.up_proj.": "feed_forward.w3.", "mlp.down_proj.": "feed_forward.w2.",
}  # fmt: skip
"""Llama's part of a name, InternLM 2's."""


def renamed(name: str, names: dict[str, str]) -> str:
    for part, other in names.items():
        if part in name:
            return name.replace(part, other)
    return name


def fused(weights: Weights, config: Config) -> Weights:
    """q, k and v as one wqkv: for each KV head the query heads of its group, then its key, then its value."""
    groups = config["num_key_value_heads"]
    result: Weights = {}
    for name, tensor in weights.items():
        if ".k_proj." in name or ".v_proj." in name:
            continue
        if ".q_proj." not in name:
            result[renamed(name, INTERNLM2_NAMES)] = tensor
            continue
        parts = [weights[name.replace("q_proj", part)] for part in ("q_proj", "k_proj", "v_proj")]
        stacked = torch.cat([part.reshape(groups, -1, *part.shape[1:]) for part in parts], dim=1)
        result[name.replace("self_attn.q_proj", "attention.wqkv")] = stacked.reshape(-1, *tensor.shape[1:])
    return result


def split(weights: Weights, config: Config) -> Weights:
    groups, heads = config["num_key_value_heads"], config["num_attention_heads"]
    back = {other: part for part, other in INTERNLM2_NAMES.items()}
    result: Weights = {}
    for name, tensor in weights.items():
        if "attention.wqkv." not in name:
            result[renamed(name, back)] = tensor
            continue
        stacked = tensor.reshape(groups, heads // groups + 2, -1, *tensor.shape[1:])
        for part, rows in (("q_proj", stacked[:, :-2]), ("k_proj", stacked[:, -2:-1]), ("v_proj", stacked[:, -1:])):
            result[name.replace("attention.wqkv", f"self_attn.{part}")] = rows.reshape(-1, *tensor.shape[1:]).contiguous()
    return result


def same(weights: Weights, config: Config) -> Weights:
    return weights


STANDS = {
    "minicpm": Stand("Granite", granite_of_minicpm, same, same),
    "internlm2": Stand("Llama", llama_of_internlm2, fused, split),
}

MINICPM = Family(
    "minicpm", "Llama with scale_emb, scale_depth over √layers, and the head's input divided by width over "
    "dim_model_base; tied by default",
    decoder(
        "MiniCPMForCausalLM", "minicpm",
        dim_model_base=16, num_hidden_layers=3, rope_scaling=None, scale_depth=1.4, scale_emb=6,
        tie_word_embeddings=REMOVED, intermediate_size=24,
    ),
    bites=({"dim_model_base": 32}, {"scale_depth": 1.0}, {"scale_emb": 1}),
    stand="minicpm",
)  # fmt: skip

INTERNLM2 = Family(
    "internlm2", "Llama under other names, q, k and v fused by KV head; 4 heads over 2",
    decoder(
        "InternLM2ForCausalLM", "internlm2",
        attention_bias=REMOVED, bias=False, hidden_size=32, num_attention_heads=4, num_key_value_heads=2, rope_theta=1000000,
        rope_scaling=None,
    ),
    stand="internlm2",
)  # fmt: skip

FAMILIES = [
    MINICPM,
    variant(
        MINICPM, "minicpm-longrope", "longrope, 20 tokens past the original 8: the long factors",
        {
            "max_position_embeddings": 32, "num_hidden_layers": 1,
            "rope_scaling": {
                "rope_type": "longrope", "original_max_position_embeddings": 8,
                "short_factor": [1.0, 1.1, 1.6, 3.0], "long_factor": [1.2, 2.0, 4.5, 9.0],
            },
        },
        bites=({"rope_scaling": None},), token_count=20,
    ),
    INTERNLM2,
    variant(
        INTERNLM2, "internlm2-bias", "biases on q, k, v and o by default; dynamic NTK past max_position_embeddings of 8",
        {
            "bias": REMOVED, "max_position_embeddings": 8, "rope_theta": 10000.0, "head_dim": REMOVED,
            "rope_scaling": {"type": "dynamic", "factor": 2.0}, "hidden_size": 24, "num_attention_heads": 3, "num_key_value_heads": 1,
        },
        bites=({"rope_scaling": None},),
    ),
]  # fmt: skip
