"""Encoders beside BERT."""

from __future__ import annotations

from .family import Family
from .first import BERT

ROBERTA = Family(
    "roberta",
    "positions from pad_token_id + 1 on, one token type, otherwise BERT",
    BERT.config
    | {
        "architectures": ["RobertaModel"], "bos_token_id": 0, "eos_token_id": 2, "hidden_size": 24, "layer_norm_eps": 1e-05,
        "max_position_embeddings": 34, "model_type": "roberta", "num_hidden_layers": 2, "pad_token_id": 1,
        "type_vocab_size": 1,
    },
    task="encoder",
    silent=BERT.silent,
    bites=({"hidden_act": "gelu_new"},),
    spread=BERT.spread,
)  # fmt: skip

XLM_ROBERTA = Family(
    "xlm-roberta",
    "RoBERTa under another name",
    ROBERTA.config | {"architectures": ["XLMRobertaModel"], "model_type": "xlm-roberta", "num_hidden_layers": 1},
    task="encoder",
    silent=BERT.silent,
    bites=({"hidden_act": "gelu_new"},),
    spread=BERT.spread,
)  # fmt: skip

FAMILIES = [ROBERTA, XLM_ROBERTA]
