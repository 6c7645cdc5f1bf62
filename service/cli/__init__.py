"""The command `image-gateway`: `main` runs it; the other modules hold its commands."""

from service.cli.main import main

__all__ = ["main"]
