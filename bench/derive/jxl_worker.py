"""The process of libjxl alone: reads a JSON object a line, codes a JPEG anew, and answers with the path of its file.

It holds the memory that an image has freed, so that the next one takes no page faults.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from service.engine.jxl import transcoding


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        Path(asked["output"]).write_bytes(transcoding.from_jpeg(Path(asked["image"]).read_bytes()))
        print(asked["output"], flush=True)


if __name__ == "__main__":
    main()
