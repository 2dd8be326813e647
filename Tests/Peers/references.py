"""The libraries that files belong to, behind one face: `encode` and `decode` give None where the library fails."""

import contextlib
import os
import sys

os.environ["TOKENIZERS_PARALLELISM"] = "true"
os.environ["RUST_BACKTRACE"] = "0"


@contextlib.contextmanager
def silence():
    """Keeps what a panicking library writes off standard error."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


class Crash:
    """Instead of ids, where the library reads beyond an array of its own: it has no ids to be compared with, and no reason to fail."""


def attempt(body):
    """What a call gives; None when it fails, Crash where that is the library's own fault: tokenizers panics now and then, which is no
    Exception."""
    try:
        with silence():
            return body()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Crash if "index out of bounds" in str(error) else None


class HuggingFace:
    name = "tokenizers"
    parses_special = True

    def __init__(self, text):
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_str(text)
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    @property
    def tokens(self):
        vocab = self.tokenizer.get_vocab(with_added_tokens=True)
        return sorted(vocab)

    @property
    def id_limit(self):
        return max(self.tokenizer.get_vocab(with_added_tokens=True).values(), default=0) + 3

    def is_determined(self):
        """Whether no two added tokens have the same normalized form: which of them is found then hangs on chance."""
        normalizer = self.tokenizer.normalizer
        added = [token.content for token in self.tokenizer.get_added_tokens_decoder().values() if token.normalized]
        forms = [attempt(lambda: normalizer.normalize_str(content)) for content in added] if normalizer else added
        return None not in forms and Crash not in forms and len(set(forms)) == len(forms)

    def encode(self, texts, parses_special=True, adds=False):
        self.tokenizer.encode_special_tokens = not parses_special
        whole = attempt(lambda: [encoding.ids for encoding in self.tokenizer.encode_batch(texts, add_special_tokens=adds)])
        if isinstance(whole, list):
            return whole
        return [attempt(lambda: self.tokenizer.encode(text, add_special_tokens=adds).ids) for text in texts]

    def decode(self, lists, skips):
        return [attempt(lambda: self.tokenizer.decode(ids, skip_special_tokens=skips)) for ids in lists]


class SentencePiece:
    name = "sentencepiece"
    parses_special = False

    def is_determined(self):
        return True

    def __init__(self, data):
        import sentencepiece

        self.processor = sentencepiece.SentencePieceProcessor(model_proto=data)

    @property
    def tokens(self):
        return [self.processor.id_to_piece(id) for id in range(self.processor.get_piece_size())]

    @property
    def id_limit(self):
        return self.processor.get_piece_size()

    def encode(self, texts, parses_special=False, adds=False):
        return self.processor.encode(texts)

    def decode(self, lists, skips):
        return [self.processor.decode(ids) for ids in lists]


class Tiktoken:
    name = "tiktoken"
    parses_special = False

    def __init__(self, pattern, ranks, offset=0):
        import tiktoken

        self.ranks, self.offset = ranks, offset
        self.encoding = tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})

    @property
    def tokens(self):
        return [token.decode("utf-8", "ignore") for token in self.ranks]

    @property
    def id_limit(self):
        return len(self.ranks) + self.offset

    def encode(self, texts, parses_special=False, adds=False):
        return [[id + self.offset for id in ids] for ids in self.encoding.encode_ordinary_batch(texts)]

    def decode(self, lists, skips):
        # Special tokens are not in this encoding.
        return [None if any(id < self.offset for id in ids) else self.encoding.decode([id - self.offset for id in ids]) for ids in lists]


def of_ranks(path):
    import base64

    from tokenizers_models import LLAMA3
    from tokenizers_others import tiktoken_pattern

    ranks = {}
    for line in open(path, "rb"):
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    name = os.path.basename(path)
    encoding = next((known for known in ("cl100k_base", "o200k_base", "r50k_base") if known in name), None)
    if "multilingual" in name:
        encoding = "r50k_base"
    return Tiktoken(tiktoken_pattern(encoding) if encoding else LLAMA3, ranks)


def of_tekken(path):
    import base64
    import json

    description = json.load(open(path, encoding="utf-8"))
    config = description["config"]
    size = config["default_vocab_size"] - config["default_num_special_tokens"]
    ranks = {base64.b64decode(item["token_bytes"]): item["rank"] for item in description["vocab"][:size]}
    return Tiktoken(config["pattern"], ranks, config["default_num_special_tokens"])


def of_bare_vocabulary(folder):
    from transformers import AutoTokenizer

    return HuggingFace(AutoTokenizer.from_pretrained(folder).backend_tokenizer.to_str())


def of_folder(folder):
    """The file of a folder that Kist takes, and its library's own reading of it; None when that library is not installed."""
    names = sorted(os.listdir(folder))
    path = lambda name: os.path.join(folder, name)
    if "tokenizer.json" in names:
        return path("tokenizer.json"), HuggingFace(open(path("tokenizer.json"), encoding="utf-8").read())
    for name in names:
        if name.endswith(".model"):
            return path(name), SentencePiece(open(path(name), "rb").read())
        if name.endswith(".tiktoken"):
            return path(name), of_ranks(path(name))
    if "tekken.json" in names:
        return path("tekken.json"), of_tekken(path("tekken.json"))
    try:
        return folder, of_bare_vocabulary(folder)
    except ImportError:
        return None
