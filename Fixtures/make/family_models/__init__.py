"""The table of families that Fixtures/make/families.py makes, one module a subject."""

from . import classic, encoders, first, gemmas, gpt_oss, llamas, mixtures, outside, rope

MODULES = (first, classic, rope, llamas, gemmas, mixtures, gpt_oss, outside, encoders)
FAMILIES = [family for module in MODULES for family in module.FAMILIES]
