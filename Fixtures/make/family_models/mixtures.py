"""Mixtures of experts, with every routing formula."""

from __future__ import annotations

from .family import REMOVED, Family, decoder, variant

MIXTRAL = Family(
    "mixtral", "2 of 4 experts a token, softmax over all then renormalized; rotary base 1e6 by default",
    decoder(
        "MixtralForCausalLM", "mixtral",
        attention_bias=REMOVED, intermediate_size=20, num_experts_per_tok=2, num_local_experts=4, output_router_logits=False,
        rope_theta=REMOVED, router_aux_loss_coef=0.02, sliding_window=None,
    ),
    bites=({"num_experts_per_tok": 3}, {"rope_theta": 10000.0}),
)  # fmt: skip

QWEN2_MOE = Family(
    "qwen2-moe", "2 of 5 experts without renormalizing, a shared expert behind a sigmoid gate",
    decoder(
        "Qwen2MoeForCausalLM", "qwen2_moe",
        attention_bias=REMOVED, decoder_sparse_step=1, intermediate_size=28, max_window_layers=3, mlp_only_layers=[],
        moe_intermediate_size=12, norm_topk_prob=False, num_experts=5, num_experts_per_tok=2,
        rms_norm_eps=1e-6, rope_theta=1000000.0, shared_expert_intermediate_size=20, sliding_window=32,
        use_sliding_window=False, output_router_logits=False, router_aux_loss_coef=0.001,
    ),
    spread={"k_proj.bias": (0.0, 0.9)},
    bites=({"norm_topk_prob": True}, {"num_experts_per_tok": 3}),
)  # fmt: skip

QWEN3_MOE = Family(
    "qwen3-moe", "RMS norm of heads, 3 of 6 experts renormalized, tied head",
    decoder(
        "Qwen3MoeForCausalLM", "qwen3_moe",
        decoder_sparse_step=1, head_dim=12, intermediate_size=28, max_window_layers=2, mlp_only_layers=[],
        moe_intermediate_size=12, norm_topk_prob=True, num_experts=6, num_experts_per_tok=3, rms_norm_eps=1e-6,
        rope_scaling=None, rope_theta=1000000.0, sliding_window=None, use_sliding_window=False, tie_word_embeddings=True,
        output_router_logits=False, router_aux_loss_coef=0.001,
    ),
    bites=({"norm_topk_prob": False}, {"num_experts_per_tok": 2}),
)  # fmt: skip

DEEPSEEK_V2 = Family(
    "deepseek-v2", "latent attention with low-rank q, 3 experts from 2 of 3 groups by their best, times 1.5, two shared "
    "experts, one dense layer",
    decoder(
        "DeepseekV2ForCausalLM", "deepseek_v2",
        aux_loss_alpha=0.001, ep_size=1, first_k_dense_replace=1, intermediate_size=28, kv_lora_rank=12,
        moe_intermediate_size=8, moe_layer_freq=1, n_group=3, n_routed_experts=9, n_shared_experts=2, norm_topk_prob=False,
        num_experts_per_tok=3, num_key_value_heads=3, q_lora_rank=14, qk_nope_head_dim=6, qk_rope_head_dim=8,
        rms_norm_eps=1e-6, routed_scaling_factor=1.5, scoring_func="softmax", seq_aux=True, topk_group=2,
        topk_method="group_limited_greedy", v_head_dim=10,
        rope_scaling={
            "beta_fast": 16, "beta_slow": 1, "factor": 8, "mscale": 0.9, "mscale_all_dim": 0.6,
            "original_max_position_embeddings": 32, "type": "yarn",
        },
    ),
    bites=({"topk_method": "greedy"}, {"routed_scaling_factor": 1.0}, {"topk_group": 3}, {"rope_scaling": None}),
)  # fmt: skip

DEEPSEEK_V3 = Family(
    "deepseek-v3", "sigmoid scores, experts chosen by score + bias in 2 of 3 groups by their best two, weights "
    "renormalized times 2.5",
    decoder(
        "DeepseekV3ForCausalLM", "deepseek_v3",
        ep_size=1, first_k_dense_replace=1, intermediate_size=28, kv_lora_rank=12, moe_intermediate_size=8, moe_layer_freq=1,
        n_group=3, n_routed_experts=9, n_shared_experts=1, norm_topk_prob=True, num_experts_per_tok=3, num_key_value_heads=3,
        num_nextn_predict_layers=0, q_lora_rank=14, qk_nope_head_dim=6, qk_rope_head_dim=8, rms_norm_eps=1e-6,
        routed_scaling_factor=2.5, scoring_func="sigmoid", topk_group=2, topk_method="noaux_tc", v_head_dim=10,
        rope_scaling={
            "beta_fast": 16, "beta_slow": 1, "factor": 8, "mscale": 1.0, "mscale_all_dim": 1.0,
            "original_max_position_embeddings": 32, "type": "yarn",
        },
    ),
    silent=("e_score_correction_bias",),
    bites=(
        {"norm_topk_prob": False}, {"routed_scaling_factor": 1.0}, {"topk_group": 3}, {"num_experts_per_tok": 2},
        {"rope_scaling": None}, {"rope_interleave": False},
    ),
)  # fmt: skip

FAMILIES = [
    MIXTRAL,
    QWEN2_MOE,
    variant(
        QWEN2_MOE, "qwen2-moe-dense", "the second of three layers dense by mlp_only_layers; weights renormalized; windows "
        "of 5 on even layers",
        {
            "mlp_only_layers": [1], "num_hidden_layers": 3, "num_experts": 3, "norm_topk_prob": True,
            "use_sliding_window": True, "sliding_window": 5,
        },
        bites=({"norm_topk_prob": False}, {"sliding_window": 6}, {"max_window_layers": 1}, {"max_window_layers": 0}),
    ),
    QWEN3_MOE,
    variant(
        QWEN3_MOE, "qwen3-moe-dense", "experts on every second layer by decoder_sparse_step, weights not renormalized, "
        "windows of 5",
        {
            "decoder_sparse_step": 2, "norm_topk_prob": False, "num_experts": 4, "use_sliding_window": True, "sliding_window": 5,
            "tie_word_embeddings": False,
        },
        bites=({"norm_topk_prob": True}, {"sliding_window": 6}, {"use_sliding_window": False}),
    ),
    DEEPSEEK_V2,
    variant(
        DEEPSEEK_V2, "deepseek-v2-lite", "latent attention with plain q, greedy routing, default rotary, tied head",
        {
            "q_lora_rank": None, "topk_method": "greedy", "n_group": 1, "topk_group": 1, "rope_scaling": None,
            "routed_scaling_factor": 1.0, "n_shared_experts": 1, "n_routed_experts": 5, "tie_word_embeddings": True,
        },
        bites=({"routed_scaling_factor": 2.0}, {"num_experts_per_tok": 2}),
    ),
    DEEPSEEK_V3,
]  # fmt: skip
