"""Imported before libraries: lets them be found before this folder, where tokenizers.py is named like one."""

import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path = [path for path in sys.path if os.path.abspath(path or ".") != here] + [here]
