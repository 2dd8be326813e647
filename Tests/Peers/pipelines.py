"""Random tokenizers: descriptions in the words of tokenizer.json, and SentencePiece models trained with random options."""

import io

import tokenizers_components as parts
from tokenizers_corpus import corpus
from tokenizers_models import LLAMA3, O200K, QWEN, TEKKEN

REGEXES = [
    r"\s+", r"\w+", r"\d", r"\p{L}+", r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+", r"\s+(?!\S)", r"[aeiou]", r"a|b|ab", r"(?i)the", r"(?i:'s|'t)", r"[^\r\n]",
    r"\p{Lu}\p{Ll}*", r"\p{Han}", r"[\u4e00-\u9fa5]+", r"\p{M}", r"(?<=a)b", r"(?<!\s)\S", r"x*", r"\d*", r"^a", r"a$", r"\b", r"[[:punct:]]", r"[[:alpha:]]+",
    r"\p{P}|\p{S}", r"[ \t]{2,}", r"(ab)+", r".", r"\n|\r\n", r"[^a-z&&[^x]]", r"\h+", r"(?:é|e\u0301)", r" {2,}", r"[A-Z]{2}", r"\W", r"\S\s", r"a++b?", r"(?>ab|a)c?",
    r"\p{Cyrillic}+|\p{Greek}", r"\X", r"[\s\S]{3}", r"\A\s", r"\s\z", r"[\x{3040}-\x{30ff}]", r"<[^>]*>", r"[^\p{L}\p{M}\p{N}]+",
]
LITERALS = ["a", " ", "the", "▁", "e\u0301", "é", "ab", "\n", "  ", "<", "日", "👍", "\u0301", "."]
CONTENTS = ["", " ", "_", "▁", "x", "é", "ab", "  ", "日本", "a\u0301"]


