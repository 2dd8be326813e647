"""Tokenizers of the families that people use, trained small, and the corners of each model."""

import base64
import collections
import io
import json
import os

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from tokenizers_components import MARK, bert, byte_level, metaspace, sequence, split, tokenizer
from tokenizers_corpus import AWKWARD, SHORT, corpus
from tokenizers_files import folder, rows_of, write_golden, write_json

CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
O200K = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{CONTRACTIONS}?|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{CONTRACTIONS}?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEKKEN = O200K.replace(CONTRACTIONS + "?", "").replace(r"\p{N}{1,3}", r"\p{N}")


def special(content, **flags):
    return {
        "id": 0, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags
    }


def trained_bpe(pre_tokenizer, size, specials=(), **options):
    result = Tokenizer(models.BPE(**options))
    result.pre_tokenizer = pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(specials), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    result.train_from_iterator(corpus(), trainer)
    return json.loads(result.to_str())["model"]


def byte_level_families():
    model = trained_bpe(pre_tokenizers.ByteLevel(add_prefix_space=False), 420, ["<|endoftext|>"])
    gpt2 = tokenizer(
        model, pre_tokenizer=byte_level(), decoder=byte_level(), post_processor=byte_level(trim_offsets=False),
        added_tokens=[special("<|endoftext|>")])
    texts = AWKWARD + ["text<|endoftext|>text", "<|endoftext|>"]
    write_json("gpt2", gpt2, texts)
    old = {key: value for key, value in model.items() if key not in ("type", "ignore_merges", "byte_fallback")}
    old["merges"] = ["#version: 0.2"] + [" ".join(pair) for pair in model["merges"]]
    write_json("gpt2-old-form", dict(gpt2, model=old), SHORT)
    for name, pattern, normalizer in [
        ("llama3", LLAMA3, None), ("qwen", QWEN, {"type": "NFC"}), ("o200k", O200K, None), ("tekken-pattern", TEKKEN, None),
    ]:
        pre = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        trained = dict(trained_bpe(pre, 360), ignore_merges=name == "llama3")
        template = {
            "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|begin|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<|begin|>": {"id": "<|begin|>", "ids": [360], "tokens": ["<|begin|>"]}},
        }
        write_json(name, tokenizer(
            trained, normalizer=normalizer, decoder=byte_level(), added_tokens=[special("<|begin|>"), special("<|end|>")],
            post_processor=sequence("processors", byte_level(trim_offsets=False), template),
            pre_tokenizer=sequence("pretokenizers", split({"Regex": pattern}, "Isolated"), byte_level(use_regex=False))),
            AWKWARD + ["x<|begin|> y<|end|>"])
    starcoder = sequence("pretokenizers", {"type": "Digits", "individual_digits": True}, byte_level())
    write_json("starcoder", tokenizer(
        model, pre_tokenizer=starcoder, decoder=byte_level(), added_tokens=[special("<|endoftext|>")]), SHORT)
    falcon = sequence(
        "pretokenizers", {"type": "Punctuation", "behavior": "Contiguous"}, byte_level(), {"type": "Digits", "individual_digits": False},
        split({"Regex": "[0-9][0-9][0-9]"}, "Isolated"))
    write_json("falcon", tokenizer(
        model, pre_tokenizer=falcon, decoder=byte_level(), added_tokens=[special("<|endoftext|>")]), SHORT)


def metaspace_model(size=420, bytes_too=True):
    result = Tokenizer(models.BPE())
    result.pre_tokenizer = pre_tokenizers.Metaspace()
    specials = ["<unk>", "<s>", "</s>"] + ([f"<0x{byte:02X}>" for byte in range(256)] if bytes_too else [])
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=specials, show_progress=False)
    result.train_from_iterator(corpus(latin=True), trainer)
    return json.loads(result.to_str())["model"]


def llama2():
    model = dict(metaspace_model(), byte_fallback=True, fuse_unk=True, unk_token="<unk>")
    specials = [special("<unk>"), special("<s>"), special("</s>")]
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": MARK}
    decoder = sequence(
        "decoders", {"type": "Replace", "pattern": {"String": MARK}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0})
    template = {
        "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
    }
    texts = AWKWARD + ["<s>x</s> y", "x<s> y"]
    write_json("llama2", tokenizer(
        model, added_tokens=specials, decoder=decoder, post_processor=template,
        normalizer=sequence("normalizers", {"type": "Prepend", "prepend": MARK}, replace)), texts)
    write_json("llama2-metaspace-first", tokenizer(
        model, added_tokens=specials, decoder=decoder, post_processor=template, pre_tokenizer=metaspace("first", split=False)), texts)


