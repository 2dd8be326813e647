"""python Fixtures/make/hostile_archives.py    (pip install numpy; rewrites Fixtures/hostile/{pickle,zip})

Pickles that would run something, or take memory or time out of proportion, each in an archive as torch.save writes it; and zip archives that
contradict themselves. The error must hold every word of the manifest's second column. Nothing here is ever unpickled.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

HOSTILE = Path(__file__).resolve().parents[1] / "hostile"
PICKLES: list[tuple[str, str, str, bytes]] = []
ARCHIVES: list[tuple[str, str, str, bytes]] = []


def archive(pickled: bytes, **entries: bytes) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as file:
        for name, content in {"data.pkl": pickled, "data/0": bytes(16), **entries}.items():
            # Long pickles are deflated only so that the fixtures stay small.
            method = zipfile.ZIP_DEFLATED if len(content) > 5000 else zipfile.ZIP_STORED
            file.writestr(zipfile.ZipInfo(f"archive/{name}"), content, method)
    return output.getvalue()


def evil(name: str, words: str, note: str, pickled: bytes, **entries: bytes) -> None:
    PICKLES.append((name, words, note, archive(pickled, **entries)))


def odd(name: str, words: str, note: str, content: bytes) -> None:
    ARCHIVES.append((name, words, note, content))


# --- Pickles. Instructions by their letters: Python's Lib/pickletools.py has them all.

PROTO = b"\x80\x02"


def text(value: str) -> bytes:
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value) if -(2**31) <= value < 2**31 else pickle.dumps(value, 2)[2:-1]


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def numbers(values: list[int]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def storage(key: str = "0", count: int = 4, kind: str = "FloatStorage") -> bytes:
    return b"(" + text("storage") + name("torch", kind) + text(key) + text("cpu") + number(count) + b"tQ"


def tensor(offset: int = 0, size: list[int] | None = None, stride: list[int] | None = None, storage: bytes = storage()) -> bytes:
    size, stride = size if size is not None else [4], stride if stride is not None else [1]
    return (
        name("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + number(offset) + numbers(size) + numbers(stride)
        + b"\x89" + name("collections", "OrderedDict") + b")RtR"
    )  # fmt: skip


def named(value: bytes) -> bytes:
    return PROTO + b"}" + text("a") + value + b"s."


GOOD = named(tensor())

# What would run something.
for module, attribute, arguments in [
    ("os", "system", ["echo owned > /tmp/kist-was-here"]),
    ("posix", "system", ["echo owned > /tmp/kist-was-here"]),
    ("nt", "system", ["calc"]),
    ("subprocess", "Popen", ["touch /tmp/kist-was-here"]),
    ("builtins", "eval", ["__import__('os').system('touch /tmp/kist-was-here')"]),
    ("__builtin__", "exec", ["open('/tmp/kist-was-here', 'w')"]),
    ("builtins", "getattr", ["x", "y"]),
    ("importlib", "import_module", ["os"]),
    ("runpy", "run_path", ["/tmp/x.py"]),
    ("webbrowser", "open", ["http://localhost"]),
    ("torch.hub", "load", ["x/y", "z"]),
    ("torch.serialization", "load", ["/etc/passwd"]),
    ("torch.storage", "_load_from_bytes", ["x"]),
    ("torch._utils", "_rebuild_device_tensor_from_numpy", ["x"]),
    ("numpy.core.multiarray", "scalar", ["x"]),
    ("pickle", "loads", ["x"]),
]:
    evil(
        f"calls-{module}.{attribute}", f"{module}.{attribute} data.pkl", f"calls {module}.{attribute}",
        named(name(module, attribute) + b"(" + b"".join(map(text, arguments)) + b"tR"),
    )  # fmt: skip
evil(
    "stack-global", "posix.system", "the name is put together on the stack (protocol 4)",
    b"\x80\x04" + b"\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.",
)  # fmt: skip
evil("inst", "instruction 0x69", "INST calls without REDUCE", PROTO + b"(" + text("id") + b"iposix\nsystem\n.")
evil("obj", "posix.system", "OBJ calls a class from the stack", PROTO + b"(" + name("posix", "system") + text("id") + b"o.")
evil("newobj", "subprocess.Popen", "NEWOBJ", PROTO + name("subprocess", "Popen") + b"(" + text("id") + b"t\x81.")
evil("newobj-ex", "instruction 0x92", "NEWOBJ_EX", b"\x80\x04" + name("torch", "Size") + b")}\x92.")
evil("extension", "instruction 0x82", "an extension registered elsewhere", PROTO + b"\x82\x01)R.")
evil("persistent-text", "instruction 0x50", "a persistent id as text", PROTO + b"P/etc/passwd\n.")
evil("buffer", "instruction 0x97", "a buffer from outside", b"\x80\x05\x97.")
evil("after-tensors", "builtins.eval", "a call after the tensors, where nobody looks", PROTO + tensor() + b"0" + name("builtins", "eval") + text("1") + b"\x85R.")
evil("in-state", "os.system", "a call in the state of an OrderedDict", PROTO + name("collections", "OrderedDict") + b")R}" + text("x") + name("os", "system") + text("id") + b"\x85Rsb.")
evil("in-hooks", "os.system", "a call where a tensor's hooks stand", named(tensor().replace(name("collections", "OrderedDict"), name("os", "system"))))
evil("nested-reduce", "without a tuple", "calls what a call gave, 1,000 deep", PROTO + name("torch", "Size") + b")" * 1 + b"\x85R" + b")R" * 1000 + b".")
evil("from-type-eval", "posix.system", "_rebuild_from_type_v2 of another function", PROTO + name("torch._tensor", "_rebuild_from_type_v2") + b"(" + name("posix", "system") + name("torch", "Tensor") + text("id") + b"\x85}tR.")
evil("from-type-size", "rebuilds", "_rebuild_from_type_v2 of a function that makes no tensor", PROTO + name("torch._tensor", "_rebuild_from_type_v2") + b"(" + name("torch", "Size") + name("torch", "Tensor") + b")}tR.")
evil("attribute-path", "torch.storage.UntypedStorage.from_file", "a method by a dotted name", b"\x80\x04\x8c\x0dtorch.storage\x8c\x18UntypedStorage.from_file\x93)R.")
evil("name-long", "name too long", "a module of 100,000 characters", PROTO + name("x" * 100_000, "y") + b".")
evil("name-not-text", "not text", "a module that is not UTF-8", PROTO + b"c\xff\xfe\nx\n.")
evil("protocol-0", "protocol", "the oldest protocol", b"(lp0\ncposix\nsystem\np1\na.")
evil("protocol-6", "protocol", "a protocol that is not there yet", b"\x80\x06N.")

# Memory and time.
evil("memo-missing", "memo", "a place of the memo that was never filled", PROTO + b"h\x07.")
evil("memo-large-index", "memo", "the memo at 2^32 - 1, and again where nothing is", PROTO + b"Nr\xff\xff\xff\xff0j\xfe\xff\xff\xff.")
laughs = PROTO + b"]" + text("lol") + b"aq\x00" + b"".join(b"](" + b"h%c" % at * 10 + b"eq%c" % (at + 1) for at in range(60)) + b"."
evil("billion-laughs", "deep", "a list of ten times a list of ten times …, 60 deep", laughs)
dicts = PROTO + b"}" + text("x") + tensor() + b"sq\x00"
dicts += b"".join(b"}(" + text("a") + b"h%c" % at + text("b") + b"h%c" % at + b"uq%c" % (at + 1) for at in range(40))
evil("dict-bomb", "deep", "two to the power of 40 tensors, by dicts that name one twice", dicts + b".")
evil("deep-lists", "deep", "lists 200,000 deep", PROTO + b"]" * 200_000 + b"a" * 199_999 + b".")
evil("deep-tuples", "deep", "tuples 200,000 deep", PROTO + b")" + b"\x85" * 200_000 + b".")
evil("deep-in-reverse", "deep", "lists 100,000 deep, each filled after it was put in its parent", PROTO + b"]q\x00" + b"2]q\x01ah\x010h\x01" * 100_000 + b"00h\x00.")
evil("cycle", "deep", "a list that holds itself", PROTO + b"]q\x00h\x00a.")
evil("dict-cycle", "deep", "a dict that holds itself", PROTO + b"}q\x00" + text("a") + b"h\x00s.")
evil("marks", "values", "marks without end", PROTO + b"(" * 1_100_000)
evil("stack", "values", "a stack without end", PROTO + b"N" * 1_100_000)
evil("marks-and-tuples", "tuple", "a mark and a tuple on a high stack, 200,000 times", PROTO + b"N" * 200_000 + b"(t0" * 200_000 + b"R.")
big_list = b"](" + b"K\x01" * 100_000 + b"e"
evil("long-sizes", "form", "a tensor with a size of 100,000 dimensions", named(tensor().replace(numbers([4]), big_list)))
evil("list-again-and-again", "deep", "a list of 100,000 values, named 300 times", PROTO + big_list + b"q\x00](" + b"h\x00" * 300 + b"e.")
key = text("k" * 60_000) + b"q\x00"
evil("long-names", "names", "dicts that lead to names of megabytes", PROTO + b"}" + key + b"}" + b"h\x00}" * 40 + b"h\x00" + tensor() + b"s" * 42 + b".")
for letter, width, what in [(b"X", "I", "text"), (b"\x8d", "Q", "text64"), (b"B", "I", "bytes"), (b"\x8e", "Q", "bytes64"), (b"\x96", "Q", "bytearray"), (b"T", "I", "string"), (b"\x8b", "I", "long")]:
    largest = (1 << 8 * struct.calcsize("<" + width)) - 1
    evil(f"length-{what}", "length left", f"{what} of {largest} bytes", PROTO + letter + struct.pack("<" + width, largest) + b"x.")
evil("frame", "length", "a frame of 2^63 bytes", b"\x80\x04\x95" + struct.pack("<Q", 1 << 63) + b"N.")

# Stacks and containers.
evil("empty", "ends", "no bytes", b"")
evil("no-stop", "ends", "no stop", PROTO + b"N")
evil("stop-empty", "empty stack", "a stop on an empty stack", PROTO + b".")
evil("pop-empty", "empty stack", "a pop of nothing", PROTO + b"0.")
evil("below-mark", "empty stack", "takes from below a mark", PROTO + b"N(\x85.")
evil("tuple3-of-2", "empty stack", "a tuple of three where two are", PROTO + b"NN\x87.")
evil("no-mark", "mark", "a tuple without its mark", PROTO + b"Nt.")
evil("append-to-none", "list", "appends to None", PROTO + b"NNa.")
evil("set-in-list", "dict", "sets an item of a list", PROTO + b"]NNs.")
evil("set-odd", "key", "sets a key without a value", PROTO + b"}(Nu.")
evil("build-number", "state", "a state for a number", PROTO + b"K\x01}b.")
evil("call-text", "function", "calls text", PROTO + text("x") + b")R.")
evil("call-dtype", "arguments", "calls a dtype", PROTO + name("torch", "float32") + b")R.")
evil("key-tensor", "key", "a tensor as a key", PROTO + b"}" + tensor() + b"Ns.")
evil("key-not-utf-8", "key utf-8", "a key that is not UTF-8", PROTO + b"}X\x02\x00\x00\x00\xff\xfe" + tensor() + b"s.")
evil("same-name", "a.b name", "two tensors of one name", PROTO + b"}" + text("a.b") + tensor() + b"s" + text("a") + b"}" + text("b") + tensor() + b"ss.")
evil("ordered-dict-triples", "pairs", "an OrderedDict of triples", PROTO + name("collections", "OrderedDict") + b"](NNNtae\x85R.".replace(b"ae", b"a") + b".")

# Tensors.
evil("offset-past-end", "'a' past", "begins one element late", named(tensor(offset=1)))
evil("offset-2-62", "'a' offset", "begins at 2^62", named(tensor(offset=1 << 62)))
evil("offset-negative", "form", "begins before its storage", named(tensor(offset=-1)))
evil("size-2-62", "'a' overflows", "a size whose bytes overflow", named(tensor(size=[1 << 62], stride=[0])))
evil("size-product-0", "'a' overflows", "sizes whose product wraps to 0", named(tensor(size=[1 << 32, 1 << 32], stride=[0, 0])))
evil("size-negative", "form", "a negative size", named(tensor(size=[-1])))
evil("stride-negative", "form", "a negative stride", named(tensor(size=[2], stride=[-1])))
evil("stride-2-62", "'a' past", "a stride that overflows", named(tensor(size=[2], stride=[1 << 62])))
evil("stride-missing", "form", "fewer strides than sizes", named(tensor(size=[2, 2], stride=[1])))
evil("strides-past-end", "'a' past", "strides that reach one element too far", named(tensor(size=[2, 2], stride=[2, 2])))
evil("expansion", "'a' repeats", "four elements that stand for a petabyte", named(tensor(size=[1 << 48, 4], stride=[0, 1])))
evil("rank-65", "dimensions", "65 dimensions", named(tensor(size=[1] * 65, stride=[1] * 65)))
evil("storage-missing", "'a' '7'", "a storage that is not there", named(tensor(storage=storage("7"))))
evil("storage-longer", "'a' declared", "a storage declared longer than it is", named(tensor(storage=storage(count=5))))
evil("storage-shorter", "'a' declared", "a storage declared shorter than it is", named(tensor(storage=storage(count=3))))
evil("storage-2-62", "storage", "a storage of 2^62 elements", named(tensor(storage=storage(count=1 << 62))))
evil("storage-negative", "storage", "a storage of -1 elements", named(tensor(storage=storage(count=-1))))
evil("storage-path", "'a' '../../../etc/passwd'", "a storage outside of the archive", named(tensor(storage=storage("../../../etc/passwd"))))
evil("storage-number", "storage", "a persistent id that is a number", PROTO + b"K\x01Q.")
evil("storage-module", "storage", "a persistent id of another kind", PROTO + b"(" + text("module") + name("torch", "FloatStorage") + text("0") + text("cpu") + number(4) + b"tQ.")
evil("complex128", "'a' complex128", "a dtype that Kist has not", named(tensor(size=[1], storage=storage(count=1, kind="ComplexDoubleStorage"))))
evil("quantized", "torch.QInt8Storage", "a quantized storage", named(tensor(storage=storage(kind="QInt8Storage"))))
evil("conjugate", "conjugate", "a view that is to be conjugated", named(tensor()[:-2] + b"}" + text("conj") + b"\x88stR"))
evil("byteorder", "byteorder middle", "a byte order that is none", GOOD, byteorder=b"middle")
evil("torchscript", "TorchScript", "a program", GOOD, **{"constants.pkl": b"\x80\x02).", "code/__torch__.py": b"import os"})
evil("two-pickles", "data.pkl once", "two pickles", GOOD)
_two = io.BytesIO(PICKLES[-1][3])
with zipfile.ZipFile(_two, "a") as _file:
    _file.writestr("other/data.pkl", GOOD)
PICKLES[-1] = (*PICKLES[-1][:3], _two.getvalue())


# --- Zip archives

NPY = b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }".ljust(0x75) + b"\n" + bytes(range(16))


class Zip:
    """An archive with every field open to change; entries are {name, data, local: {field: value}, central: {…}}."""

    def __init__(self) -> None:
        self.body = b""
        self.directory = b""
        self.count = 0

    def add(self, name: str | bytes, data: bytes, *, method: int = 0, size: int | None = None, stored: int | None = None, offset: int | None = None,
            flags: int = 0, crc: int | None = None, local: dict | None = None, extra: bytes = b"", central_extra: bytes = b"", gap: bytes = b"", disk: int = 0) -> Zip:  # fmt: skip
        encoded = name if isinstance(name, bytes) else name.encode()
        size = len(data) if size is None else size
        stored = len(data) if stored is None else stored
        crc = zlib.crc32(data) if crc is None else crc
        self.body += gap
        at = len(self.body) if offset is None else offset
        own = {"flags": flags, "method": method, "crc": crc, "stored": stored, "size": size, "name": encoded} | (local or {})
        self.body += struct.pack(
            "<IHHHHHIIIHH", 0x04034B50, 20, own["flags"], own["method"], 0, 0, own["crc"], own["stored"], own["size"],
            len(own["name"]), len(extra),
        ) + own["name"] + extra + data  # fmt: skip
        self.directory += struct.pack(
            "<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, flags, method, 0, 0, crc, stored, size, len(encoded), len(central_extra), 0, disk, 0, 0, at
        ) + encoded + central_extra  # fmt: skip
        self.count += 1
        return self

    def bytes(self, *, count: int | None = None, size: int | None = None, offset: int | None = None, disks: tuple[int, int] = (0, 0), comment: bytes = b"",
              comment_length: int | None = None, zip64: bytes = b"") -> bytes:  # fmt: skip
        count = self.count if count is None else count
        size = len(self.directory) if size is None else size
        offset = len(self.body) if offset is None else offset
        end = struct.pack(
            "<IHHHHIIH", 0x06054B50, *disks, count, count, size, offset, len(comment) if comment_length is None else comment_length
        )  # fmt: skip
        return self.body + self.directory + zip64 + end + comment


def zip64_end(size: int, offset: int, count: int, place: int, *, record_size: int = 44, locator: int | None = None) -> bytes:
    record = struct.pack("<IQHHIIQQQQ", 0x06064B50, record_size, 45, 45, 0, 0, count, count, size, offset)
    return record + struct.pack("<IIQI", 0x07064B50, 0, place if locator is None else locator, 1)


one = lambda **changes: Zip().add("a.npy", NPY, **changes)
FINE = one().bytes()

# The end.
odd("cut-end", "end of central directory", "the last byte is missing", FINE[:-1])
odd("cut-directory", "end of central directory", "the file ends in the directory", FINE[: len(FINE) - 30])
odd("end-alone-cut", "end of central directory", "half an end record after half an entry", FINE[:40])
odd("trailing", "end of central directory", "bytes after the end", FINE + b"x")
odd("comment-lies", "end of central directory", "a comment longer than the file", one().bytes(comment_length=5))
odd("count-too-many", "entry count", "one entry more than there are", one().bytes(count=2))
odd("count-65534", "entry count", "65,534 entries in 51 bytes", one().bytes(count=65534))
odd("count-too-few", "entry count", "an entry that is not counted", Zip().add("a.npy", NPY).add("b.npy", NPY).bytes(count=1))
odd("size-too-large", "central directory", "a directory larger than the file", one().bytes(size=0xFFFFFF0))
odd("offset-wrong", "central directory", "a directory one byte off", one().bytes(offset=len(one().body) - 1))
odd("offset-max", "zip64", "an offset of 2^32 - 1 without zip64", one().bytes(offset=0xFFFFFFFF))
odd("prefixed", "central directory", "bytes before the archive, as if it unpacked itself", FINE[:4] + bytes(60) + FINE)
odd("disks", "several parts", "a part of an archive in several", one().bytes(disks=(1, 1)))
_z = one()
odd("zip64-locator", "zip64", "a zip64 record that is not where the locator says", _z.bytes(count=0xFFFF, zip64=zip64_end(len(_z.directory), len(_z.body), 1, 0)))
_at = len(_z.body) + len(_z.directory)
odd("zip64-locator-max", "zip64", "a zip64 record at 2^64 - 1", _z.bytes(count=0xFFFF, zip64=zip64_end(0, 0, 1, _at, locator=(1 << 64) - 1)))
odd("zip64-size", "zip64", "a zip64 record of 2^64 - 1 bytes", _z.bytes(count=0xFFFF, zip64=zip64_end(len(_z.directory), len(_z.body), 1, _at, record_size=(1 << 64) - 1)))
odd("zip64-directory-max", "central directory", "a directory of 2^64 - 1 bytes", _z.bytes(count=0xFFFF, zip64=zip64_end((1 << 64) - 1, 0, 1, _at)))
odd("zip64-offset-wraps", "central directory", "offset and size that wrap around", _z.bytes(count=0xFFFF, zip64=zip64_end(1 << 63, _at - (1 << 63) + (1 << 64), 1, _at)))
odd("zip64-count-max", "entry count", "2^64 - 1 entries", _z.bytes(count=0xFFFF, zip64=zip64_end(len(_z.directory), len(_z.body), (1 << 64) - 1, _at)))
odd("zip64-count-2-60", "entry count", "2^60 entries: times 46 wraps", _z.bytes(count=0xFFFF, zip64=zip64_end(len(_z.directory), len(_z.body), 1 << 60, _at)))

# Entries.
odd("local-missing", "'a.npy' local header", "an offset where no header is", one(offset=1).bytes())
odd("local-past-end", "'a.npy' offset", "an offset past the directory", one(offset=0x7FFFFFFF).bytes())
odd("local-zip64-missing", "'a.npy' zip64", "an offset of 2^32 - 1 without a zip64 field", one(offset=0xFFFFFFFF).bytes())
odd("local-zip64-max", "'a.npy' offset", "an offset of 2^64 - 1", one(offset=0xFFFFFFFF, central_extra=struct.pack("<HHQ", 1, 8, (1 << 64) - 1)).bytes())
odd("stored-zip64-max", "'a.npy' compressed size", "2^64 - 1 stored bytes", one(stored=0xFFFFFFFF, size=0xFFFFFFFF, central_extra=struct.pack("<HHQQ", 1, 16, (1 << 64) - 1, (1 << 64) - 1)).bytes())
odd("stored-too-long", "'a.npy' compressed size", "an entry that reaches into the directory", one(stored=len(NPY) + 1, size=len(NPY) + 1).bytes())
odd("size-differs", "'a.npy' size", "a stored entry of two sizes", one(size=len(NPY) + 1).bytes())
odd("local-size-differs", "'a.npy' local header", "another size in the local header", one(local={"size": 5}).bytes())
odd("local-crc-differs", "'a.npy' local header", "another CRC-32 in the local header", one(local={"crc": 5}).bytes())
odd("local-name-differs", "'a.npy' local header", "another name in the local header", one(local={"name": b"b.npy"}).bytes())
odd("local-method-differs", "'a.npy' local header", "another method in the local header", one(local={"method": 8}).bytes())
odd("local-flags-differ", "'a.npy' local header", "encrypted, says only the local header", one(local={"flags": 1}).bytes())
odd("encrypted", "'a.npy' encrypted", "an encrypted entry", one(flags=1).bytes())
odd("disk", "'a.npy' part", "an entry in another part", one(disk=3).bytes())
odd("method-zstd", "'a.npy' method 93", "an entry packed by zstd", one(method=93).bytes())
odd("twice", "'a.npy' twice", "one name twice", Zip().add("a.npy", NPY).add("a.npy", NPY).bytes())
_same = one()
_same.directory += _same.directory
_same.count = 2
odd("same-bytes", "'a.npy' overlaps", "two entries of the same bytes", _same.bytes())
_inner = Zip().add("b.npy", NPY).body
_outer = Zip().add("a.npy", NPY + _inner)
_outer.directory += Zip().add("b.npy", NPY, offset=len(_outer.body) - len(_inner)).directory
_outer.count = 2
odd("inside-another", "'b.npy' overlaps", "an entry inside of another", _outer.bytes())
for _name in ["../a.npy", "/a.npy", "a/../../b.npy", "a//b.npy", "./a.npy", "a\0.npy", ".."]:
    odd(f"path-{_name.encode().hex()}", "path", f"a name that leads elsewhere: {_name!r}", Zip().add(_name, NPY).bytes())
odd("name-empty", "name", "an entry without a name", Zip().add("", NPY).bytes())
odd("name-not-utf-8", "name utf-8", "a name that is not UTF-8", Zip().add(b"\xff\xfe.npy", NPY).bytes())
odd("folder-with-content", "'a.npy/' folder", "a folder with content", Zip().add("a.npy/", NPY).bytes())

# Deflate.
_deflated = zlib.compress(NPY, 9)[2:-4]
packed = lambda data=_deflated, **changes: Zip().add("a.npy", data, method=8, **({"size": len(NPY), "crc": zlib.crc32(NPY)} | changes)).bytes()
odd("deflate-ratio", "'a.npy' size", "ten bytes that declare 4 GB", packed(_deflated[:10], size=0xFFFFFFF0))
odd("deflate-garbage", "'a.npy' deflated", "no deflate data", packed(b"\xff" * 40))
odd("deflate-cut", "'a.npy' deflated", "deflate data that ends early", packed(_deflated[:-8]))
odd("deflate-empty", "'a.npy'", "deflate data of no bytes", packed(b"", size=0))
odd("deflate-fewer", "'a.npy' fewer", "unpacks to less than it declares", packed(size=len(NPY) + 4))
_long = NPY[:-16].replace(b"(4,)", b"(99999,)").replace(b"    \n", b"\n") + bytes(99999 * 4)
_packed = zlib.compress(_long, 9)[2:-4]
odd("deflate-more", "'a.npy' more", "unpacks to more than it declares", packed(zlib.compress(_long + b"x", 9)[2:-4], size=len(_long)))
odd("deflate-trailing", "'a.npy' more", "bytes after the end of the deflate data", packed(_packed + b"x", size=len(_long)))
odd("deflate-cut-late", "'a.npy' deflated", "deflate data that ends after the header", packed(_packed[:-8], size=len(_long)))
odd("deflate-crc", "'a.npy' CRC-32", "another CRC-32 than that of the content", packed(_packed, size=len(_long), crc=5))

# Arrays.
def array(header: str, data: bytes = bytes(16)) -> bytes:
    text_ = header.encode().ljust(0x75) + b"\n"
    return Zip().add("a.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text_)) + text_ + data).bytes()


def saved(value: np.ndarray) -> bytes:
    output = io.BytesIO()
    np.savez(output, a=value)
    return output.getvalue()


odd("array-objects", "'a.npy' descr", "an array of Python objects: a pickle", saved(np.array([{"x": 1}, None], dtype=object)))
odd("array-records", "'a.npy' descr", "an array of records", saved(np.zeros(3, [("x", "<f4"), ("y", "<i4")])))
odd("array-text", "'a.npy' descr", "an array of text", saved(np.array(["ab", "c"])))
odd("array-complex128", "'a.npy' descr", "a dtype that Kist has not", saved(np.zeros(2, "<c16")))
odd("array-shape-wraps", "'a.npy' shape", "a shape whose product wraps to 0", array("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", b""))
odd("array-shape-huge", "'a.npy' shape", "a shape of 2^62", array("{'descr': '<f4', 'fortran_order': True, 'shape': (4611686018427387904, 2), }"))
odd("array-no-magic", "'a.npy' magic", "an entry that is no array", Zip().add("a.npy", b"not an array at all").bytes())
odd("array-empty", "'a.npy' magic", "an entry of no bytes", Zip().add("a.npy", b"").bytes())
odd("neither", "neither", "a zip archive of something else", Zip().add("README.md", b"hello").bytes())


def write(folder: str, suffix: str, cases: list[tuple[str, str, str, bytes]]) -> None:
    path = HOSTILE / folder
    path.mkdir(parents=True, exist_ok=True)
    for old in path.glob(f"*{suffix}"):
        old.unlink()
    rows = ["file\twords\tnote"]
    for case, words, note, content in cases:
        (path / f"{case}{suffix}").write_bytes(content)
        rows.append(f"{case}{suffix}\t{words}\t{note}")
    assert len({case for case, *_ in cases}) == len(cases)
    (path / "manifest.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write("pickle", ".pt", PICKLES)
    write("zip", ".npz", ARCHIVES)
