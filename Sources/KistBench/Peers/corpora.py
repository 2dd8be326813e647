"""Writes texts to tokenize into a folder: python corpora.py FOLDER. English prose and source code are Python's own; Japanese is put together by a
seeded generator from words and particles, with the frequencies of Zipf's law."""
import glob
import os
import random
import re
import sys
import sysconfig

folder = sys.argv[1]
library = sysconfig.get_paths()["stdlib"]
SIZE = 8_000_000


def write(name, text):
    open(os.path.join(folder, name), "w", encoding="utf-8", newline="").write(text[:SIZE])


sources = []
for path in sorted(glob.glob(library + "/**/*.py", recursive=True)):
    if "site-packages" not in path and "/lib2to3/" not in path:
        try:
            sources.append(open(path, encoding="utf-8", newline="").read())
        except UnicodeDecodeError:
            pass
code = "".join(sources)
write("code.txt", code)

# Prose: the paragraphs of docstrings and comments.
prose = []
for text in re.findall(r'"""(.*?)"""', code, re.S):
    for paragraph in re.split(r"\n\s*\n", text):
        line = " ".join(paragraph.split())
        if len(line) > 80 and re.match(r"[A-Z][a-z]", line) and line.count("=") < 2 and ">>>" not in line:
            prose.append(line)
english = "\n".join(prose) + "\n"
write("english.txt", english * (SIZE // len(english) + 1))

random.seed(1)
kana = [chr(c) for c in range(0x3042, 0x3094)]
kanji = [chr(c) for c in range(0x4E00, 0x9FA0, 7)]
words = ["".join(random.choices(kanji, k=random.choice([1, 2, 2, 2, 3]))) for _ in range(6000)]
words += ["".join(random.choices(kana, k=random.choice([2, 3, 3, 4]))) for _ in range(4000)]
words += ["".join(chr(ord(c) + 96) for c in random.choices(kana, k=random.choice([3, 4, 5]))) for _ in range(2000)]
random.shuffle(words)
weights = [1 / (rank + 2) for rank in range(len(words))]
particles = ["は", "が", "を", "に", "の", "と", "で", "も", "から", "まで"]
parts = []
for word in random.choices(words, weights, k=SIZE // 9):
    parts += [word, random.choice(particles)]
    if random.random() < 0.08:
        parts.append("。\n" if random.random() < 0.3 else "、")
japanese = "".join(parts)
write("japanese.txt", japanese[: SIZE // 3])
mixed = [english[i : i + 300] + japanese[i : i + 100] + code[i : i + 300] + "🙂 été naïve Ωμέγα\n" for i in range(0, len(japanese) - 300, 700)]
write("mixed.txt", "".join(mixed))
