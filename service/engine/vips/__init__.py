"""libvips, by pyvips: what it reads and scales. Environment variables of the engine's processes leave it one thread."""
