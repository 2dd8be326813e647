"""What the tables of this package say about one fixture."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    task: str = "causal"
    """causal (logits), encoder (BertModel: pooled sentence vector), masked (logits of a masked language model)."""
    own: str | None = None
    """The module of this package that defines the model where transformers does not."""


def variant(base: Family, name: str, exercises: str, changes: dict[str, Any] | None = None, **others: Any) -> Family:
    """`base` with these config keys changed (None removes one)."""
    config = {key: value for key, value in (base.config | (changes or {})).items() if value is not REMOVED}
    fields = {part: getattr(base, part) for part in base.__dataclass_fields__}
    return Family(**fields | {"name": name, "exercises": exercises, "config": config} | others)


REMOVED = object()
