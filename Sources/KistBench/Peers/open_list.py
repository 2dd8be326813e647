"""Opens a file and lists its tensors: python open_list.py safetensors|gguf-file FILE RUNS, or gguf COUNT RUNS FILE, which it
writes. Prints best seconds as JSON."""
import json
import sys
import time

kind, path, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
best = float("inf")
if kind == "safetensors":
    from safetensors import safe_open

    for _ in range(runs):
        start = time.perf_counter()
        with safe_open(path, "np") as file:
            for name in file.keys():
                part = file.get_slice(name)
                part.get_shape(), part.get_dtype()
        best = min(best, time.perf_counter() - start)
elif kind == "gguf-file":
    from gguf import GGUFReader

    for _ in range(runs):
        start = time.perf_counter()
        for tensor in GGUFReader(path).tensors:
            tensor.name, tensor.shape, tensor.tensor_type
        best = min(best, time.perf_counter() - start)
else:
    import numpy
    from gguf import GGUFReader, GGUFWriter

    count = int(path)
    path = sys.argv[4]
    writer = GGUFWriter(path, "llama")
    for number in range(count):
        writer.add_tensor(f"blk.{number}.attn_q.weight", numpy.zeros((16, 2), dtype=numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    for _ in range(runs):
        start = time.perf_counter()
        for tensor in GGUFReader(path).tensors:
            tensor.name, tensor.shape, tensor.tensor_type
        best = min(best, time.perf_counter() - start)
print(json.dumps({"seconds": best}))