def bpe_corners():
    base = metaspace_model(200, bytes_too=False)
    for name, fields in {
        "no-unk": {}, "unk": {"unk_token": "<unk>"}, "unk-fused": {"unk_token": "<unk>", "fuse_unk": True},
        "unk-absent": {"unk_token": "<missing>"}, "ignore-merges": {"unk_token": "<unk>", "ignore_merges": True},
    }.items():
        write_json(f"bpe-{name}", tokenizer(
            dict(base, **fields), pre_tokenizer=metaspace("always"), decoder=metaspace("always")), SHORT)
    # Characters that leave nothing behind: their neighbours merge.
    dropped = {"type": "BPE", "vocab": {MARK: 0, MARK * 2: 1, "a": 2, MARK + "a": 3}, "merges": [[MARK, MARK], [MARK, "a"]]}
    texts = [f"{MARK}x{MARK}{MARK}", f"{MARK}xa", "xx", f"{MARK}{MARK}x{MARK}xx{MARK}a", f"x{MARK}é{MARK}a"]
    write_json("bpe-dropped-characters", tokenizer(dropped), texts)
    letters = list("abcde")
    vocab = {piece: index for index, piece in enumerate(
        letters + ["@" + letter for letter in letters] + ["ab", "abc", "@de", "abcde", "[UNK]", "@abc"])}
    write_json("bpe-prefix", tokenizer(
        {"type": "BPE", "vocab": vocab, "merges": [["a", "@b"], ["@d", "@e"], ["ab", "@c"], ["abc", "@de"]],
         "continuing_subword_prefix": "@", "unk_token": "[UNK]"}, pre_tokenizer={"type": "Whitespace"}),
        ["abcde", "abc de", "aabcdee", "edcba", "a", "x", "axb", "@abc abé", ""])
    vocab = {piece: index for index, piece in enumerate(
        letters + [letter + "</w>" for letter in letters] + ["ab", "ab</w>", "cd", "cde</w>", "abcde</w>", "<unk>"])}
    write_json("bpe-suffix", tokenizer(
        {"type": "BPE", "vocab": vocab, "merges": ["a b</w>", "a b", "c d", "cd e</w>", "ab cde</w>"],
         "end_of_word_suffix": "</w>", "unk_token": "<unk>"}, pre_tokenizer={"type": "Whitespace"},
        decoder={"type": "BPEDecoder", "suffix": "</w>"}), ["abcde", "ab", "a b", "abab", "cd cde", "xab", "abx", "", "abé ab"])
    vocab = {"a": 0, "b": 1, "ab": 2, "ba": 3, "aab": 4, "z": 9}
    write_json("bpe-repeated-merges", tokenizer(
        {"type": "BPE", "vocab": vocab, "merges": [["a", "b"], ["b", "a"], ["a", "ab"], ["a", "b"]]},
        added_tokens=[special("<new>"), special("<next>"), special("z")]), ["aab", "abab", "bab", "<new>a<next>z", "aaabbb", ""])


def unigram():
    import sentencepiece

    # A character map of our own: what NFKC does to a few characters, and some longer rules.
    rules = [
        ("ﬁ", "fi"), ("㎏", "kg"), ("½", "1⁄2"), ("Ⅷ", "VIII"), ("ｆ", "f"), ("ｕ", "u"), ("ｌ", "l"), ("e\u0301", "é"), ("ẹ\u0301", "e"),
        ("\u3000", " "), ("\u00a0", " "), ("\t", " "), ("\n", " "), ("\r", " "), ("\u2028", " "), ("\x7f", ""), ("\u200b", ""), ("\u200b\ufeff", "x"),
        ("\u212b", "Å"), ("👩\u200d👩", "w"), ("①", "1"),
    ]
    path = os.path.join(folder("sentencepiece-unigram"), "rules.tsv")
    with open(path, "w", encoding="utf-8") as file:
        for source, target in rules:
            hexed = lambda text: " ".join(f"{ord(character):X}" for character in text)
            file.write(f"{hexed(source)}\t{hexed(target)}\n")
    buffer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus()), model_writer=buffer, model_type="unigram", vocab_size=320, normalization_rule_tsv=path,
        character_coverage=0.98, control_symbols=["<ctl>"], user_defined_symbols=["<sep>", "thé"], hard_vocab_limit=False,
        minloglevel=2, num_threads=1)
    os.remove(path)
    save_sentencepiece("sentencepiece-unigram", buffer.getvalue())
    return buffer.getvalue()


