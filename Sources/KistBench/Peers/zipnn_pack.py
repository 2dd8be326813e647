"""ZipNN on one run of bytes: python zipnn_pack.py FILE DTYPE THREADS RUNS. Prints bytes and best seconds as JSON."""
import json
import sys
import time

import zipnn

path, dtype, threads, runs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
data = open(path, "rb").read()
codec = zipnn.ZipNN(
    input_format="byte", bytearray_dtype={"BF16": "bfloat16", "F32": "float32"}[dtype], threads=threads
)
pack = unpack = float("inf")
for _ in range(runs):
    source = bytearray(data)  # ZipNN works in place
    start = time.perf_counter()
    packed = codec.compress(source)
    pack = min(pack, time.perf_counter() - start)
    start = time.perf_counter()
    back = codec.decompress(packed)
    unpack = min(unpack, time.perf_counter() - start)
assert bytes(back) == data
print(json.dumps({"bytes": len(packed), "pack": pack, "unpack": unpack}))
