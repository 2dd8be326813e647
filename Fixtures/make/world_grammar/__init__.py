"""The small world of Fixtures/make/world.py, as data: its words, sentences, stories and questions."""
