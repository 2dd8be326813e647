"""Decoders: lists of tokens to text."""
import io

import sentencepiece
from tokenizers import decoders

from .texts import sentences

TOKENS = [
    "a", "b", "##a", "##", "</w>", "a</w>", "</w></w>", "\u2581a", "\u2581", "\u2581\u2581", "a\u2581b", "Ġa", "Ċ", "Ã©", "Ã", "é", "中", "<0x41>", "<0xe4>", "<0xB8>", "<0xAD>",
    "<0x+A>", "<0xGG>", "<0x-1>", "<0xFF>", "<pad>", "|", "a|b", "<pad>a", ".", " .", "?", "'", " ' ", "n't", " n't", " 'm", "do not", " do not", "'s", " 's", " 've", " 're", "", " ", "x x",
    "ā", "Ń", "😀", "!", " !", ","]
DECODERS = {
    "bpe": lambda: decoders.BPEDecoder(), "bpe empty": lambda: decoders.BPEDecoder(suffix=""),
    "byteLevel": lambda: decoders.ByteLevel(),
    "wordPiece": lambda: decoders.WordPiece(), "wordPiece plain": lambda: decoders.WordPiece(prefix="a", cleanup=False),
    "wordPiece no prefix": lambda: decoders.WordPiece(prefix="", cleanup=True),
    "metaspace": lambda: decoders.Metaspace(), "metaspace never": lambda: decoders.Metaspace(prepend_scheme="never"),
    "metaspace first": lambda: decoders.Metaspace(replacement="a", prepend_scheme="first"),
    "ctc": lambda: decoders.CTC(), "ctc plain": lambda: decoders.CTC(pad_token="a", word_delimiter_token="x", cleanup=False),
    "ctc empty": lambda: decoders.CTC(pad_token="", word_delimiter_token="", cleanup=True),
    "fuse": lambda: decoders.Fuse(), "strip": lambda: decoders.Strip(content=" ", left=1, right=0),
    "strip more": lambda: decoders.Strip(content="\u2581", left=2, right=0), "strip right": lambda: decoders.Sequence([decoders.Replace("", "a"), decoders.Strip(content="a", left=0, right=2)]),
    "byteFallback": lambda: decoders.ByteFallback(), "replace": lambda: decoders.Replace("\u2581", " "),
    "replace letters": lambda: decoders.Replace("a", "bab"), "replace nothing": lambda: decoders.Replace("", "-"),
    "llama": lambda: decoders.Sequence([
        decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1, right=0)]),
    "fuse, byteLevel": lambda: decoders.Sequence([decoders.Fuse(), decoders.ByteLevel(), decoders.Metaspace()]),
    "wordPiece, ctc": lambda: decoders.Sequence([decoders.WordPiece(), decoders.CTC()]),
}


def sets(rng, count):
    cases = []
    for name, make in DECODERS.items():
        decoder = make()
        for _ in range(count // 2):
            tokens = rng.choices(TOKENS, k=rng.choice((0, 1, 2, 4, 8)))
            try:
                cases.append({"decoder": name, "tokens": tokens, "output": decoder.decode(tokens)})
            except BaseException:
                cases.append({"decoder": name, "tokens": tokens, "output": None})
    yield "decoders", {"cases": cases}
    for prefix in (True, False):
        for extra in (True, False):
            yield f"decoder-sentencepiece-{prefix:d}{extra:d}", sentencepiece_set(rng, count, prefix, extra)


def sentencepiece_set(rng, count, prefix, extra):
    model = io.BytesIO()
    options = {"unk_surface": "[?]"} if extra else {}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences(rng, 300)), model_writer=model, vocab_size=340, byte_fallback=True, hard_vocab_limit=False,
        add_dummy_prefix=prefix, remove_extra_whitespaces=extra, normalization_rule_name="identity", num_threads=1, minloglevel=2,
        control_symbols=["<ctrl>"], user_defined_symbols=["\u2581\u2581", "\u2581", "a\u2581\u2581b"], **options)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    pieces = [processor.id_to_piece(id) for id in range(processor.get_piece_size())]
    likely = [0, 1, 2, *(processor.piece_to_id(piece) for piece in ("<ctrl>", "\u2581\u2581", "\u2581", "a\u2581\u2581b", "<0xE4>", "<0xB8>", "<0xAD>", "<0xF0>", "<0xED>", "<0xA0>", "<0x80>", "<0x41>", "<0x20>"))]
    cases = []
    for _ in range(count * 2):
        ids = [rng.choice(likely) if rng.random() < 0.7 else rng.randrange(len(pieces)) for _ in range(rng.choice((0, 1, 2, 3, 5, 9)))]
        kinds = [2 if processor.is_unknown(id) else 3 if processor.is_control(id) else 6 if processor.is_byte(id) else 1 for id in ids]
        cases.append({"tokens": [pieces[id] for id in ids], "kinds": kinds, "output": processor.decode(ids)})
    return {"addsDummyPrefix": prefix, "removesExtraWhitespaces": extra, "unknownSurface": options.get("unk_surface", " \u2047 "), "cases": cases}
