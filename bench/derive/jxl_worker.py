"""The process of libjxl alone: reads a JSON object a line, codes a JPEG anew, and answers with the path of its file.

It holds the memory that an image has freed as an engine process does, whose variables it runs with: for a second, then
it goes back to the system.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from service.engine.jxl import transcoding
from service.engine.memory import BOUND
from service.engine.pool import free_memory


def main() -> None:
    for line in iter(sys.stdin.buffer.readline, b""):
        asked = json.loads(line)
        Path(asked["output"]).write_bytes(transcoding.from_jpeg(Path(asked["image"]).read_bytes()))
        print(asked["output"], flush=True)
        if not free_memory.is_wanted_soon(sys.stdin.buffer):
            free_memory.give_back_above(BOUND)


if __name__ == "__main__":
    main()
