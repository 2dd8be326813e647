"""The table of families that Fixtures/make/families.py makes, one module a subject."""

from . import first

FAMILIES = [family for module in (first,) for family in module.FAMILIES]
