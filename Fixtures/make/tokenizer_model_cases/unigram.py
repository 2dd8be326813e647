"""Unigram: SentencePiece's own models, and those of tokenizers."""
import io
import json
import random
import struct

import sentencepiece
from tokenizers import Tokenizer

from .texts import mixed, sentences

SPACE = "\u2581"
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)


def sets(rng, count):
    for name, options in {
        "plain": {},
        "bytes": {"byte_fallback": True, "user_defined_symbols": ["<sep>", "the", "ee" + SPACE + "e", "12"], "vocab_size": 420},
        "spaces-inside": {"split_by_whitespace": False, "control_symbols": ["<ctrl>"]},
        "suffix": {"treat_whitespace_as_suffix": True, "user_defined_symbols": [SPACE * 2, SPACE * 4]},
    }.items():
        yield f"unigram-sentencepiece-{name}", sentencepiece_set(trained(rng, options), rng, count)
    yield "unigram-sentencepiece-ties", sentencepiece_set(model_with_ties(rng), rng, count)
    yield "unigram-sentencepiece-long", sentencepiece_set(trained(rng, {}), rng, max(2, min(20, count // 100)), longest=250 if count <= 30 else 40_000)
    for name, options in {
        "plain": dict(unknown=0),
        "bytes": dict(unknown=1, bytes_=256),
        "some-bytes": dict(unknown=0, bytes_=200),
        "ties": dict(unknown=2, ties=True),
        "positive": dict(unknown=0, positive=True),
        "no-unknown": dict(unknown=None),
    }.items():
        yield f"unigram-tokenizers-{name}", tokenizers_set(rng, count, **options)


def trained(rng: random.Random, options: dict) -> bytes:
    model = io.BytesIO()
    settings = dict(
        vocab_size=160, character_coverage=0.998, normalization_rule_name="identity", add_dummy_prefix=False,
        remove_extra_whitespaces=False, hard_vocab_limit=False, num_threads=1, minloglevel=2)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences(rng, 600)), model_writer=model, **(settings | options))
    return model.getvalue()


def field(number: int, value) -> bytes:
    """One field of a protocol buffer: bytes, a float, or a small number."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3) + varint(value)


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def model_with_ties(rng: random.Random) -> bytes:
    """Pieces of three letters and ▁, with few different scores, unused and user-defined ones among them."""
    pieces = {"<unk>": (0.0, UNKNOWN), "<s>": (0.0, CONTROL)}
    while len(pieces) < 90:
        piece = "".join(rng.choices("abc" + SPACE + "é", weights=(5, 5, 5, 3, 1), k=rng.choice((1, 2, 2, 3, 4, 6))))
        kind = rng.choices((NORMAL, UNUSED, USER_DEFINED), weights=(20, 2, 1))[0]
        pieces.setdefault(piece, (rng.choice((-1.0, -1.5, -2.0, -3.0, -1.1, -0.1)), kind))
    body = b"".join(
        field(1, field(1, piece.encode()) + field(2, score) + field(3, kind)) for piece, (score, kind) in pieces.items())
    trainer = field(3, 1)
    normalizer = field(1, b"identity") + field(3, 0) + field(4, 0) + field(5, 1)
    return body + field(2, trainer) + field(3, normalizer)


def sentencepiece_set(model: bytes, rng: random.Random, count: int, longest: int = 1) -> dict:
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    ids = range(processor.get_piece_size())
    kinds = [
        UNKNOWN if processor.is_unknown(id) else CONTROL if processor.is_control(id) else BYTE if processor.is_byte(id)
        else UNUSED if processor.is_unused(id) else NORMAL for id in ids]
    for id in user_defined(model):
        kinds[id] = USER_DEFINED
    pieces = [processor.id_to_piece(id) for id in ids]
    cases = []
    while len(cases) < count:
        text = "".join(mixed(rng, pieces, SPACE).replace(" ", SPACE) for _ in range(longest))
        if text:
            cases.append({"text": text, "ids": processor.encode(text)})
    return {
        "unknown": processor.unk_id(), "byteFallback": BYTE in kinds, "kinds": kinds, "tokens": pieces,
        "scores": [processor.get_score(id) for id in ids], "cases": cases}


def user_defined(model: bytes) -> list[int]:
    """The ids of user-defined pieces, which the library does not tell."""
    found, place, id = [], 0, 0
    while place < len(model) and model[place] == 0x0A:
        length, place = length_at(model, place + 1)
        body, place = model[place : place + length], place + length
        piece, at = length_at(body, 1)
        rest = body[at + piece :]
        if bytes([3 << 3, USER_DEFINED]) in rest[5:]:
            found.append(id)
        id += 1
    return found


def length_at(data: bytes, place: int) -> tuple[int, int]:
    length = shift = 0
    while True:
        length |= (data[place] & 127) << shift
        shift, place = shift + 7, place + 1
        if data[place - 1] < 128:
            return length, place


def tokenizers_set(rng, count, unknown, bytes_=0, ties=False, positive=False) -> dict:
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(bytes_)]
    letters = "abc" if ties else "abcdehté中" + SPACE
    while len(tokens) < 140 + bytes_:
        token = "".join(rng.choices(letters + SPACE, k=rng.choice((1, 2, 2, 3, 4, 6))))
        if token not in tokens:
            tokens.append(token)
    score = lambda: rng.choice((-1.0, -2.0, -3.0, -0.1)) if ties else rng.uniform(20, 40) if positive else -rng.uniform(1, 14)
    scores = [0.0 if i < 3 else score() for i in range(len(tokens))]
    definition = {
        "version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None,
        "model": {"type": "Unigram", "unk_id": unknown, "vocab": list(zip(tokens, scores)), "byte_fallback": bytes_ > 0}}
    tokenizer = Tokenizer.from_str(json.dumps(definition))
    cases = []
    while len(cases) < count:
        text = "".join(mixed(rng, tokens, SPACE) for _ in range(rng.choice((1, 1, 1, 20))))
        try:
            ids = [token.id for token in tokenizer.model.tokenize(text)]
        except Exception:
            ids = None
        cases.append({"text": text, "ids": ids})
    return {
        "unknown": unknown, "byteFallback": bytes_ > 0, "kinds": [], "tokens": tokens, "scores": [as_read(score) for score in scores],
        "cases": cases}


def as_read(score: float) -> float:
    """What serde_json, without its feature float_roundtrip, makes of a number: up to a unit in the last place off."""
    digits, _, exponent = repr(abs(score)).partition("e")
    whole, _, fraction = digits.partition(".")
    significand, power = int(whole), int(exponent or 0)
    for digit in fraction:
        if significand * 10 + int(digit) >= 1 << 64:
            break
        significand, power = significand * 10 + int(digit), power - 1
    value = float(significand) * 10.0**power if power >= 0 else float(significand) / 10.0**-power
    return -value if score < 0 else value
