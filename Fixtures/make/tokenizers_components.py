"""Every component by itself, in a tokenizer whose ids show what went into the model.

The model has the 256 bytes and little else: each piece gives the bytes of its characters, and `</w>` after the last. So one wrong
byte, or one wrong border between pieces, shows.
"""

from tokenizers_corpus import SHORT
from tokenizers_files import write_json

MARK = "\u2581"
BYTES = {f"<0x{byte:02X}>": byte for byte in range(256)}
PROBE = {
    "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": "</w>",
    "fuse_unk": False, "byte_fallback": True, "ignore_merges": False, "vocab": {**BYTES, "<x>": 256}, "merges": [],
}
PLAIN = dict(PROBE, end_of_word_suffix=None)
BYTE_DECODER = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]}


def tokenizer(model=PROBE, **parts):
    result = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
        "post_processor": None, "decoder": BYTE_DECODER, "model": model,
    }
    result.update(parts)
    return result


def byte_level(**fields):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True, **fields}


def bert(clean, chinese, strip, lower):
    return {
        "type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": strip, "lowercase": lower,
    }


def sequence(name, *parts):
    return {"type": "Sequence", name: list(parts)}


def metaspace(scheme, split=True, replacement=MARK):
    return {"type": "Metaspace", "replacement": replacement, "prepend_scheme": scheme, "split": split}