class Pipelines:
    def __init__(self, rng):
        self.rng = rng

    def pattern(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.3:
            return {"String": rng.choice(LITERALS)}
        if kind < 0.5:
            return {"Regex": "|".join(rng.sample(REGEXES, 2))}
        return {"Regex": rng.choice(REGEXES)}

    def normalizer(self, depth=0):
        rng = self.rng
        plain = "NFC NFD NFKC NFKD Lowercase Nmt ByteLevel StripAccents".split()
        flag = lambda: rng.random() < 0.5
        return rng.choice([
            lambda: {"type": rng.choice(plain)},
            lambda: {"type": rng.choice(plain)},
            lambda: {"type": "Strip", "strip_left": flag(), "strip_right": flag()},
            lambda: parts.bert(flag(), flag(), rng.choice([None, True, False]), flag()),
            lambda: {"type": "Replace", "pattern": self.pattern(), "content": rng.choice(CONTENTS)},
            lambda: {"type": "Replace", "pattern": {"Regex": rng.choice(REGEXES)}, "content": rng.choice(CONTENTS)},
            lambda: {"type": "Prepend", "prepend": rng.choice(["▁", " ", "x", "é"])},
            lambda: parts.sequence("normalizers", *[self.normalizer(depth + 1) for _ in range(rng.randint(0, 3))])
            if depth < 2 else {"type": "NFC"},
        ])()

    def pre_tokenizer(self, depth=0):
        rng = self.rng
        flag = lambda: rng.random() < 0.5
        known = [LLAMA3, QWEN, O200K, TEKKEN]
        return rng.choice([
            lambda: {"type": rng.choice(["BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts"])},
            lambda: parts.byte_level(add_prefix_space=flag(), use_regex=flag()),
            lambda: {"type": "CharDelimiterSplit", "delimiter": rng.choice(" a▁é,\n")},
            lambda: parts.metaspace(rng.choice(["first", "always", "never"]), flag(), rng.choice("▁_ a")),
            lambda: parts.split(self.pattern(), rng.choice(parts.BEHAVIORS), flag()),
            lambda: parts.split({"Regex": rng.choice(REGEXES)}, rng.choice(parts.BEHAVIORS), flag()),
            lambda: parts.split({"Regex": rng.choice(known)}, rng.choice(["Isolated", "Removed"]), flag()),
            lambda: {"type": "Punctuation", "behavior": rng.choice(parts.BEHAVIORS)},
            lambda: {"type": "Digits", "individual_digits": flag()},
            lambda: {"type": "FixedLength", "length": rng.randint(1, 6)},
            lambda: parts.sequence("pretokenizers", *[self.pre_tokenizer(depth + 1) for _ in range(rng.randint(0, 3))])
            if depth < 2 else {"type": "Whitespace"},
        ])()

    def decoder(self, depth=0):
        rng = self.rng
        flag = lambda: rng.random() < 0.5
        return rng.choice([
            lambda: None if depth == 0 else {"type": "Fuse"},
            lambda: {"type": rng.choice(["Fuse", "ByteFallback", "ByteLevel"])},
            lambda: {"type": "BPEDecoder", "suffix": rng.choice(["</w>", "a"])},
            lambda: {"type": "WordPiece", "prefix": rng.choice(["##", "@"]), "cleanup": flag()},
            lambda: parts.metaspace(rng.choice(["first", "always", "never"]), flag(), rng.choice("▁_a")),
            lambda: {"type": "CTC", "pad_token": rng.choice(["<pad>", "a"]), "word_delimiter_token": rng.choice("|b"), "cleanup": flag()},
            lambda: {"type": "Replace", "pattern": self.pattern(), "content": rng.choice(CONTENTS)},
            lambda: {"type": "Strip", "content": rng.choice(" a▁"), "start": rng.randint(0, 2), "stop": rng.randint(0, 2)},
            lambda: parts.sequence("decoders", *[self.decoder(depth + 1) for _ in range(rng.randint(0, 3))]) if depth < 2 else {"type": "Fuse"},
        ])()

    def added_tokens(self, vocabulary):
        rng = self.rng
        flag = lambda share: rng.random() < share
        contents = ["<A>", "<B>", "<AA>", "the", " ab", "ab ", "É", "é", "e\u0301", "▁", "日本", "\n", "<|endoftext|>", "[MASK]", "x", "aa", ""]
        contents += list(vocabulary)[-6:]
        return [
            {"id": rng.choice([0, index, len(vocabulary) + index, 7, 5000]), "content": rng.choice(contents), "single_word": flag(0.2),
             "lstrip": flag(0.3), "rstrip": flag(0.3), "normalized": flag(0.4), "special": flag(0.4)}
            for index in range(rng.choice([0, 0, 1, 3, 8]))
        ]

    def pieces(self, count):
        """Pieces over a small alphabet, so that they meet in texts in many ways."""
        rng = self.rng
        alphabet = rng.choice(["ab", "abc▁", "abé日", "Ġabc", "aeht ▁"])
        return list(dict.fromkeys("".join(rng.choices(alphabet, k=rng.randint(1, 5))) for _ in range(count))) + sorted(set(alphabet))

    def model(self):
        return self.rng.choice([self.probe, self.bpe, self.bpe, self.unigram, self.word_piece, self.word_level])()

    def probe(self):
        return self.rng.choice([parts.PROBE, parts.PLAIN])

    def bpe(self):
        rng = self.rng
        prefix, suffix = rng.choice(["", "", "", "@"]), rng.choice(["", "", "", "</w>"])
        symbols = list(rng.choice(["abc", "aeht▁", "abé日▁", "Ġabt"]))
        begin = [symbol for symbol in symbols] + [prefix + symbol for symbol in symbols if prefix]
        vocab = begin + [symbol + suffix for symbol in begin if suffix]
        merges = []
        for _ in range(rng.randint(0, 60)):
            left = rng.choice([piece for piece in vocab if not suffix or not piece.endswith(suffix)])
            right = rng.choice([piece for piece in vocab if not prefix or piece.startswith(prefix)])
            merged = left + right[len(prefix):]
            if len(merged) < 24:
                merges.append([left, right])
                if merged not in vocab:
                    vocab.append(merged)
        if rng.random() < 0.4:
            vocab += list(parts.BYTES)[:rng.choice([256, 256, 200])]
        vocab += ["<unk>"]
        rng.shuffle(vocab)
        step = rng.choice([1, 1, 1, 3])
        return {
            "type": "BPE", "dropout": None, "unk_token": rng.choice([None, "<unk>", "<unk>", "<none>"]), "fuse_unk": rng.random() < 0.5,
            "continuing_subword_prefix": prefix or None, "end_of_word_suffix": suffix or None, "byte_fallback": rng.random() < 0.5,
            "ignore_merges": rng.random() < 0.3, "vocab": {piece: step * index for index, piece in enumerate(dict.fromkeys(vocab))},
            "merges": merges,
        }

    def unigram(self):
        rng = self.rng
        score = rng.choice([lambda: -float(rng.randint(1, 4)), lambda: -10 * rng.random(), lambda: 1 - rng.random() * 3])
        pieces = ["<unk>"] + self.pieces(rng.randint(2, 80)) + (list(parts.BYTES) if rng.random() < 0.4 else [])
        return {
            "type": "Unigram", "unk_id": rng.choice([0, 0, 0, None]), "byte_fallback": rng.random() < 0.5,
            "vocab": [[piece, score()] for piece in dict.fromkeys(pieces)],
        }

    def word_piece(self):
        rng = self.rng
        prefix = rng.choice(["##", "##", "@", ""])
        pieces = self.pieces(rng.randint(2, 60))
        tokens = dict.fromkeys(pieces + [prefix + piece for piece in self.pieces(rng.randint(2, 60))] + ["[UNK]"])
        return {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": prefix, "max_input_chars_per_word": rng.choice([100, 100, 5, 1]),
            "vocab": {token: index for index, token in enumerate(tokens)},
        }

    def word_level(self):
        tokens = dict.fromkeys(self.pieces(40) + ["<unk>", "the", " "])
        return {
            "type": "WordLevel", "vocab": {token: index for index, token in enumerate(tokens)}, "unk_token": self.rng.choice(["<unk>", "<unk>", "<none>"]),
        }

    def tokenizer(self):
        rng = self.rng
        model = self.model()
        vocab = model["vocab"]
        names = list(vocab) if isinstance(vocab, dict) else [piece for piece, _ in vocab]
        return parts.tokenizer(
            model, normalizer=self.normalizer() if rng.random() < 0.6 else None, pre_tokenizer=self.pre_tokenizer() if rng.random() < 0.7 else None,
            added_tokens=self.added_tokens(names), decoder=self.decoder())

    def sentence_piece(self):
        """A trained SentencePiece model."""
        import sentencepiece

        rng = self.rng
        flag = lambda: rng.random() < 0.5
        buffer = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(corpus(seed=rng.randrange(1000), lines=200)), model_writer=buffer, model_type=rng.choice(["bpe", "unigram"]),
            vocab_size=rng.choice([150, 300]) + 256, byte_fallback=flag(), character_coverage=rng.choice([0.98, 1.0]),
            normalization_rule_name=rng.choice(["identity", "nfkc", "nmt_nfkc", "nfkc_cf", "nmt_nfkc_cf"]), add_dummy_prefix=flag(),
            remove_extra_whitespaces=flag(), treat_whitespace_as_suffix=rng.random() < 0.2, split_digits=flag(), hard_vocab_limit=False,
            user_defined_symbols=rng.choice([[], ["<sep>", "the", "  ", "é"]]), control_symbols=["<ctl>"], minloglevel=2, num_threads=1)
        return buffer.getvalue()
