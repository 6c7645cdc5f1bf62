"""AVIF by libavif itself: what Pillow does not read or write."""