def save_sentencepiece(name, data):
    import sentencepiece

    with open(os.path.join(folder(name), "tokenizer.model"), "wb") as file:
        file.write(data)
    processor = sentencepiece.SentencePieceProcessor(model_proto=data)
    texts = AWKWARD + ["<sep>x <sep> thé the", "a<ctl>b", "<s>x</s>", "  <sep>", "<sep><sep>thé"]
    write_golden(name, [
        {"text": text, "ids": processor.encode(text), "decoded": processor.decode(processor.encode(text))} for text in texts])


def sentencepiece_bpe():
    import sentencepiece

    for name, options in {
        "sentencepiece-bpe": {"byte_fallback": True, "user_defined_symbols": ["<sep>", "thé", "  "], "remove_extra_whitespaces": False,
                              "normalization_rule_name": "identity", "vocab_size": 480},
        "sentencepiece-bpe-suffix": {"treat_whitespace_as_suffix": True, "normalization_rule_name": "identity", "vocab_size": 220},
        "sentencepiece-bpe-no-prefix": {"add_dummy_prefix": False, "normalization_rule_name": "identity", "vocab_size": 220,
                                        "unk_surface": "[?]"},
    }.items():
        buffer = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(corpus()), model_writer=buffer, model_type="bpe", character_coverage=0.98, minloglevel=2,
            num_threads=1, **options)
        save_sentencepiece(name, buffer.getvalue())


def protobuf_field(data, wanted):
    """The first field of that number that holds bytes."""
    position = 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(data):
        tag = varint()
        if tag & 7 == 0:
            varint()
        elif tag & 7 == 2:
            count = varint()
            if tag >> 3 == wanted:
                return data[position:position + count]
            position += count
        else:
            position += 4 if tag & 7 == 5 else 8
    raise KeyError(wanted)


