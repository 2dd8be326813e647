"""The table of families that Fixtures/make/families.py makes, one module a subject."""

from . import classic, first, rope

MODULES = (first, classic, rope)
FAMILIES = [family for module in MODULES for family in module.FAMILIES]
