"""Tokenizes a text in a new process: python tokenizer_peer.py LIBRARY TOKENIZER TEXT RUNS. Prints JSON: seconds of processor time to load, of the first pass, of the best."""
import json
import os
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
library, path, text_path, runs = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
text = open(text_path, encoding="utf-8", newline="").read()


def ranks(name):
    from tiktoken.load import load_tiktoken_bpe

    return load_tiktoken_bpe(name)


LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def pattern(path):
    if not os.path.basename(path).startswith("o200k_base"):
        return LLAMA3
    from tiktoken_ext import openai_public

    # The pattern alone: the ranks would be downloaded.
    openai_public.load_tiktoken_bpe = lambda *arguments, **options: {}
    return openai_public.o200k_base()["pat_str"]


def tokenizer_json(path):
    """The file's bytes; of ranks, those that transformers makes of them."""
    if not path.endswith(".tiktoken"):
        return open(path, "rb").read()
    from transformers.convert_slow_tokenizer import TikTokenConverter

    return TikTokenConverter(vocab_file=path, pattern=pattern(path)).converted().to_str().encode()


description = tokenizer_json(path) if library == "gigatoken" else None
start = time.process_time()
if library == "tokenizers":
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    encode = lambda: tokenizer.encode(text, add_special_tokens=False).ids
elif library == "gigatoken":
    import gigatoken

    tokenizer = gigatoken.Tokenizer.from_json(description)
    encode = lambda: tokenizer.encode(text)
elif library == "tiktoken":
    import tiktoken

    tokenizer = tiktoken.Encoding("ranks", pat_str=pattern(path), mergeable_ranks=ranks(path), special_tokens={})
    encode = lambda: tokenizer.encode_ordinary(text)
else:
    import sentencepiece

    tokenizer = sentencepiece.SentencePieceProcessor(model_file=path)
    encode = lambda: tokenizer.encode(text)
load = time.process_time() - start

times = []
for _ in range(runs):
    start = time.process_time()
    ids = encode()
    times.append(time.process_time() - start)
print(json.dumps({"load": load, "first": times[0], "best": min(times), "tokens": len(ids)}))
