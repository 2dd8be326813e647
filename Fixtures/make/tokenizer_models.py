#!/usr/bin/env python3
"""Makes Fixtures/tokenizers/models: models, added tokens, processors and decoders with what tokenizers and sentencepiece make of texts.

    python3 Fixtures/make/tokenizer_models.py                 the fixtures, small
    python3 Fixtures/make/tokenizer_models.py FOLDER COUNT    the same kinds with COUNT cases each, for a differential run

Needs tokenizers 0.23.3 and sentencepiece 0.2.3. Texts and models are generated; nothing is taken from a corpus.
"""
import json
import pathlib
import random
import sys

from tokenizer_model_cases import added, decoders, processors, unigram, words


def main() -> None:
    fixtures = pathlib.Path(__file__).parent.parent / "tokenizers" / "models"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else fixtures
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    folder.mkdir(parents=True, exist_ok=True)
    for make in (unigram.sets, words.sets, added.sets, processors.sets, decoders.sets):
        for name, fixture in make(random.Random(4), count):
            text = json.dumps(fixture, ensure_ascii=False, separators=(",", ":"))
            (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
            print(name, len(fixture.get("cases", [])))


if __name__ == "__main__":
    main()
