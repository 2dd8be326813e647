"""The families that the forward pass was built on first, and the dtype variants of two of them."""

from __future__ import annotations

from .family import Family, on_the_bend, variant

GPT2 = Family(
    "gpt2",
    "learned positions, LayerNorm with bias before, fused c_attn as transposed Conv1D, 3 heads, tanh GELU, tied head; "
    "n_inner null is 4 × width",
    {
        "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1, "bos_token_id": 95,
        "embd_pdrop": 0.1, "eos_token_id": 95, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05,
        "model_type": "gpt2", "n_ctx": 32, "n_embd": 24, "n_head": 3, "n_layer": 2, "n_positions": 32,
        "resid_pdrop": 0.1, "vocab_size": 96,
    },
    bites=({"activation_function": "gelu"}, {"layer_norm_epsilon": 3e-3}),
    spread=on_the_bend("c_fc", "mlp.c_proj"),
)  # fmt: skip

LLAMA = Family(
    "llama",
    "RMS norm, half-split rotary, 6 heads over 2 KV heads, SwiGLU, head not tied",
    {
        "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 1,
        "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 48, "initializer_range": 0.02, "intermediate_size": 40,
        "max_position_embeddings": 64, "mlp_bias": False, "model_type": "llama", "num_attention_heads": 6,
        "num_hidden_layers": 2, "num_key_value_heads": 2, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
        "rope_scaling": None, "rope_theta": 10000.0, "tie_word_embeddings": False, "torch_dtype": "float32",
        "use_cache": True, "vocab_size": 100,
    },
    bites=({"rope_theta": 12000.0}, {"rms_norm_eps": 1e-3}),
)  # fmt: skip

QWEN2 = Family(
    "qwen2",
    "biases on q, k and v only, rope_theta 1e6, 4 heads over 2, tied head",
    {
        "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2,
        "hidden_act": "silu", "hidden_size": 40, "initializer_range": 0.02, "intermediate_size": 60,
        "max_position_embeddings": 64, "max_window_layers": 2, "model_type": "qwen2", "num_attention_heads": 4,
        "num_hidden_layers": 2, "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
        "sliding_window": 32, "tie_word_embeddings": True, "torch_dtype": "float32", "use_cache": True,
        "use_sliding_window": False, "vocab_size": 104,
    },
)  # fmt: skip

QWEN3 = Family(
    "qwen3",
    "RMS norm of each head's q and k before rotary, head_dim 16 ≠ 40 / 5, 5 heads over 1, head not tied",
    {
        "architectures": ["Qwen3ForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 1,
        "eos_token_id": 2, "head_dim": 16, "hidden_act": "silu", "hidden_size": 40, "initializer_range": 0.02,
        "intermediate_size": 32, "max_position_embeddings": 64, "max_window_layers": 2, "model_type": "qwen3",
        "num_attention_heads": 5, "num_hidden_layers": 2, "num_key_value_heads": 1, "rms_norm_eps": 1e-06,
        "rope_scaling": None, "rope_theta": 1000000, "sliding_window": None, "tie_word_embeddings": False,
        "torch_dtype": "float32", "use_cache": True, "use_sliding_window": False, "vocab_size": 96,
    },
)  # fmt: skip

BERT = Family(
    "bert",
    "encoder: sum of word, position and token type embeddings, LayerNorm after each block, exact GELU, 3 heads, "
    "no causal mask; two token types; mean pooling",
    {
        "architectures": ["BertModel"], "attention_probs_dropout_prob": 0.1, "gradient_checkpointing": False,
        "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 36, "initializer_range": 0.02,
        "intermediate_size": 64, "layer_norm_eps": 1e-12, "max_position_embeddings": 32, "model_type": "bert",
        "num_attention_heads": 3, "num_hidden_layers": 2, "pad_token_id": 0, "position_embedding_type": "absolute",
        "type_vocab_size": 2, "use_cache": True, "vocab_size": 96,
    },
    task="encoder",
    silent=("key.bias", "pooler."),
    bites=({"hidden_act": "gelu_new"},),
    spread={"query.bias": (0.0, 2.0)} | on_the_bend("intermediate.dense", ".output.dense")
    | {"attention.output.dense.weight": (0.0, 0.2)},
)  # fmt: skip

FAMILIES = [
    GPT2,
    variant(GPT2, "gpt2-f16", "the same computation on weights stored as F16", {"torch_dtype": "float16"}, dtype="F16"),
    LLAMA,
    variant(LLAMA, "llama-bf16", "the same computation on weights stored as BF16", {"torch_dtype": "bfloat16"}, dtype="BF16"),
    QWEN2,
    QWEN3,
    BERT,
    variant(
        GPT2, "gpt2-hub", "names as in the Hub's first file: no `transformer.`, and a causal mask h.N.attn.bias to be "
        "ignored",
        {"n_layer": 1, "architectures": ["GPT2LMHeadModel"]},
        renamed=((r"^transformer\.", ""),), ignored=(("h.0.attn.bias", (1, 1, 32, 32)),),
    ),
    variant(
        BERT, "bert-hub", "names as in the Hub's first file: `bert.`, LayerNorm.gamma and beta; position ids and a masked "
        "head to be ignored",
        {"num_hidden_layers": 1, "architectures": ["BertForMaskedLM"]},
        renamed=((r"^", "bert."), (r"LayerNorm\.weight$", "LayerNorm.gamma"), (r"LayerNorm\.bias$", "LayerNorm.beta")),
        ignored=(("bert.embeddings.position_ids", (1, 32)), ("cls.predictions.bias", (96,))),
    ),
]  # fmt: skip
