"""Overlays: pictures and texts of the configuration that lie on a result."""
