"""The process of libjxl alone: reads a JSON object a line, codes a JPEG anew, and answers with the path of its file.

It gives memory back after each image, as an engine process does: each takes 120 MB anew for 6 megapixels.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from service.engine.jxl import transcoding
from service.engine.pool import free_memory


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        Path(asked["output"]).write_bytes(transcoding.from_jpeg(Path(asked["image"]).read_bytes()))
        free_memory.give_back()
        print(asked["output"], flush=True)


if __name__ == "__main__":
    main()
