"""Make images with IIIF's reference implementation, in its environment: ORIGINAL FOLDER URL... writes FOLDER/0.png and
so on."""

from __future__ import annotations

import sys
from pathlib import Path

from iiif.manipulator_pil import IIIFManipulatorPIL  # type: ignore[import-not-found]
from iiif.request import IIIFRequest  # type: ignore[import-not-found]

if __name__ == "__main__":
    original, folder, *urls = sys.argv[1:]
    for number, url in enumerate(urls):
        request = IIIFRequest(api_version="2.1")
        request.parse_url(f"original/{url}")
        file = Path(folder, f"{number}.png")
        IIIFManipulatorPIL(api_version="2.1").derive(srcfile=original, request=request, outfile=str(file))
