"""python Fixtures/make/bpe_models.py    (pip install tokenizers==0.23.3 sentencepiece tiktoken; rewrites Fixtures/tokenizers/bpe)

Small byte pair encoding models and the ids that their own libraries give for pieces of text.

Each file is one model: vocabulary (tokens, with ids where they have gaps; hexadecimal for tiktoken), merges (pairs of tokens), scores or neither, options,
and cases (piece and ids). Pieces of byte-level models are raw text or, under "hex", raw bytes.
"""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path
from typing import Any

import sentencepiece
import tiktoken
import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

FOLDER = Path(__file__).resolve().parents[1] / "tokenizers" / "bpe"
MARKER = "\u2581"
SYLLABLES = "ka ri to men shu la ve no tis pra el un der ing ly est ça né ö ñu ко ра ми 本 日 語 の か き 한 국 😀 é".split()
ODD = ["", "z", "Q", "ẞ", "\u0301", "\U0001f680", "漢字", "\x00", "é", "e\u0301", "#", "<", "<unk>", "</w>", "##a", "aaaaaaaaaaaaaaaaaa"]
UNIFIED = ["".join(["ab", "ba", "aab"][i % 3] for i in range(n)) for n in (5, 40, 120)]


def words(generator: random.Random, count: int) -> list[str]:
    return ["".join(generator.choices(SYLLABLES, k=generator.randint(1, 4))) for _ in range(count)]


def save(name: str, reference: str, model: dict[str, Any], cases: list[tuple[str | bytes, list[int]]]) -> None:
    entry = {"reference": reference, **model}
    if [id for _, id in entry["vocabulary"]] == list(range(len(entry["vocabulary"]))):
        entry["vocabulary"] = [token for token, _ in entry["vocabulary"]]
    entry["cases"] = [[piece, ids] for piece, ids in cases if isinstance(piece, str)]
    entry["hex"] = [[piece.hex(), ids] for piece, ids in cases if isinstance(piece, bytes)]
    text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    (FOLDER / f"{name}.json").write_text(text + "\n")


def byte_alphabet() -> dict[int, str]:
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + i) for i, byte in enumerate(others)}


ALPHABET = byte_alphabet()


# tokenizers