def split(pattern, behavior, invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def normalizers():
    named = {name.lower(): {"type": name} for name in "NFC NFD NFKC NFKD Lowercase Nmt ByteLevel StripAccents".split()}
    named.update({
        "strip-left": {"type": "Strip", "strip_left": True, "strip_right": False},
        "strip-right": {"type": "Strip", "strip_left": False, "strip_right": True},
        "strip-both": {"type": "Strip", "strip_left": True, "strip_right": True},
        "bert-uncased": bert(True, True, None, True),
        "bert-cased": bert(True, True, None, False),
        "bert-accents": bert(False, False, True, False),
        "replace-string": {"type": "Replace", "pattern": {"String": "a"}, "content": "<é>"},
        "replace-regex": {"type": "Replace", "pattern": {"Regex": "[aeiou]+|\\s{2,}"}, "content": "_"},
        "prepend": {"type": "Prepend", "prepend": MARK},
        "sequence": sequence(
            "normalizers", {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"},
            {"type": "Replace", "pattern": {"String": " "}, "content": MARK}),
    })
    for name, normalizer in named.items():
        write_json(f"normalizer-{name}", tokenizer(normalizer=normalizer), SHORT)


def pre_tokenizers():
    named = {
        "bert": {"type": "BertPreTokenizer"},
        "byte-level": byte_level(),
        "byte-level-prefix": byte_level(add_prefix_space=True),
        "byte-level-no-regex": byte_level(add_prefix_space=True, use_regex=False),
        "char-delimiter": {"type": "CharDelimiterSplit", "delimiter": "a"},
        "whitespace": {"type": "Whitespace"},
        "whitespace-split": {"type": "WhitespaceSplit"},
        "digits": {"type": "Digits", "individual_digits": False},
        "digits-individual": {"type": "Digits", "individual_digits": True},
        "unicode-scripts": {"type": "UnicodeScripts"},
        "fixed-length": {"type": "FixedLength", "length": 3},
        "metaspace-always": metaspace("always"),
        "metaspace-never": metaspace("never"),
        "metaspace-first": metaspace("first"),
        "metaspace-no-split": metaspace("always", split=False),
        "metaspace-old": {"type": "Metaspace", "replacement": "_", "add_prefix_space": True},
        "sequence": sequence(
            "pretokenizers", {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Isolated"},
            {"type": "Digits", "individual_digits": True}),
        "sequence-metaspace": sequence("pretokenizers", {"type": "WhitespaceSplit"}, metaspace("first")),
    }
    for behavior in BEHAVIORS:
        named[f"punctuation-{behavior.lower()}"] = {"type": "Punctuation", "behavior": behavior}
        named[f"split-{behavior.lower()}"] = split({"Regex": "[aeiou]|\\s"}, behavior)
        named[f"split-{behavior.lower()}-inverted"] = split({"Regex": "\\w+"}, behavior, invert=True)
    named["split-string"] = split({"String": "a"}, "MergedWithNext")
    named["split-empty-matches"] = split({"Regex": "\\d*"}, "Isolated")
    for name, pre_tokenizer in named.items():
        write_json(f"pre-{name}", tokenizer(pre_tokenizer=pre_tokenizer), SHORT)


def post_processors():
    vocab = {**BYTES, "<x>": 256, "[CLS]": 257, "[SEP]": 258, "<a>": 259, "<b>": 260}
    model = dict(PLAIN, vocab=vocab)
    special = lambda name, ids, tokens: {"id": name, "ids": ids, "tokens": tokens}
    item = lambda name, type_id=0: {"SpecialToken": {"id": name, "type_id": type_id}}
    text = lambda name, type_id=0: {"Sequence": {"id": name, "type_id": type_id}}
    template = {
        "type": "TemplateProcessing", "single": [item("[CLS]"), text("A"), item("[SEP]"), item("two")],
        "pair": [item("[CLS]"), text("A"), item("[SEP]"), text("B", 1), item("[SEP]", 1)],
        "special_tokens": {
            "[CLS]": special("[CLS]", [257], ["[CLS]"]), "[SEP]": special("[SEP]", [258], ["[SEP]"]),
            "two": special("two", [259, 260], ["<a>", "<b>"]),
        },
    }
    pair = {"sep": ["[SEP]", 258], "cls": ["[CLS]", 257]}
    named = {
        "bert": {"type": "BertProcessing", **pair},
        "roberta": {"type": "RobertaProcessing", **pair, "trim_offsets": True, "add_prefix_space": False},
        "byte-level": byte_level(),
        "template": template,
        "sequence": sequence("processors", byte_level(), template),
    }
    for name, processor in named.items():
        write_json(f"post-{name}", tokenizer(model=model, post_processor=processor), SHORT[:6])


def decoders():
    """Decoding alone, from ids of a word-level vocabulary whose tokens are awkward."""
    pieces = [
        "a", "b", "##a", "##b", "a</w>", "b</w>", MARK, MARK + "a", MARK + "b", "<0xE2>", "<0x98>", "<0x83>", "<0x41>", "<0xff>", ".",
        "n't", "'s", "|", "<pad>", "Ġa", "Ġ", "Ã", "©", "é", " ", "aa", "'", "do", "not", "[UNK]",
    ]
    vocab = {piece: index for index, piece in enumerate(pieces)}
    model = {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"}
    texts = [
        "a b ##a . n't", f"{MARK}a b {MARK} {MARK}b", "a</w> b b</w>", "<0xE2> <0x98> <0x83> a <0xE2> <0x98> <0x41> <0xff>",
        "a a | <pad> <pad> b | b .", "Ġa Ġ Ã © é a", "do not 's a ' b .", "aa a aa", "##a ##b", "a", f"{MARK} {MARK}",
    ]
    wordpiece = lambda cleanup: {"type": "WordPiece", "prefix": "##", "cleanup": cleanup}
    named = {
        "none": None,
        "bpe": {"type": "BPEDecoder", "suffix": "</w>"},
        "byte-level": byte_level(),
        "wordpiece": wordpiece(False),
        "wordpiece-cleanup": wordpiece(True),
        "metaspace-always": metaspace("always"),
        "metaspace-never": metaspace("never"),
        "ctc": {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": True},
        "ctc-plain": {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": False},
        "replace": {"type": "Replace", "pattern": {"String": "a"}, "content": "xy"},
        "replace-regex": {"type": "Replace", "pattern": {"Regex": "[ab]+"}, "content": "-"},
        "replace-nothing": {"type": "Replace", "pattern": {"String": ""}, "content": "-"},
        "fuse": {"type": "Fuse"},
        "strip": {"type": "Strip", "content": "a", "start": 1, "stop": 0},
        "strip-both": {"type": "Strip", "content": "a", "start": 1, "stop": 1},
        "byte-fallback": {"type": "ByteFallback"},
        "llama": sequence(
            "decoders", {"type": "Replace", "pattern": {"String": MARK}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}),
    }
    for name, decoder in named.items():
        write_json(
            f"decoder-{name}", tokenizer(model=model, decoder=decoder, pre_tokenizer={"type": "WhitespaceSplit"}), texts)


def added_tokens():
    texts = [
        "<A>", "x<A>y", "x <A> y", "  <A>  <A>", "<B>x", "x <B> y", "<C>  x", "wordD word D D.", "xDx", "eé Eé É", "Ab ab AB aB",
        "<A><B><C>", "<AA> <A>A>", "naïve nai\u0308ve", "longer longe long", "", "\u00a0<B>\u00a0", "D", "ab", "<S> x<S>",
    ]
    token = lambda content, **flags: {
        "id": 0, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False, **flags
    }
    tokens = [
        token("<A>", special=True), token("<B>", lstrip=True), token("<C>", rstrip=True), token("<S>", lstrip=True, rstrip=True, special=True),
        token("D", single_word=True), token("Ab", normalized=True), token("É", normalized=True), token("naïve", normalized=True, single_word=True),
        token("long"), token("longer"), token("<x>", special=True), token(""),
    ]
    for name, parts in {
        "plain": {},
        "lowercase": {"normalizer": {"type": "Lowercase"}},
        "nfd-metaspace": {"normalizer": {"type": "NFD"}, "pre_tokenizer": metaspace("first")},
        "prepend": {"normalizer": sequence("normalizers", {"type": "Prepend", "prepend": MARK}, {
            "type": "Replace", "pattern": {"String": " "}, "content": MARK})},
        "byte-level": {"pre_tokenizer": byte_level(add_prefix_space=True)},
    }.items():
        write_json(f"added-{name}", tokenizer(added_tokens=tokens, **parts), texts)


def odd_added_tokens():
    """Ids that the library does not follow (gaps, duplicates, others' ids, out of order), and one content several times."""
    token = lambda id, content, **flags: {
        "id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags
    }
    vocab = {"a": 0, "b": 1, "c": 2, "ab": 9, "z": 7, " ": 3, "A": 5}
    model = dict(PLAIN, vocab=vocab, byte_fallback=False)
    texts = ["a<n>b", "z<m>ab", "<o><n> <m>", "<p>", "Ab ab AB", "<n>z<o>ab<p>c"]
    twice = lambda first, second: [token(0, "Ab", special=False, normalized=first), token(0, "Ab", special=False, normalized=second)]
    for name, tokens in {
        "gaps": [token(40, "<n>"), token(60, "<m>"), token(90, "<o>")], "out-of-order": [token(12, "<n>"), token(11, "<m>"), token(10, "<o>")],
        "taken": [token(0, "<n>"), token(9, "<m>"), token(7, "<o>")], "equal": [token(10, "<n>"), token(10, "<m>"), token(10, "<o>")],
        "of-the-vocabulary": [token(7, "ab"), token(3, "<n>"), token(9, "z"), token(8, "<m>"), token(2, "<n>", lstrip=True)],
        "twice-normalized-last": twice(False, True), "twice-normalized-first": twice(True, False),
    }.items():
        write_json(f"added-ids-{name}", tokenizer(
            model, added_tokens=tokens, normalizer={"type": "Lowercase"} if name.startswith("twice") else None, decoder=None), texts)


def write_all():
    normalizers()
    pre_tokenizers()
    post_processors()
    decoders()
    added_tokens()
    odd_added_tokens()
