"""GPT-OSS with its experts as BF16 and as the MXFP4 blocks and scales that the Hub has."""

from __future__ import annotations

import numpy as np
import torch
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

from .family import REMOVED, Family, decoder, variant

GPT_OSS = Family(
    "gpt-oss", "attention sinks, a window of 5 on every other layer, yarn without truncation, clamped interleaved SwiGLU, "
    "2 of 3 experts, BF16",
    decoder(
        "GptOssForCausalLM", "gpt_oss",
        attention_bias=True, experts_per_token=2, head_dim=12, initial_context_length=16, intermediate_size=32,
        layer_types=["sliding_attention", "full_attention"], max_position_embeddings=64, num_experts_per_tok=2,
        num_local_experts=3, output_router_logits=False, pad_token_id=3, rope_theta=150000, router_aux_loss_coef=0.9,
        sliding_window=5, swiglu_limit=1.2, torch_dtype="bfloat16",
        rope_scaling={
            "beta_fast": 32.0, "beta_slow": 1.0, "factor": 4.0, "original_max_position_embeddings": 16, "rope_type": "yarn",
            "truncate": False,
        },
    ),
    dtype="BF16",
    spread={"sinks": (1.0, 1.0), "router.bias": (0.0, 1.0), "proj_bias": (0.0, 0.6)},
    bites=({"swiglu_limit": 7.0}, {"sliding_window": 6}, {"rope_scaling": {"rope_type": "default"}}, {"num_experts_per_tok": 3}),
)  # fmt: skip

FAMILIES = [
    GPT_OSS,
    variant(
        GPT_OSS, "gpt-oss-mxfp4", "the experts' weights as MXFP4 blocks and scales; layer types by default; swiglu_limit "
        "by default (7)",
        {
            "swiglu_limit": REMOVED, "layer_types": REMOVED, "hidden_size": 64,
            "quantization_config": {
                "modules_to_not_convert": [
                    "model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head",
                ],
                "quant_method": "mxfp4",
            },
        },
        bites=({"sliding_window": 6},), packed="mxfp4",
    ),
]  # fmt: skip


def packed(weights: dict[str, torch.Tensor], random: np.random.Generator) -> dict[str, torch.Tensor]:
    """`weights` with each expert matrix [experts, in, out] drawn anew as blocks [experts, out, in / 32, 16] and scales.

    A byte holds two E2M1 values, the first in its low bits; a scale is an exponent with bias 127.
    """
    result: dict[str, torch.Tensor] = {}
    for name, tensor in weights.items():
        if not name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            result[name] = tensor
            continue
        experts, inner, outer = tensor.shape
        blocks = random.integers(0, 256, (experts, outer, inner // 32, 16), dtype=np.uint8)
        scales = random.integers(121, 125, (experts, outer, inner // 32), dtype=np.uint8)
        result |= {name + "_blocks": torch.from_numpy(blocks), name + "_scales": torch.from_numpy(scales)}
    return result


def unpacked(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Blocks and scales back to matrices, by transformers' own function (its loader would need accelerate)."""
    result: dict[str, torch.Tensor] = {}
    for name, tensor in weights.items():
        if name.endswith("_blocks"):
            name = name.removesuffix("_blocks")
            result[name] = convert_moe_packed_tensors(tensor, weights[name + "_scales"], dtype=torch.float32).contiguous()
        elif not name.endswith("_scales"):
            result[name] = tensor
    return result
