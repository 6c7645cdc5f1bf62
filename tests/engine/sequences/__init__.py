"""Moving AVIFs by other programs than the gateway's own library, of the drawing `images.moving(64, 48, count=5)`.

`rav1e.avif` and `avifenc-alpha-10.avif` are by avifenc of libavif 0.11.1, with rav1e 0.5.1 and libaom 3.6.0, in 8 and
10 bits, the latter with transparency. `ffmpeg.avif` and `ffmpeg-10.avif` are by ffmpeg 8 (PyAV 18.1) with SVT-AV1, in 8
and 10 bits; they run three times, and have boxes of version 0 and names of their tracks.
"""

from __future__ import annotations

from pathlib import Path

FOREIGN = {path.name: path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.avif"))}
