"""What the tokenizers library accepts and refuses, as a table: odd forms of each component, and the file as the library understands it.

A case's `stricter` says why Kist refuses what the library takes.
"""

import json
import os
import random
import struct

from tokenizers import Tokenizer

from tokenizers_components import MARK

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tokenizers", "reader")
BPE = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, " ": 3}, "merges": ["a b"]}
STRIP = {"strip_left": True, "strip_right": False}
PAIR = {"sep": ["x", 1], "cls": ["y", 0]}
GUESSED = "a type that the library does not know"
ADDED = {"id": 9, "content": "<x>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


def file(**parts):
    return {"version": "1.0", "model": BPE, **parts}


def cases():
    """Names, files, and why Kist is stricter."""
    one = lambda field, values: [(f"{field}: {name}", file(**{field: value}), why) for name, value, why in values]
    yield from one("normalizer", [
        ("null", None, None), ("a string", "NFC", None), ("unknown", {"type": "Foo"}, None),
        ("unknown with the fields of another", {"type": "Foo", **STRIP}, GUESSED),
        ("without type", STRIP, None), ("a sequence without type", {"normalizers": [{"type": "NFC"}]}, None),
        ("prepend without type", {"prepend": "x"}, None), ("NFC without type", {}, None),
        ("replace without type", {"pattern": {"String": "x"}, "content": "y"}, None),
        ("an old name", {"type": "Bert", "clean_text": True, "handle_chinese_chars": True, "lowercase": True}, None),
        ("missing fields", {"type": "BertNormalizer", "clean_text": True}, None),
        ("a null flag", {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}, None),
        ("a number for a flag", {"type": "Strip", "strip_left": 1, "strip_right": False}, None),
        ("a nested unknown", {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Foo"}]}, None),
        ("no pattern", {"type": "Replace", "content": "y"}, None),
        ("a bare pattern", {"type": "Replace", "pattern": "x", "content": "y"}, None),
        ("a Kelvin sign for K", {"type": "NF\u212aC"}, None), ("an extra field", {"type": "NFC", "more": 1}, None),
    ])
    yield from one("pre_tokenizer", [
        ("metaspace, false", {"type": "Metaspace", "replacement": MARK, "add_prefix_space": False}, None),
        ("metaspace, false and never", {"type": "Metaspace", "replacement": MARK, "add_prefix_space": False, "prepend_scheme": "never"}, None),
        ("metaspace, true and first", {"type": "Metaspace", "replacement": MARK, "add_prefix_space": True, "prepend_scheme": "first", "str_rep": MARK}, None),
        ("metaspace, nothing", {"type": "Metaspace"}, None), ("metaspace, null split", {"type": "Metaspace", "replacement": MARK, "split": None}, None),
        ("metaspace, null scheme", {"type": "Metaspace", "replacement": MARK, "prepend_scheme": None}, None),
        ("metaspace, two characters", {"type": "Metaspace", "replacement": "ab"}, None),
        ("a sequence without type", {"pretokenizers": []}, None), ("an inner name", {"type": "Delimiter", "delimiter": "x"}, None),
        ("char delimiter", {"type": "CharDelimiterSplit", "delimiter": "x"}, None), ("digits, nothing", {"type": "Digits"}, None),
        ("punctuation, nothing", {"type": "Punctuation"}, None), ("punctuation, unknown", {"type": "Punctuation", "behavior": "Foo"}, None),
        ("length 0", {"type": "FixedLength", "length": 0}, "the library panics when it tokenizes"),
        ("no length", {"type": "FixedLength"}, None), ("a negative length", {"type": "FixedLength", "length": -1}, None),
        ("byte level, one field", {"type": "ByteLevel", "add_prefix_space": True}, None),
        ("byte level, two fields", {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}, None),
        ("split, no invert", {"type": "Split", "pattern": {"String": "x"}, "behavior": "Removed"}, None),
        ("split, two patterns", {"type": "Split", "pattern": {"String": "x", "Regex": "y"}, "behavior": "Removed", "invert": False}, None),
    ])
    yield from one("decoder", [
        ("without type", {"suffix": "x"}, None), ("byte fallback", {"type": "ByteFallback"}, None), ("unknown", {"type": "Foo"}, None),
        ("a string", "Foo", None), ("strip without type", {"content": " ", "start": 1, "stop": 0}, None),
        ("wordpiece without type", {"prefix": "##", "cleanup": True}, None), ("byte level, nothing", {"type": "ByteLevel"}, None),
        ("a compiled tokenizer's word", {"type": "Bytes"}, None), ("fuse without type", {}, None),
    ])
    missing = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "X", "type_id": 0}}], "pair": [], "special_tokens": {}}
    yield from one("post_processor", [
        ("bert with roberta's fields", {"type": "BertProcessing", **PAIR, "trim_offsets": True, "add_prefix_space": True}, None),
        ("roberta with bert's fields", {"type": "RobertaProcessing", **PAIR}, None), ("unknown", {"type": "Foo", **PAIR}, GUESSED),
        ("bert without type", PAIR, None), ("a sequence without type", {"processors": []}, None),
        ("an empty sequence", {"type": "Sequence", "processors": []}, None), ("roberta, half", {"type": "RobertaProcessing", "sep": ["x", 1]}, None),
        ("a template that lacks its token", missing, "the library panics when it needs the token"),
        ("a template with text", {"type": "TemplateProcessing", "single": "$A", "pair": "$A $B", "special_tokens": {}}, None),
        ("a template without type", {"single": [{"Sequence": {"id": "A", "type_id": 1}}], "pair": [], "special_tokens": {}}, None),
        ("a template of sequence C", {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "C", "type_id": 1}}], "pair": [], "special_tokens": {}}, None),
    ])
    bpe = lambda **fields: {**BPE, **fields}
    large = "ids up to 16777216 are read"
    yield from one("model", [
        ("an unknown token that is not there", bpe(unk_token="zz"), None),
        ("an id twice", bpe(vocab={"a": 0, "b": 0, "ab": 2}), "which token an id means depends on chance"),
        ("a merge of an unknown token", bpe(merges=["a c"]), None), ("a merge to an unknown token", bpe(merges=["b a"]), None),
        ("merges as pairs", bpe(merges=[["a", "b"]]), None), ("mixed merges", bpe(merges=[["a", "b"], "a b"]), None),
        ("a version line", bpe(merges=["#version: 0.2", "a b"]), None), ("three tokens in a merge", bpe(merges=["a b c"]), None),
        ("three tokens in a pair", bpe(merges=[["a", "b", "ab"]]), None), ("no space", bpe(merges=["ab"]), None),
        ("a negative id", bpe(vocab={"a": -1}, merges=[]), None), ("a fractional id", bpe(vocab={"a": 1.0}, merges=[]), None),
        ("an id of 32 bits", bpe(vocab={"a": 4294967295}, merges=[]), large), ("an id of 33 bits", bpe(vocab={"a": 4294967296}, merges=[]), None),
        ("dropout 2", bpe(dropout=2.0), None), ("dropout 1", bpe(dropout=1), None), ("null fuse_unk", bpe(fuse_unk=None), None),
        ("no merges", {"type": "BPE", "vocab": {}}, None), ("null merges", bpe(merges=None), None), ("unknown", {"type": "Foo", "vocab": {"a": 0}, "merges": []}, None),
        ("a merge of a prefix", bpe(continuing_subword_prefix="#", vocab={"a": 0, "#b": 1, "ab": 2}, merges=[["a", "#b"]]), None),
        ("a repeated merge", bpe(merges=[["a", "b"], ["a", "b"]]), None),
        ("bpe without type", {"vocab": {"a": 0}, "merges": []}, None), ("word level without type", {"vocab": {"a": 0}, "unk_token": "x"}, None),
        ("wordpiece without type", {"vocab": {"a": 0}, "unk_token": "x", "continuing_subword_prefix": "##", "max_input_chars_per_word": 3}, None),
        ("unigram without type", {"vocab": [["a", 1]], "unk_id": 0}, None), ("unk_id outside", {"vocab": [["a", 1]], "unk_id": 5}, None),
        ("unk_id of nothing", {"type": "Unigram", "vocab": [], "unk_id": 0}, None), ("no pieces", {"type": "Unigram", "vocab": []}, None),
        ("a piece twice", {"vocab": [["a", 1.0], ["a", 2.0]]}, "a piece must have one id"),
        ("null byte_fallback", {"type": "Unigram", "vocab": [["a", 1]], "byte_fallback": None}, None),
        ("a negative unk_id", {"type": "Unigram", "vocab": [["a", 1]], "unk_id": -1}, None),
        ("wordpiece, missing fields", {"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "x"}, None),
        ("a null unknown token", {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": None}, None), ("null", None, None),
    ])
    added = lambda **fields: {**ADDED, **fields}
    yield from one("added_tokens", [
        ("an id that is not asked", [ADDED], None), ("in the vocabulary", [added(content="ab", id=17)], None),
        ("missing flags", [{"id": 9, "content": "x"}], None), ("three, one twice", [ADDED, added(content="<y>", id=3), added(lstrip=True)], None),
        ("empty", [added(content="")], None), ("null", None, None), ("no id", [{key: value for key, value in ADDED.items() if key != "id"}], None),
    ])
    yield from one("truncation", [
        ("without direction", {"max_length": 5, "strategy": "LongestFirst", "stride": 0}, None),
        ("unknown strategy", {"max_length": 5, "strategy": "Foo", "stride": 0}, None),
    ])
    padding = {"strategy": "BatchLongest", "direction": "Right", "pad_id": 0, "pad_type_id": 0, "pad_token": "x"}
    yield from one("padding", [
        ("to the longest", padding, None), ("fixed", {**padding, "strategy": {"Fixed": 4}, "pad_to_multiple_of": 8, "direction": "Left"}, None),
        ("unknown strategy", {**padding, "strategy": "Foo"}, None), ("no token", {"strategy": "BatchLongest", "direction": "Right"}, None),
    ])
    yield "no version", {"model": BPE}, None
    yield "version 2", {"version": "2.0", "model": BPE}, None
    yield "no model", {"version": "1.0"}, None
    yield "unknown fields", file(more={"x": 1}), None
    yield "a list", [], None


def texts():
    """Texts that a dictionary does not give."""
    yield "a token twice", '{"model":{"type":"BPE","vocab":{"a":0,"a":5,"b":1,"ab":2},"merges":["a b"]}}'
    yield "a model twice", '{"model":{"vocab":{},"merges":[]},"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}'
    yield "cut short", '{"model":{"vocab":{"a":0},"merges":['
    yield "text behind", '{"model":{"vocab":{"a":0},"merges":[]}} x'
    yield "nothing", ""
    yield "half a surrogate pair", '{"model":{"vocab":{"\\ud800":0},"merges":[]}}'
    yield "an escaped character", '{"model":{"vocab":{"\\u00e9\\ud83d\\ude00":0},"merges":[]}}'


def verdict(name, text, stricter=None):
    row = {"name": name, "text": text}
    try:
        row["understood"] = Tokenizer.from_str(text).to_str()
    except BaseException:  # the library panics now and then
        row["refused"] = True
    if stricter:
        row["understood"] = ""  # which may be another every time
        row["stricter"] = stricter
    return row


def numbers():
    """Numbers as they are written, and the bits that the library makes of them."""
    rng = random.Random(3)
    written = ["0", "-0.0", "1", "-1.5", "1e-7", "123456789012345680", "0.1", "1e300", "5e-324", "2.2250738585072014e-308", "1.7976931348623157e308"]
    written += [repr(struct.unpack("f", struct.pack("f", -15 * rng.random()))[0]) for _ in range(300)]
    written += [repr(rng.uniform(-1, 1) * 10.0 ** rng.randint(-30, 30)) for _ in range(100)]
    vocab = ",".join(f'["t{index}",{number}]' for index, number in enumerate(written))
    text = '{"model":{"type":"Unigram","vocab":[' + vocab + "]}}"
    understood = json.loads(Tokenizer.from_str(text).to_str())["model"]["vocab"]
    return text, [struct.pack(">d", score).hex() for _, score in understood]


def write_all():
    os.makedirs(ROOT, exist_ok=True)
    with open(os.path.join(ROOT, "cases.jsonl"), "w", encoding="utf-8") as file_:
        for name, value, stricter in cases():
            row = verdict(name, json.dumps(value, ensure_ascii=False, separators=(",", ":")), stricter)
            file_.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
        for name, text in texts():
            file_.write(json.dumps(verdict(name, text), ensure_ascii=False, separators=(",", ":")) + "\n")
    text, bits = numbers()
    with open(os.path.join(ROOT, "numbers.json"), "w") as file_:
        file_.write(text)
    with open(os.path.join(ROOT, "numbers.hex"), "w") as file_:
        file_.write("\n".join(bits) + "\n")
