"""The parts of tokenizer_models.py."""
