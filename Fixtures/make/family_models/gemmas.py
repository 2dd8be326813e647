"""Gemma 1 to 3: norms of 1 + weight, scaled embeddings, soft-caps, alternating windows, two rotary bases."""

from __future__ import annotations

from .family import REMOVED, Family, decoder, variant

GEMMA = Family(
    "gemma", "norms times 1 + weight, embedding times √width, GeGLU (`gelu` meant as tanh), head_dim 16 ≠ 24 / 3, one KV "
    "head",
    decoder(
        "GemmaForCausalLM", "gemma",
        head_dim=16, hidden_act="gelu", hidden_size=24, num_attention_heads=3, num_key_value_heads=1, pad_token_id=0,
        rms_norm_eps=1e-6, rope_scaling=None, tie_word_embeddings=REMOVED,
    ),
    bites=({"hidden_act": "relu"},),
)  # fmt: skip

GEMMA2 = Family(
    "gemma2", "norms before and after each block, soft-caps of scores and logits, windows of 5 on every other layer, "
    "scale 24^-½",
    decoder(
        "Gemma2ForCausalLM", "gemma2",
        attn_logit_softcapping=3.0, final_logit_softcapping=5.0, cache_implementation="hybrid", head_dim=16,
        hidden_act="gelu_pytorch_tanh", hidden_activation="gelu_pytorch_tanh", hidden_size=24, num_attention_heads=4,
        pad_token_id=0, query_pre_attn_scalar=24, rms_norm_eps=1e-6, sliding_window=5, tie_word_embeddings=REMOVED,
        num_hidden_layers=3, intermediate_size=24,
    ),
    bites=(
        {"attn_logit_softcapping": None}, {"final_logit_softcapping": None}, {"query_pre_attn_scalar": 16},
        {"sliding_window": 6}, {"layer_types": ["full_attention", "sliding_attention", "full_attention"]},
    ),
)  # fmt: skip

GEMMA3 = Family(
    "gemma3", "RMS norm of heads, two windowed layers with the local rotary base, then a full one with linear scaling",
    decoder(
        "Gemma3ForCausalLM", "gemma3_text",
        attn_logit_softcapping=None, final_logit_softcapping=None, cache_implementation="hybrid", head_dim=16,
        hidden_act=REMOVED, hidden_activation="gelu_pytorch_tanh", hidden_size=24, num_attention_heads=4,
        pad_token_id=0, query_pre_attn_scalar=20, rms_norm_eps=1e-6, sliding_window=6, sliding_window_pattern=3,
        rope_local_base_freq=100.0, rope_theta=10000.0, rope_scaling={"factor": 4.0, "rope_type": "linear"},
        tie_word_embeddings=REMOVED, num_hidden_layers=3, intermediate_size=24,
    ),
    bites=(
        {"query_pre_attn_scalar": 16}, {"sliding_window": 7}, {"sliding_window_pattern": 2}, {"rope_scaling": None},
        {"rope_local_base_freq": 10000.0}, {"rope_theta": 1000.0},
    ),
)  # fmt: skip

GEMMA3_VISION = Family(
    "gemma3-vision", "Gemma 3's text model as a part of a larger one: text_config, tensors below language_model, a vision tower that "
    "text never meets",
    {
        "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "mm_tokens_per_image": 1,
        "boi_token_index": 93, "eoi_token_index": 94, "image_token_index": 95, "initializer_range": 0.02,
        "text_config": {
            key: value for key, value in GEMMA3.config.items() if key not in ("architectures", "torch_dtype", "use_cache")
        },
        "torch_dtype": "float32",
        "vision_config": {
            "hidden_size": 8, "image_size": 8, "intermediate_size": 8, "model_type": "siglip_vision_model",
            "num_attention_heads": 1, "num_hidden_layers": 1, "patch_size": 8, "vision_use_head": False,
        },
    },
    silent=("vision_tower", "multi_modal_projector"),
)  # fmt: skip

FAMILIES = [
    GEMMA,
    GEMMA2,
    GEMMA3,
    GEMMA3_VISION,
    variant(
        GEMMA3, "gemma3-v5", "as transformers 5 writes it: layer_types, rope_parameters by layer type; a cap on the logits",
        {
            "sliding_window_pattern": REMOVED, "rope_local_base_freq": REMOVED, "rope_theta": REMOVED, "rope_scaling": REMOVED,
            "torch_dtype": REMOVED, "dtype": "float32", "num_hidden_layers": 2, "final_logit_softcapping": 6.0,
            "layer_types": ["full_attention", "sliding_attention"],
            "rope_parameters": {
                "full_attention": {"rope_type": "default", "rope_theta": 1000000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 50.0},
            },
        },
        bites=({"final_logit_softcapping": None}, {"layer_types": ["sliding_attention", "full_attention"]}),
    ),
]  # fmt: skip