def train(corpus: list[str], size: int, alphabet: list[str] | None = None, **options: Any) -> tuple[dict[str, int], list[tuple[str, str]]]:
    tokenizer = Tokenizer(models.BPE(**{k: v for k, v in options.items()}))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False, initial_alphabet=alphabet or [], **options)
    tokenizer.train_from_iterator(corpus, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


def extend(vocabulary: dict[str, int], tokens: list[str]) -> dict[str, int]:
    result = dict(vocabulary)
    for token in tokens:
        result.setdefault(token, max(result.values(), default=-1) + 1)
    return result


def face(name: str, vocabulary: dict[str, int], merges: list[tuple[str, str]], pieces: list[str | bytes], **options: Any) -> None:
    """One model of tokenizers; with `bytes_alphabet`, its pieces go in as that alphabet's text."""
    in_bytes = options.pop("bytes_alphabet", False)
    model = models.BPE(vocab=vocabulary, merges=merges, **options)

    def ids(piece: str | bytes) -> list[int]:
        raw = piece if isinstance(piece, bytes) else piece.encode()
        return [token.id for token in model.tokenize("".join(ALPHABET[byte] for byte in raw) if in_bytes else raw.decode())]

    described = {
        "kind": "pairs", "bytesAlphabet": in_bytes, "vocabulary": sorted(vocabulary.items(), key=lambda item: item[1]),
        "merges": merges, "options": options,
    }
    save(name, f"tokenizers {tokenizers.__version__}", described, [(piece, ids(piece)) for piece in pieces])


def bytes_as_tokens(values: range | list[int]) -> list[str]:
    return [f"<0x{value:02X}>" for value in values]


def tokenizers_models() -> None:
    generator = random.Random(1)
    corpus = [" ".join(words(generator, 40)) for _ in range(60)]
    pieces: list[str] = words(generator, 20) + ODD + UNIFIED + ["x" + word + "Yé" + word for word in words(generator, 8)]
    base, merges = train(corpus, 160)
    base = {token: 2 * id + 3 for token, id in base.items()}  # ids with gaps
    unknown = extend(base, ["<unk>"])
    partial = extend(unknown, bytes_as_tokens([0xC3, 0xA9, 0x7A, 0xE6, 0xBC, 0xA2, 0x00]))
    face("plain", base, merges, pieces)
    face("unknown", unknown, merges, pieces, unk_token="<unk>")
    face("unknown-fused", unknown, merges, pieces, unk_token="<unk>", fuse_unk=True)
    face("byte-fallback", extend(unknown, bytes_as_tokens(range(256))), merges, pieces, unk_token="<unk>", byte_fallback=True)
    face("byte-fallback-some", partial, merges, pieces + ["xéy", "xQéQz"], unk_token="<unk>", byte_fallback=True)
    face("byte-fallback-some-fused", partial, merges, pieces + ["xéy", "xQéQz"], unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    face("byte-fallback-only", partial, merges, pieces, byte_fallback=True)
    whole = extend(base, ["karito", "zz", "漢字", "Qka"])
    face("ignore-merges", whole, merges[:60], [*pieces, "karito", "zz", "漢字", "Qka", "karitoka"], ignore_merges=True)
    face("no-ignore-merges", whole, merges[:60], [*pieces, "karito", "zz", "漢字", "Qka", "karitoka"])
    odd = extend(partial, ["<unk>ka", "<0xC3><0xA9>", "<unk><unk>"])
    odd_merges = [("<unk>", "ka"), ("<unk>", "<unk>"), ("<0xC3>", "<0xA9>"), *merges, merges[3], merges[0]]
    face("odd-merges", odd, odd_merges, pieces + ["Qkari", "QQQ", "zéé"], unk_token="<unk>", byte_fallback=True)

    vocabulary, affixed = train(corpus, 200, end_of_word_suffix="</w>")
    face("suffix", extend(vocabulary, ["<unk>"]), affixed, pieces, unk_token="<unk>", end_of_word_suffix="</w>")
    vocabulary, affixed = train(corpus, 200, continuing_subword_prefix="##")
    face("prefix", extend(vocabulary, ["<unk>"]), affixed, pieces, unk_token="<unk>", fuse_unk=True, continuing_subword_prefix="##")
    vocabulary, affixed = train(corpus, 200, continuing_subword_prefix="##", end_of_word_suffix="</w>")
    extended = extend(vocabulary, ["<unk>", *bytes_as_tokens([0x23, 0x3C, 0x2F, 0x77, 0x3E, 0x7A, 0xC3, 0xA9, 0x51])])
    face("prefix-suffix", extended, affixed, pieces, unk_token="<unk>", byte_fallback=True, continuing_subword_prefix="##", end_of_word_suffix="</w>")

    texts = [MARKER + MARKER.join(words(generator, generator.randint(1, 12))) for _ in range(14)]
    texts += [MARKER * 3 + text + MARKER * 2 + "Q" + MARKER + "Qz" + text for text in texts[:8]] + [MARKER, MARKER * 9, "ka" + MARKER]
    joined = [MARKER + line.replace(" ", " " + MARKER) for line in corpus]
    vocabulary, marked = train(joined, 190)
    vocabulary = extend(vocabulary, ["<unk>", MARKER * 2, MARKER * 4, *bytes_as_tokens(range(256))])
    marked = [(MARKER, MARKER), (MARKER * 2, MARKER * 2), *marked]
    face("markers", vocabulary, marked, texts, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    few = {token: id for token, id in vocabulary.items() if not token.startswith("<0x")}
    face("markers-unknown", few, marked, texts, unk_token="<unk>", fuse_unk=True)
    across = extend(few, ["o" + MARKER, "o" + MARKER + "k"])
    face("markers-across", across, [("o", MARKER), ("o" + MARKER, "k"), *marked], texts, unk_token="<unk>", fuse_unk=True)


def byte_level_models() -> None:
    generator = random.Random(2)
    corpus = ["".join(ALPHABET[byte] for byte in (" " + word).encode()) for word in words(generator, 2000)]
    pieces: list[str | bytes] = [" " + word for word in words(generator, 16)] + list(ODD) + list(UNIFIED)
    pieces += [generator.randbytes(generator.randint(1, 60)) for _ in range(12)]
    vocabulary, merges = train(corpus, 330, alphabet=list(ALPHABET.values()))
    face("byte-level", vocabulary, merges, pieces, bytes_alphabet=True)
    outside = extend(vocabulary, [" ka", "\n", "日本", "Ġkarito"])
    face("byte-level-outside", outside, merges, [*pieces, " ka", " karito"], bytes_alphabet=True, ignore_merges=True)
    missing = {token: id for token, id in vocabulary.items() if token not in ("Q", "Ģ", "ð", "x", "y")}
    kept = [pair for pair in merges if all(token in missing for token in (*pair, "".join(pair)))]
    face("byte-level-missing", missing, kept, [*pieces, "QxyQ"], bytes_alphabet=True)
    face("byte-level-unknown", extend(missing, ["<unk>"]), kept, [*pieces, "QxyQ"], bytes_alphabet=True, unk_token="<unk>")
    fallback = extend(missing, ["<unk>", *bytes_as_tokens([0x51, 0xC4, 0xA2, 0xC3])])
    face("byte-level-fallback", fallback, kept, [*pieces, "QxyQ"], bytes_alphabet=True, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    vocabulary, merges = train(corpus, 240, end_of_word_suffix="</w>")
    face("byte-level-suffix", extend(vocabulary, ["<unk>"]), merges, pieces, bytes_alphabet=True, unk_token="<unk>", end_of_word_suffix="</w>")


def random_tokens(generator: random.Random, alphabet: list[str], count: int) -> list[str]:
    tokens = list(alphabet)
    while len(tokens) < count:
        token = generator.choice(tokens) + generator.choice(tokens)
        if len(token) <= 12 and token not in tokens:
            tokens.append(token)
    return tokens


def random_texts(generator: random.Random, alphabet: list[str], lengths: list[int]) -> list[str]:
    return ["".join(generator.choices(alphabet, k=length)) for length in lengths]


def random_models() -> None:
    """Merges that no trainer would learn, in any order: a rank can be below those of its parts."""
    lengths = [*range(1, 36, 2), 31, 32, 33, 34, 60, 90, 150]
    for seed in range(3):
        generator = random.Random(10 + seed)
        alphabet = ["a", "b", "é", "日"][: 2 + seed]
        vocabulary = {token: id for id, token in enumerate(random_tokens(generator, alphabet, 90))}
        pairs = [(left, right) for left in vocabulary for right in vocabulary if left + right in vocabulary]
        merges = generator.sample(pairs, min(len(pairs), 160))
        face(f"random-{seed}", vocabulary, merges, random_texts(generator, [*alphabet, "x"] if seed == 2 else alphabet, lengths))


# sentencepiece

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
Piece = tuple[str, float, int]


def field(number: int, value: bytes | int | float) -> bytes:
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    result = b""
    while value > 127:
        result, value = result + bytes([value & 127 | 128]), value >> 7
    return result + bytes([value])


def sentencepiece_model(pieces: list[Piece], byte_fallback: bool) -> sentencepiece.SentencePieceProcessor:
    """A model of these pieces that leaves texts as they are. Source of the numbers: sentencepiece_model.proto."""
    proto = b"".join(field(1, field(1, piece.encode()) + field(2, score) + field(3, kind)) for piece, score, kind in pieces)
    proto += field(2, field(3, 2) + field(35, int(byte_fallback)))
    proto += field(3, field(1, b"identity") + field(3, 0) + field(4, 0) + field(5, 0))
    return sentencepiece.SentencePieceProcessor(model_proto=proto)


def sentencepieces(name: str, pieces: list[Piece], texts: list[str], byte_fallback: bool = False) -> None:
    processor = sentencepiece_model(pieces, byte_fallback)
    described = {
        "kind": "byScore", "vocabulary": [[piece, id] for id, (piece, _, _) in enumerate(pieces)],
        "scores": [score for _, score, _ in pieces], "kinds": [kind for _, _, kind in pieces],
        "options": {"unk_token": next(piece for piece, _, kind in pieces if kind == UNKNOWN), "byte_fallback": byte_fallback},
    }
    cases = [(text, processor.encode(text)) for text in texts]
    save(name, f"sentencepiece {sentencepiece.__version__}", described, cases)


def sentencepiece_models() -> None:
    generator = random.Random(3)
    special: list[Piece] = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
    all_bytes: list[Piece] = [(f"<0x{value:02X}>", 0.0, BYTE) for value in range(256)]
    lines = [" ".join(words(generator, 30)) for _ in range(80)]
    trained = FOLDER / "trained"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=str(trained), model_type="bpe", vocab_size=200, minloglevel=9,
        normalization_rule_name="identity", num_threads=1)
    processor = sentencepiece.SentencePieceProcessor(model_file=f"{trained}.model")
    for suffix in ("model", "vocab"):
        Path(f"{trained}.{suffix}").unlink()
    learned = [(processor.id_to_piece(id), processor.get_score(id), NORMAL) for id in range(3, processor.get_piece_size())]
    texts = [MARKER + MARKER.join(words(generator, generator.randint(1, 10))) for _ in range(14)] + UNIFIED
    texts += [odd + MARKER + odd + text + odd for odd, text in zip(ODD, texts)] + ["xQ" + MARKER + "Qz", MARKER * 5, "Q", "<s>ka", "<0x41>"]
    sentencepieces("sp-trained", special + learned, texts)
    sentencepieces("sp-byte-fallback", special + all_bytes + learned, texts, byte_fallback=True)
    defined: list[Piece] = [(piece, 0.0, USER_DEFINED) for piece in ("ri", "rit", MARKER * 2, MARKER * 3, "<tag>", "の", "Q" + MARKER)]
    sentencepieces("sp-user-defined", special + defined + [p for p in learned if p[0] not in {d[0] for d in defined}], texts + [t.replace("t", "<tag>") for t in texts[:9]])
    unused = [(piece, score, UNUSED if len(piece) > 1 and generator.random() < 0.4 else NORMAL) for piece, score, _ in learned]
    sentencepieces("sp-unused", special + unused, texts)
    some = [piece for piece in learned if len(piece[0]) > 1 or generator.random() < 0.5]
    sentencepieces("sp-missing-characters", special + some, texts)

    lengths = [*range(1, 36, 2), 31, 32, 33, 34, 60, 90, 150]
    for seed in range(3):
        generator = random.Random(20 + seed)
        alphabet = ["a", "b", MARKER, "é"][: 2 + seed]
        tokens = random_tokens(generator, alphabet, 80)
        kinds = [1, 1, 1, 1, 1, 1, 1, USER_DEFINED, UNUSED, UNUSED] if seed > 0 else [1]
        random_pieces = [(token, float(-generator.randint(0, 20)), generator.choice(kinds)) for token in tokens if token != "b" or seed != 1]
        sentencepieces(f"sp-random-{seed}", special + random_pieces, random_texts(generator, [*alphabet, "x"], lengths))


# tiktoken


def tiktoken_models() -> None:
    for seed in range(2):
        generator = random.Random(30 + seed)
        tokens = [bytes([value]) for value in range(256)]
        letters = [bytes([value]) for value in (b"ab" if seed == 0 else b"abc\xc3\xa9")]
        made = list(letters)
        while len(made) < 130:
            token = generator.choice(made) + generator.choice(made)
            if len(token) < 16 and token not in made:
                made.append(token)
        tokens += made[len(letters):]
        generator.shuffle(tokens)
        encoding = tiktoken.Encoding("tiny", pat_str=".+", mergeable_ranks={token: rank for rank, token in enumerate(tokens)}, special_tokens={})
        pieces = [b"".join(generator.choices(letters, k=k)) for k in [*range(1, 36, 3), 31, 32, 33, 60, 99, 100, 101, 300]]
        pieces += [generator.randbytes(20) for _ in range(5)] + [token for token in made[-12:]]
        cases = [(piece, encoding._encode_single_piece(piece)) for piece in pieces]
        described = {"kind": "byRank", "vocabulary": [[token.hex(), rank] for rank, token in enumerate(tokens)], "options": {}}
        save(f"tiktoken-{seed}", f"tiktoken {tiktoken.__version__}", described, cases)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    tokenizers_models()
    byte_level_models()
    random_models()
    sentencepiece_models()
    tiktoken_models()
