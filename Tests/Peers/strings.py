"""Random strings that wrong tokenizers stumble over: scalars of every kind, words, and parts of the tokenizer's own vocabulary."""

import random
import unicodedata

WHITE = " \t\n\r\v\f\x85\u00a0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000\u180e\u200b\ufeff"
CONTROLS = "\x00\x01\x08\x1b\x1c\x1f\x7f\x80\x9f\u00ad\u200c\u200d\u200e\u202e\u2060\ufffd\ufffe\U0001ffff\ue000\U0010ffff"
MARKS = "\u0300\u0301\u0302\u0308\u0323\u0327\u0345\u0591\u05b7\u0654\u093c\u094d\u0e38\u1dc0\u20dd\u3099\ufe0f\U000e0100\U0001d165"
FOLDS = "ſKÅİıẞßΣσςǅǆŉŒﬁﬃﬀ½²③Ⅷⅷªº𝐀𝟘ᾼᾳΐΰ℃㎏ﾊﾟﾞｶａＡ１！が\u1e9b\u0323ﷺﬅ"
SCRIPTS = [
    (0x41, 0x5B), (0x61, 0x7B), (0x30, 0x3A), (0x21, 0x30), (0xC0, 0x180), (0x370, 0x400), (0x400, 0x500), (0x5D0, 0x5EB), (0x620, 0x660),
    (0x660, 0x66A), (0x900, 0x970), (0xE00, 0xE5C), (0x1100, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2070), (0x20A0, 0x20C0), (0x2100, 0x2190),
    (0x2460, 0x2500), (0x3000, 0x3100), (0x3130, 0x3190), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xF900, 0xFB50), (0xFB50, 0xFE00),
    (0xFE30, 0xFF00), (0xFF00, 0xFFF0), (0x10400, 0x10450), (0x1D400, 0x1D800), (0x1F1E6, 0x1F200), (0x1F300, 0x1F700), (0x20000, 0x20100),
    (0x2F800, 0x2FA20),
]
WORDS = [
    "the", "don't", "I'll", "WE'RE", "it'ſ", "x'S", "hello", "World", "naïve", "café", "cafe\u0301", "3.14", "1,000", "12345678", "x_y",
    "foo(bar)", "==", "...", "//", "\r\n", "\n\n", "  ", "   ", "snake_case", "HTMLParser", "👩\u200d👩\u200d👧", "👍🏽", "🇩🇪🇫🇷", "日本語", "カタカナ",
    "한국어", "\u1112\u1161\u11ab", "Привет", "مرحبا", "नमस्ते", "สวัสดี", "<unk>", "<s>", "</s>", "[CLS]", "[MASK]", "<|endoftext|>", "▁", "▁▁", "Ġ", "Ċ",
    "##", "<0x41>", "<0xE2>", "</w>", "@", "aaaa", "ab", "aba",
]


def scalar(rng):
    """Any scalar value."""
    while True:
        value = rng.randrange(rng.choice([0x80, 0x800, 0x3000, 0x10000, 0x20000, 0x110000]))
        if not 0xD800 <= value < 0xE000:
            return chr(value)


class Strings:
    """Strings for one tokenizer, whose tokens (and parts of them) are among what they are made of."""

    def __init__(self, seed, tokens=()):
        self.rng = random.Random(seed)
        self.tokens = [token for token in tokens if token] or WORDS

    def atom(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.3:
            token = rng.choice(self.tokens)
            return token if rng.random() < 0.7 else token[rng.randrange(len(token)):][:rng.randint(1, 6)]
        if kind < 0.5:
            return rng.choice(WORDS)
        if kind < 0.62:
            low, high = rng.choice(SCRIPTS)
            return "".join(chr(rng.randrange(low, high)) for _ in range(rng.randint(1, 6)))
        if kind < 0.74:
            return " " if rng.random() < 0.6 else "".join(rng.choices(WHITE, k=rng.randint(1, 3)))
        if kind < 0.80:
            return rng.choice(FOLDS)
        if kind < 0.86:
            return "".join(rng.choices(MARKS, k=rng.choice([1, 1, 1, 2, 5])))
        if kind < 0.90:
            return rng.choice(CONTROLS)
        if kind < 0.96:
            return scalar(rng)
        return rng.choice(self.tokens)[:1] * rng.choice([2, 3, 7, 40, 130])

    def next(self):
        rng = self.rng
        count = rng.choice([0, 1, 1, 2, 2, 3, 4, 6, 9, 14])
        text = "".join(self.atom() for _ in range(count))
        form = rng.random()
        if form < 0.06:
            text = unicodedata.normalize(rng.choice(["NFC", "NFD", "NFKC", "NFKD"]), text)
        elif form < 0.1:
            text = text.upper() if form < 0.08 else text.lower()
        return "".join(character for character in text if not 0xD800 <= ord(character) < 0xE000)

    def take(self, count):
        return [self.next() for _ in range(count)]

    def ids(self, highest, count):
        """Lists of ids, most of which tokens have."""
        rng = self.rng
        return [[rng.randrange(highest) for _ in range(rng.choice([0, 1, 2, 3, 5, 8, 20]))] for _ in range(count)]
