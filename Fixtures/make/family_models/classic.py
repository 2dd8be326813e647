"""Decoders older than Llama: learned positions, ALiBi, parallel residuals, fused query_key_value of three layouts."""

from __future__ import annotations

from .family import REMOVED, Family, on_the_bend, variant

GPT_NEOX = Family(
    "gpt-neox",
    "attention and feed-forward side by side, fused query_key_value per head, rotary on 2 of 8 dims, exact GELU, biases "
    "everywhere",
    {
        "architectures": ["GPTNeoXForCausalLM"], "bos_token_id": 0, "eos_token_id": 0, "hidden_act": "gelu",
        "hidden_size": 24, "initializer_range": 0.02, "intermediate_size": 56, "layer_norm_eps": 1e-05,
        "max_position_embeddings": 64, "model_type": "gpt_neox", "num_attention_heads": 3, "num_hidden_layers": 3,
        "rotary_emb_base": 10000, "rotary_pct": 0.25, "tie_word_embeddings": False, "torch_dtype": "float32",
        "use_cache": True, "use_parallel_residual": True, "vocab_size": 96,
    },
    bites=({"use_parallel_residual": False}, {"rotary_pct": 0.5}, {"hidden_act": "gelu_new"}),
    spread=on_the_bend("dense_h_to_4h", "dense_4h_to_h"),
)  # fmt: skip

GPT_J = Family(
    "gptj",
    "one norm for attention and feed-forward side by side, interleaved rotary on 4 of 8 dims, bias on the head and "
    "feed-forward only",
    {
        "activation_function": "gelu_new", "architectures": ["GPTJForCausalLM"], "attn_pdrop": 0.0, "bos_token_id": 95,
        "embd_pdrop": 0.0, "eos_token_id": 95, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05,
        "model_type": "gptj", "n_embd": 24, "n_head": 3, "n_inner": None, "n_layer": 2, "n_positions": 64,
        "resid_pdrop": 0.0, "rotary": True, "rotary_dim": 4, "tie_word_embeddings": False, "use_cache": True,
        "vocab_size": 96,
    },
    bites=({"rotary_dim": 8},),
)  # fmt: skip

OPT = Family(
    "opt",
    "learned positions from row 2 on, LayerNorm before, ReLU, biases everywhere, tied head",
    {
        "_remove_final_layer_norm": False, "activation_function": "relu", "architectures": ["OPTForCausalLM"],
        "attention_dropout": 0.0, "bos_token_id": 2, "do_layer_norm_before": True, "dropout": 0.1, "eos_token_id": 2,
        "ffn_dim": 40, "hidden_size": 24, "init_std": 0.02, "layerdrop": 0.0, "max_position_embeddings": 32,
        "model_type": "opt", "num_attention_heads": 3, "num_hidden_layers": 3, "pad_token_id": 1, "prefix": "</s>",
        "torch_dtype": "float16", "use_cache": True, "vocab_size": 96, "word_embed_proj_dim": 24,
    },
    silent=("k_proj.bias",),
)  # fmt: skip

BLOOM = Family(
    "bloom",
    "ALiBi with 5 heads (not a power of two), LayerNorm of the embedding, fused query_key_value per head, tanh GELU, tied "
    "head",
    {
        "apply_residual_connection_post_layernorm": False, "architectures": ["BloomForCausalLM"],
        "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2, "hidden_dropout": 0.0, "hidden_size": 20,
        "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "model_type": "bloom", "n_head": 5, "n_layer": 2,
        "pad_token_id": 3, "pretraining_tp": 1, "slow_but_exact": False, "use_cache": True, "vocab_size": 96,
    },
)  # fmt: skip

FALCON = Family(
    "falcon",
    "7b: one norm, attention and feed-forward side by side, 3 heads over one KV head, rotary, no biases, exact GELU, tied "
    "head",
    {
        "alibi": False, "apply_residual_connection_post_layernorm": False, "architectures": ["FalconForCausalLM"],
        "attention_dropout": 0.0, "bias": False, "bos_token_id": 11, "eos_token_id": 11, "hidden_dropout": 0.0,
        "hidden_size": 24, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "model_type": "falcon",
        "multi_query": True, "new_decoder_architecture": False, "num_attention_heads": 3, "num_hidden_layers": 2,
        "num_kv_heads": 1,
        "parallel_attn": True, "torch_dtype": "bfloat16", "use_cache": True, "vocab_size": 96,
    },
)  # fmt: skip

FAMILIES = [
    GPT_NEOX,
    variant(
        GPT_NEOX, "gpt-neox-sequential", "attention, then feed-forward; rotary on 4 of 8 dims; tanh GELU; rotary base 100",
        {"use_parallel_residual": False, "rotary_pct": 0.5, "hidden_act": "gelu_fast", "rotary_emb_base": 100},
        bites=({"use_parallel_residual": True}, {"rotary_pct": 0.25}, {"rotary_emb_base": 10000}), spread={},
    ),
    GPT_J,
    OPT,
    variant(
        OPT, "opt-350m", "LayerNorm after each block, no final norm, embedding 16 wide projected to 24 and back",
        {"do_layer_norm_before": False, "word_embed_proj_dim": 16},
    ),
    BLOOM,
    variant(
        BLOOM, "bloom-post", "the residual is the normed input, not the input",
        {"apply_residual_connection_post_layernorm": True, "n_layer": 1},
        bites=({"apply_residual_connection_post_layernorm": False},),
    ),
    FALCON,
    variant(
        FALCON, "falcon-40b", "new decoder architecture: two norms side by side, 4 heads over 2 in groups of q q k v",
        {
            "new_decoder_architecture": True, "num_attention_heads": 4, "num_kv_heads": 2, "hidden_size": 32,
            "ffn_hidden_size": 48, "rope_theta": 500.0,
        },
        bites=({"rope_theta": 10000.0},),
    ),
    variant(
        FALCON, "falcon-11b", "new decoder architecture with one norm for both",
        {
            "new_decoder_architecture": True, "num_attention_heads": 4, "num_kv_heads": 1, "hidden_size": 32,
            "ffn_hidden_size": 48, "num_ln_in_parallel_attn": 1, "tie_word_embeddings": False,
        },
    ),
    variant(
        FALCON, "falcon-rw", "ALiBi (slopes and products rounded to bf16, scaled with the scores), q k v per head, "
        "biases, attention then feed-forward",
        {"alibi": True, "bias": True, "multi_query": False, "parallel_attn": False, "num_kv_heads": REMOVED},
        attention="sdpa",  # eager adds ALiBi twice in transformers 5.23 (modeling_falcon.py 394 and 775)
    ),
]  # fmt: skip
