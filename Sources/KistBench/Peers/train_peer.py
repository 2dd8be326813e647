"""Learns byte-level BPE of 30,000 tokens: python train_peer.py THREADS FILE… Prints seconds and the number of merges as JSON."""
import json
import os
import sys
import time

os.environ["RAYON_NUM_THREADS"] = sys.argv[1]
os.environ["TOKENIZERS_PARALLELISM"] = "true"
from tokenizers import ByteLevelBPETokenizer

tokenizer = ByteLevelBPETokenizer()
start = time.perf_counter()
tokenizer.train(sys.argv[2:], vocab_size=30_000, min_frequency=0, show_progress=False)
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "merges": len(json.loads(tokenizer.to_str())["model"]["merges"])}))
