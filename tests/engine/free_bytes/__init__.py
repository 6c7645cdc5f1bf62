"""Files with a secret in a place that decoding does not need, a module for each format."""

from __future__ import annotations

from tests import images
from tests.metadata import SECRET

PLANTED = SECRET.encode()
LONG = PLANTED * 40
SMALL = images.photo(64, 48)
