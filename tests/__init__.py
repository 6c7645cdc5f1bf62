"""The environment of all tests, and of the hundreds of processes that they start.

None of them shall compile the project's Python anew, or spend a quarter of a second on asking a compiler for
ImageMagick by twenty other names before Wand comes to the one that Debian gives it.
"""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
os.environ.setdefault("WAND_MAGICK_LIBRARY_SUFFIX", "-6.Q16")
