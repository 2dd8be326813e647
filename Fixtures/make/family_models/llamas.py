"""Decoders shaped like Llama with one or two things of their own."""

from __future__ import annotations

from .family import REMOVED, Family, decoder, on_the_bend, variant
from .first import QWEN2, QWEN3

MISTRAL = Family(
    "mistral", "every layer attends to the last 6 of 20 tokens; head_dim 12 ≠ 24 / 3",
    decoder("MistralForCausalLM", "mistral", attention_bias=REMOVED, head_dim=12, sliding_window=6),
    token_count=20,
    bites=({"sliding_window": None}, {"sliding_window": 7}, {"sliding_window": 5}),
)  # fmt: skip

PHI = Family(
    "phi", "one norm, attention and feed-forward side by side, rotary on 4 of 10 dims, biases everywhere, the head's too",
    decoder(
        "PhiForCausalLM", "phi",
        attention_bias=REMOVED, rms_norm_eps=REMOVED, layer_norm_eps=1e-5, hidden_act="gelu_new", embd_pdrop=0.0,
        resid_pdrop=0.1, hidden_size=30, num_attention_heads=3, num_key_value_heads=3, partial_rotary_factor=0.4,
        qk_layernorm=False,
    ),
    bites=({"partial_rotary_factor": 0.6}, {"hidden_act": "relu"}),
)  # fmt: skip

PHI3 = Family(
    "phi3", "fused qkv_proj and gate_up_proj, every layer attends to the last 7 tokens",
    decoder(
        "Phi3ForCausalLM", "phi3",
        embd_pdrop=0.0, resid_pdrop=0.0, original_max_position_embeddings=64, pad_token_id=3, rope_scaling=None,
        sliding_window=7,
    ),
    token_count=20,
    bites=({"sliding_window": None}, {"sliding_window": 6}),
)  # fmt: skip

STABLELM = Family(
    "stablelm", "LayerNorm with bias before each block, biases on q, k and v, rotary on a quarter, SwiGLU",
    decoder(
        "StableLmForCausalLM", "stablelm",
        attention_bias=REMOVED, rms_norm_eps=REMOVED, layer_norm_eps=1e-5, hidden_dropout=0.0, partial_rotary_factor=0.25,
        num_key_value_heads=3, use_qkv_bias=True, use_parallel_residual=False, qk_layernorm=False,
    ),
    bites=({"partial_rotary_factor": 0.5},),
)  # fmt: skip

STARCODER2 = Family(
    "starcoder2", "LayerNorm, biases everywhere, two-matrix feed-forward with tanh GELU, window of 6, tied head",
    decoder(
        "Starcoder2ForCausalLM", "starcoder2",
        attention_bias=REMOVED, rms_norm_eps=REMOVED, norm_epsilon=1e-5, hidden_act="gelu_pytorch_tanh",
        embedding_dropout=0.1, residual_dropout=0.1, mlp_type="default", norm_type="layer_norm", use_bias=True,
        sliding_window=6, tie_word_embeddings=REMOVED, vocab_size=112,
    ),
    bites=({"sliding_window": None}, {"hidden_act": "gelu"}),
    spread=on_the_bend("c_fc", "c_proj"),
)  # fmt: skip

OLMO = Family(
    "olmo", "LayerNorm without weight or bias; tied head",
    decoder(
        "OlmoForCausalLM", "olmo",
        rms_norm_eps=REMOVED, clip_qkv=None, num_key_value_heads=3, pad_token_id=3, rope_scaling=None,
        tie_word_embeddings=True,
    ),
)  # fmt: skip

OLMO2 = Family(
    "olmo2", "RMS norm after attention and after feed-forward, none before; RMS norm over the whole q and k",
    decoder(
        "Olmo2ForCausalLM", "olmo2",
        hidden_size=32, num_attention_heads=4, num_key_value_heads=2, pad_token_id=3, rope_scaling=None, rope_theta=500000,
        rms_norm_eps=1e-6,
    ),
)  # fmt: skip

COHERE = Family(
    "cohere", "LayerNorm without bias, attention and feed-forward side by side, interleaved rotary, logits times a scale, "
    "tied",
    decoder(
        "CohereForCausalLM", "cohere",
        rms_norm_eps=REMOVED, layer_norm_eps=1e-5, logit_scale=0.25, pad_token_id=0, num_key_value_heads=3,
        rope_theta=8000000.0, tie_word_embeddings=REMOVED, use_qk_norm=False,
    ),
    bites=({"logit_scale": 0.5}, {"rope_theta": 10000.0}),
)  # fmt: skip

COHERE2 = Family(
    "cohere2", "two layers with a window of 5 and interleaved rotary, then one that sees all and has no positions",
    decoder(
        "Cohere2ForCausalLM", "cohere2",
        rms_norm_eps=REMOVED, layer_norm_eps=1e-5, logit_scale=0.25, pad_token_id=0, num_hidden_layers=3, head_dim=8,
        sliding_window=5, sliding_window_pattern=3, rope_scaling=None, rope_theta=50000.0, tie_word_embeddings=REMOVED,
        layer_norm_type="layer_norm", rotary_pct=1.0, order_of_interleaved_layers="local_attn_first",
        position_embedding_type="rope_gptj", use_embedding_sharing=True, use_gated_activation=True, intermediate_size=24,
        use_parallel_block=True, use_parallel_embedding=True, use_qk_norm=False,
    ),
    bites=({"sliding_window": 6}, {"sliding_window_pattern": 2}, {"sliding_window_pattern": 4}),
)  # fmt: skip

