"""Reads a tokenizer.json with tokenizers: python load_peer.py FILE. Prints seconds as JSON."""
import json
import sys
import time

from tokenizers import Tokenizer

start = time.perf_counter()
Tokenizer.from_file(sys.argv[1])
print(json.dumps({"seconds": time.perf_counter() - start}))