def unigram_json(model_bytes):
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_proto=model_bytes)
    vocab = [[processor.id_to_piece(id), processor.get_score(id)] for id in range(processor.get_piece_size())]
    charsmap = base64.b64encode(protobuf_field(protobuf_field(model_bytes, 3), 2)).decode()
    precompiled = {"type": "Precompiled", "precompiled_charsmap": charsmap}
    spaces = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    specials = [special("<unk>"), special("<s>"), special("</s>"), special("<mask>", lstrip=True)]
    model = {"type": "Unigram", "unk_id": 0, "vocab": vocab + [["<mask>", 0.0]], "byte_fallback": False}
    text = lambda name, type_id: {"Sequence": {"id": name, "type_id": type_id}}
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
    template = {
        "type": "TemplateProcessing", "single": [text("A", 0), end], "pair": [text("A", 0), end, text("B", 0), end],
        "special_tokens": {"</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}},
    }
    texts = AWKWARD + ["x <mask> y", "</s>x"]
    write_json("xlm-roberta", tokenizer(
        model, added_tokens=specials, normalizer=sequence("normalizers", precompiled, spaces), post_processor=template,
        pre_tokenizer=sequence("pretokenizers", {"type": "WhitespaceSplit"}, metaspace("always")), decoder=metaspace("always")), texts)
    write_json("t5", tokenizer(
        model, added_tokens=specials, normalizer=precompiled, post_processor=template, pre_tokenizer=metaspace("always"),
        decoder=metaspace("always")), texts)
    byte_pieces = [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
    write_json("unigram-byte-fallback", tokenizer(
        dict(model, vocab=vocab[:150] + byte_pieces, byte_fallback=True), pre_tokenizer=metaspace("always"),
        decoder=sequence("decoders", {"type": "ByteFallback"}, metaspace("always"))), SHORT)
    pieces = [["<unk>", 0.0], ["a", -2.0], ["b", -2.0], ["ab", -4.0], ["ba", -4.0], ["aba", -6.0], ["bab", -6.0], ["c", -1.5], ["abc", -5.5]]
    write_json("unigram-ties", tokenizer({"type": "Unigram", "unk_id": 0, "vocab": pieces}, decoder=None), [
        "ab", "aba", "abab", "ababa", "babab", "abc", "abcabc", "xab", "abx", "xx", "cab", "ababab" * 3])
    write_json("unigram-no-unk", tokenizer({"vocab": pieces}, decoder=None), ["ab", "abab", "", "x"])


def word_pieces(lowercase, size):
    """The most frequent beginnings and continuations of words. (The library's trainer depends on the order of a hash table.)"""
    counts = collections.Counter()
    for line in corpus(latin=True):
        for word in (line.lower() if lowercase else line).split():
            for start in range(len(word)):
                for end in range(start + 1, min(len(word), start + 6) + 1):
                    counts[("##" if start else "") + word[start:end]] += end - start
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = sorted(piece for piece in counts if len(piece.removeprefix("##")) == 1)
    others = sorted((piece for piece in counts if piece not in letters), key=lambda piece: (-counts[piece], piece))
    return {piece: id for id, piece in enumerate((specials + letters + others)[:size])}


def wordpiece():
    for name, lowercase in (("bert-uncased", True), ("bert-cased", False)):
        model = {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": word_pieces(lowercase, 320),
        }
        text = lambda letter, type_id: {"Sequence": {"id": letter, "type_id": type_id}}
        item = lambda token, type_id: {"SpecialToken": {"id": token, "type_id": type_id}}
        template = {
            "type": "TemplateProcessing", "single": [item("[CLS]", 0), text("A", 0), item("[SEP]", 0)],
            "pair": [item("[CLS]", 0), text("A", 0), item("[SEP]", 0), text("B", 1), item("[SEP]", 1)],
            "special_tokens": {token: {"id": token, "ids": [id], "tokens": [token]} for token, id in (("[CLS]", 2), ("[SEP]", 3))},
        }
        description = tokenizer(
            model, normalizer=bert(True, True, None, lowercase), pre_tokenizer={"type": "BertPreTokenizer"}, post_processor=template,
            decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
            added_tokens=[special(token) for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")],
            truncation={"direction": "Right", "max_length": 512, "strategy": "LongestFirst", "stride": 0},
            padding={"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"})
        without = dict(description, truncation=None, padding=None)
        path = folder(name)
        with open(os.path.join(path, "tokenizer.json"), "w", encoding="utf-8") as file:
            json.dump(description, file, ensure_ascii=False, separators=(",", ":"))
        write_golden(name, rows_of(Tokenizer.from_str(json.dumps(without)), AWKWARD + ["a" * 101, "x[MASK]y", "[SEP] Chai"]))
        if lowercase:
            tokens = sorted(model["vocab"], key=model["vocab"].get)
            with open(os.path.join(folder("vocab-txt"), "vocab.txt"), "w", encoding="utf-8", newline="") as file:
                file.write("".join(token + "\n" for token in tokens))
    vocab = {"a": 0, "##b": 1, "##": 2, "ab": 3, "[UNK]": 4, "##bc": 5, "é": 6, "##é": 7}
    write_json("wordpiece-corners", tokenizer(
        {"vocab": vocab, "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 5},
        pre_tokenizer={"type": "WhitespaceSplit"}, decoder=None), ["ab abb abbb abbbb abbbbb", "a##b", "abc abcb", "éé aé", "x", "", "ééééé éééééé"])


def word_level():
    vocab = {"a": 0, "b": 1, "ab": 2, "<unk>": 3, " ": 4}
    write_json("word-level", tokenizer(
        {"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"}, pre_tokenizer={"type": "Whitespace"}, decoder=None),
        ["a b ab", "abc", "", "a  b", "a-b"])
    write_json("word-level-no-type", tokenizer(
        {"vocab": {"a": 0, "b": 1}, "unk_token": "<none>"}, pre_tokenizer={"type": "Whitespace"}, decoder=None), ["a b a", "", "c"])


def write_all():
    byte_level_families()
    llama2()
    bpe_corners()
    unigram_json(unigram())
    sentencepiece_bpe()
    wordpiece()
    word_level()
