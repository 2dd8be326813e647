"""Random weights under which every parameter matters.

transformers starts biases at 0 and norms at 1, which would hide a port that forgets them.
"""

from __future__ import annotations

import re
import zlib

import numpy as np
import torch

from .family import Family

NORM = re.compile(r"norm|ln_|layer_?norm|\.ln|_ln", re.IGNORECASE)


def law(name: str, shape: tuple[int, ...], norm_mean: float) -> tuple[float, float]:
    """The mean and deviation of a parameter's values: norms about their neutral value, matrices by their fan-in."""
    if NORM.search(name) and name.endswith("weight"):
        return norm_mean, 0.25
    if len(shape) < 2:
        return 0.0, 0.3
    if "embed" in name or "wte" in name or "wpe" in name:
        return 0.0, 0.7
    gain = 1.8 if re.search(r"(q|k|query|key)(_proj|_b_proj)?\.weight|qkv|c_attn|query_key_value", name) else 1.1
    return 0.0, gain / float(np.sqrt(shape[-1]))


def neutral_norm(model: torch.nn.Module) -> float:
    """0 where the norms multiply by 1 + weight (Gemma, Nemotron), else 1."""
    kinds = {type(part).__name__ for part in model.modules()}
    return 0.0 if any(kind.startswith(("Gemma", "Nemotron")) and "Norm" in kind for kind in kinds) else 1.0


def fill(model: torch.nn.Module, family: Family) -> None:
    """Draws every tensor of the model's state; each from its own name, so that order does not matter."""
    norm_mean = neutral_norm(model)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if not tensor.is_floating_point():
                continue
            mean, deviation = law(name, tuple(tensor.shape), norm_mean)
            for part, special in family.spread.items():
                if part in name:
                    mean, deviation = special
            random = np.random.default_rng(zlib.crc32(f"{family.name}:{name}".encode()))
            values = mean + deviation * random.standard_normal(tuple(tensor.shape))
            tensor.copy_(torch.from_numpy(values.astype(np.float32)))
    model.tie_weights()


def tokens_of(family: Family, vocabulary: int) -> np.ndarray:
    """Ids over the whole vocabulary, the first and the last among them, one repeated."""
    random = np.random.default_rng(zlib.crc32(f"{family.name}:tokens".encode()))
    ids = random.integers(4, vocabulary, family.token_count)
    ids[1], ids[-2] = vocabulary - 1, ids[2]
    return ids.astype(np.int64)
