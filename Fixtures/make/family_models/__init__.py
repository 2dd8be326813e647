"""The table of families that Fixtures/make/families.py makes, one module a subject."""

from . import classic, encoders, first, gemmas, llamas, mixtures, rope

MODULES = (first, classic, rope, llamas, gemmas, mixtures, encoders)
FAMILIES = [family for module in MODULES for family in module.FAMILIES]
