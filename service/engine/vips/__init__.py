"""libvips, by pyvips: what it reads and writes. Environment variables of the engine's processes leave it one thread."""
