"""What the tables of this package say about one fixture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Family:
    """One tiny random model: its config.json as the Hub has it, and how its weights are drawn.

    `exercises` is the branch of a forward pass that it is there for, one line. `spread` maps a part of a parameter's name
    to the mean and deviation of its values, where the rule of `weights.py` would leave the parameter without effect.
    """

    name: str
    exercises: str
    config: dict[str, Any]
    token_count: int = 16
    dtype: str = "F32"
    spread: dict[str, tuple[float, float]] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    """Parts of names of parameters that cannot change the output, by the mathematics (softmax ignores a shift)."""
    bites: tuple[dict[str, Any], ...] = ()
    """Changes of config keys, each of which must change the output: the branch is not just present but felt."""
    task: str = "causal"
    """causal (logits) or encoder (pooled sentence vector)."""
    attention: str = "eager"
    """transformers' implementation of attention."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Patterns and replacements that make the tensors' names those of an older file of the Hub."""
    ignored: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Tensors that the file has beside the model's, by name and shape: buffers and heads that change nothing."""
    packed: str | None = None
    """mxfp4: the experts' matrices as GPT-OSS's blocks and scales."""
    stand: str | None = None
    """A key of outside.STANDS: transformers does not have the family, another computes the same."""


REMOVED = object()
"""As a value in `changed`: the key goes."""


def changed(config: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in (config | changes).items() if value is not REMOVED}


def variant(base: Family, name: str, exercises: str, changes: dict[str, Any], **others: Any) -> Family:
    """`base` with these config keys changed."""
    return replace(base, name=name, exercises=exercises, config=changed(base.config, changes), **others)


def decoder(kind: str, model_type: str, **keys: Any) -> dict[str, Any]:
    """A config.json with the keys that most decoders share, small; `keys` add and change, REMOVED removes."""
    return changed(COMMON | {"architectures": [kind], "model_type": model_type}, keys)


def on_the_bend(inner: str, outer: str) -> dict[str, tuple[float, float]]:
    """A spread that tells exact GELU from tanh GELU: arguments about −2, where they differ by 1 % of their value."""
    return {f"{inner}.bias": (-2.0, 0.3), f"{inner}.weight": (0.0, 0.1), f"{outer}.weight": (0.0, 1.5)}


COMMON = {
    "architectures": [], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2,
    "hidden_act": "silu", "hidden_size": 24, "initializer_range": 0.02, "intermediate_size": 32,
    "max_position_embeddings": 64, "model_type": "", "num_attention_heads": 3, "num_hidden_layers": 2,
    "num_key_value_heads": 1, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "tie_word_embeddings": False,
    "torch_dtype": "float32", "use_cache": True, "vocab_size": 96,
}  # fmt: skip
