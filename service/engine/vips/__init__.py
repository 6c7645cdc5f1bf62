"""libvips, by pyvips: what it reads. Environment variables of the engine's processes leave it one thread."""