GRANITE = Family(
    "granite", "multipliers of the embedding, each residual branch, the attention scores and the logits; tied head",
    decoder(
        "GraniteForCausalLM", "granite",
        mlp_bias=False, embedding_multiplier=3.0, attention_multiplier=0.5, residual_multiplier=0.4, logits_scaling=2.0,
        rope_scaling=None, tie_word_embeddings=True,
    ),
    bites=(
        {"embedding_multiplier": 1.0}, {"attention_multiplier": 0.35}, {"residual_multiplier": 1.0}, {"logits_scaling": 1.0},
    ),
)  # fmt: skip

SMOLLM3 = Family(
    "smollm3", "every second layer without rotary positions; head tied by default",
    decoder(
        "SmolLM3ForCausalLM", "smollm3",
        mlp_bias=False, pad_token_id=3, no_rope_layer_interval=2, no_rope_layers=[1, 0, 1], num_hidden_layers=3, rope_scaling=None,
        rope_theta=5000000.0, sliding_window=None, use_sliding_window=False, layer_types=["full_attention"] * 3,
        tie_word_embeddings=REMOVED, intermediate_size=24,
    ),
    bites=({"no_rope_layers": [1, 1, 1]}, {"no_rope_layers": [1, 0, 0]}),
)  # fmt: skip

NEMOTRON = Family(
    "nemotron", "squared ReLU, LayerNorm with 1 + weight, rotary on half of each head, head_dim 12 ≠ 24 / 3",
    decoder(
        "NemotronForCausalLM", "nemotron",
        rms_norm_eps=REMOVED, norm_eps=1e-5, hidden_act="relu2", head_dim=12, mlp_bias=False, partial_rotary_factor=0.5,
    ),
    bites=({"hidden_act": "relu"}, {"partial_rotary_factor": 1.0}),
)  # fmt: skip

FAMILIES = [
    MISTRAL,
    variant(
        QWEN2, "qwen2-window", "layers from the second on attend to the last 5 tokens; head not tied",
        {
            "use_sliding_window": True, "max_window_layers": 1, "sliding_window": 5, "num_hidden_layers": 3,
            "hidden_size": 24, "intermediate_size": 40, "num_attention_heads": 3, "num_key_value_heads": 1,
            "tie_word_embeddings": False,
        },
        bites=({"use_sliding_window": False}, {"max_window_layers": 2}, {"max_window_layers": 0}, {"sliding_window": 6}),
    ),
    variant(
        QWEN3, "qwen3-yarn", "yarn on normed heads, biases on q, k, v and o, 4 heads over 2, tied head",
        {
            "attention_bias": True, "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 24,
            "intermediate_size": 32, "tie_word_embeddings": True,
            "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32},
        },
        bites=({"rope_scaling": None},), silent=(),
    ),
    PHI,
    variant(
        PHI, "phi-qk", "LayerNorm of each head's q and k; 4 heads over 2 KV heads; rotary on half by default",
        {
            "qk_layernorm": True, "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2,
            "partial_rotary_factor": REMOVED,
        },
        bites=({"partial_rotary_factor": 1.0},), spread={"k_proj.bias": (0.0, 0.6)},
    ),
    PHI3,
    variant(
        PHI3, "phi3-longrope", "longrope by the outer original_max_position_embeddings (8 of 64), rotary on 12 of 16 dims",
        {
            "original_max_position_embeddings": 8, "partial_rotary_factor": 0.75, "num_attention_heads": 2, "hidden_size": 32,
            "num_key_value_heads": 1, "sliding_window": 262144, "tie_word_embeddings": True, "intermediate_size": 24,
            "rope_scaling": {
                "type": "longrope",
                "short_factor": [1.0, 1.1, 1.2, 1.4, 1.6, 2.0],
                "long_factor": [1.1, 1.4, 2.0, 3.5, 6.0, 9.0],
            },
        },
        bites=({"original_max_position_embeddings": 32}, {"partial_rotary_factor": 1.0, "rope_scaling": None}),
    ),
    STABLELM,
    variant(
        STABLELM, "stablelm-12b", "attention and feed-forward side by side, LayerNorm without bias of each head, one norm "
        "a head",
        {
            "use_parallel_residual": True, "qk_layernorm": True, "use_qkv_bias": False, "hidden_size": 32,
            "num_attention_heads": 4, "num_key_value_heads": 2,
        },
        bites=({"partial_rotary_factor": 0.5},),
    ),
    STARCODER2,
    OLMO,
    variant(
        OLMO, "olmo-clip", "q, k and v clipped to ±0.9; 3 heads over 1; head not tied",
        {"clip_qkv": 0.9, "num_key_value_heads": 1, "tie_word_embeddings": False},
        bites=({"clip_qkv": None},),
    ),
    OLMO2,
    COHERE,
    variant(
        COHERE, "cohere-qk", "LayerNorm of q and k with a weight for each head and dim; 4 heads over 2",
        {"use_qk_norm": True, "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2},
    ),
    COHERE2,
    GRANITE,
    SMOLLM3,
    NEMOTRON,
]  # fmt: skip
