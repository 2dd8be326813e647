"""Text for the tokenizer fixtures: a corpus to train on, and strings that wrong tokenizers stumble over. All of it is generated."""

import random

CONSONANTS = "b c d f g h k l m n p r s t v w z ch sh th st tr pl".split()
VOWELS = "a e i o u ai ea ou".split()
ACCENTED = "é è ü ö ñ ç å ø".split()
SCRIPTS = ["абвгдежзик", "αβγδεζηθικ", "日本語文字世界人", "カタナひらが", "한국어글자", "مرحبا", "नमसतदुि"]


def word(rng):
    syllables = ["".join((rng.choice(CONSONANTS), rng.choice(VOWELS))) for _ in range(rng.randint(1, 3))]
    text = "".join(syllables)
    kind = rng.random()
    if kind < 0.08:
        text = text.replace(rng.choice("aeiou"), rng.choice(ACCENTED))
    elif kind < 0.2:
        text = text.capitalize()
    elif kind < 0.23:
        text = text.upper()
    elif kind < 0.27:
        text += rng.choice(["'s", "'t", "'re", "'ll", "n't"])
    elif kind < 0.33:
        text = str(rng.randint(0, 10 ** rng.randint(1, 6)))
    elif kind < 0.38:
        text = "".join(rng.choices(rng.choice(SCRIPTS), k=rng.randint(1, 5)))
    elif kind < 0.4:
        text = rng.choice(["def", "return", "x = y", "(a, b)", "{ }", "// ", "==", "i++", "snake_case", "camelCase"])
    return text


def corpus(seed=7, lines=600, latin=False):
    """Lines of words from a list that repeats itself, as language does.

    Latin only, it leaves characters unknown that a vocabulary limited to the most frequent ones would, but always the same.
    """
    rng = random.Random(seed)
    words = [word(rng) for _ in range(500)]
    if latin:
        words = [text for text in words if max(map(ord, text)) < 0x250]
    weights = [1 / (rank + 1) for rank in range(len(words))]
    result = []
    for _ in range(lines):
        line = " ".join(rng.choices(words, weights, k=rng.randint(3, 12)))
        result.append(line + rng.choice([".", ".", "!", "?", ",", ";", "\n", "  ", "...", ""]))
    return result


# What every fixture is tried on.
AWKWARD = [
    "", " ", "  ", "\t", "\n", "\r\n \n", "a", " a", "a ", "Shai trou the planch", "chou'll THEA's trei N'T x'ſ",
    "  two  spaces   three ", "3.14 1,000 1234567 ²³ ½ Ⅷ ① ٣", "(a,b)==[c]; // x_y != $5 «q» ¿no?", "é e\u0301 ﬁ Å \u212b ẹ\u0301",
    "İstanbul ẞ ΣΑΣ ǅ", "Привет мир 日本語 カタカナひらがな 한국어", "مرحبا नमस्ते สวัสดี", "👩\u200d👩\u200d👧 👍🏽 🇩🇪 ☃\ufe0f",
    "\u200b\ufeff\u00a0\u2003\u3000x\u2028y", "\x00a\x01b\x7f\x85", "\ufffd \ue000 \U0010ffff", "a" * 40, "---===...!!!",
    "<s> [CLS] [SEP] <unk> <pad></s>", "▁x ▁▁ Ġy Ċ ##z <0x41>", "ｆｕｌｌ ㎏ ﾊﾝ", "line one\nline two\n\n  indented\ttab",
    "sOmE WoRd's 12ab34", "ch sh th st tr pl chai shea thou",
]

# For fixtures whose difference shows in fewer.
SHORT = [
    "", " ", " \t\n", "a", " a b ", "Shai trou  the, planch!", "x'll 3.14 12ab34", "é e\u0301 ﬁ İ ΣΑΣ ½", "日本語 カタカナ한국어 мир 👍🏽",
    "(a,b)==c\r\n\u00a0\u3000d\u200b\ufeffe", "\x00\x01\x7f\x85\ufffd", "▁x ▁▁y aa", "ABC abc  AbC", "नमस्ते สวัสดี e\u0301\u0302o",
]
