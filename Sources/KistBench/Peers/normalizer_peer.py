"""Normalizes a text, a line at a time, with tokenizers: python normalizer_peer.py NAME TEXT RUNS CHARSMAP. Prints best seconds as JSON."""
import json
import sys
import time

from tokenizers import normalizers

name, path, runs, charsmap = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
make = {
    "NFC": normalizers.NFC, "NFKC": normalizers.NFKC, "Lowercase": normalizers.Lowercase, "Bert": normalizers.BertNormalizer,
    "Precompiled": lambda: normalizers.Precompiled(open(charsmap, "rb").read()),
}[name]
normalizer = make()
# In lines of some size: on a whole text of megabytes the library's alignments take most of the time.
text = open(path, encoding="utf-8", newline="").read()
parts = [text[start : start + 4000] for start in range(0, len(text), 4000)]
best = float("inf")
for _ in range(runs):
    start = time.perf_counter()
    for part in parts:
        normalizer.normalize_str(part)
    best = min(best, time.perf_counter() - start)
print(json.dumps({"seconds": best}))
