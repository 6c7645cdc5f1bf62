"""What is not an image and says it is; and images that carry more than an image. The same bytes every time."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

from tests import images
from tests.hostile.bombs import compressed_chunk
from tests.images import png_chunk

PAYLOAD = b"<script>alert('PAYLOAD')</script>"


def scripts(secret: str) -> Mapping[str, bytes]:
    """Files that ImageMagick would take orders from, each to read the file `secret`, under an image's name."""
    texts = {
        "mvg.png": f"push graphic-context\nviewbox 0 0 64 64\nimage over 0,0 9,9 'label:@{secret}'",
        "msl.jpg": f'<?xml version="1.0"?><image><read filename="label:@{secret}"/>'
        f'<write filename="{secret}.out"/></image>',
        "svg.png": f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<image xlink:href="text:{secret}" width="64" height="64"/></svg>',
        "entity.png": f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file://{secret}">]><svg>&x;</svg>',
        "ps.jpg": f"%!PS\n({secret}) (r) file 64 string readstring\n",
        "eps.gif": "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\nsystemdict /%pipe%id run\n",
        "pdf.png": "%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/Launch/F(id)>>>>endobj\n",
        "label.gif": f"label:@{secret}",
        "caption.tif": f"caption:@{secret}",
        "url.png": "https://127.0.0.1:1/x.png",
        "pipe.png": "|id",
        "php.jpg": "<?php system('id'); ?>",
        "shell.png": "#!/bin/sh\nid\n",
        "xpm.png": '/* XPM */\nstatic char *x[]={"1 1 1 1","a c red","a"};',
        "pnm.png": "P6 1 1 255\n\0\0\0",
        "xbm.png": "#define x_width 8\n#define x_height 8\nstatic char x_bits[]={0};",
        "html.jpg": "<!doctype html><script>alert(1)</script>",
        "gif-by-word.gif": "GIF88a not really",
        "bm.bmp": "BMW is a car, and this is a text about cars that is long enough",
        "empty.png": "",
    }
    return {name: text.encode() for name, text in texts.items()}


def archives() -> Mapping[str, bytes]:
    """Other binary files under an image's name."""
    return {
        "zip.png": zipped(),
        "psd.jpg": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 64, 64, 8, 3),
        "xcf.png": b"gimp xcf v011\0" + bytes(32),
        "mng.png": b"\x8aMNG\r\n\x1a\n" + bytes(64),
        "jp2.jpg": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(64),
        "exr.tif": b"v/1\1" + bytes(64),
        "wav.webp": b"RIFF\x24\0\0\0WAVEfmt " + bytes(32),
        "mp4.avif": b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + bytes(64),
        "dcm.jpg": bytes(128) + b"DICM",
        "elf.png": b"\x7fELF\2\1\1" + bytes(64),
    }


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("payload.html"), PAYLOAD)
    return buffer.getvalue()


def polyglots() -> Mapping[str, bytes]:
    """Good images, each of which is something else too, by what it carries in PAYLOAD."""
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(PAYLOAD)) + PAYLOAD
    jpeg, png, gif, webp = images.jpeg(), images.png(images.photo(64, 48)), images.gif(64, 48), images.webp()
    text = png_chunk(b"tEXt", b"Comment\0" + PAYLOAD)
    gif_comment = b"\x21\xfe" + bytes([len(PAYLOAD)]) + PAYLOAD + b"\0"
    body = webp[12:] + b"XMP " + struct.pack("<I", len(PAYLOAD)) + PAYLOAD + b"\0" * (len(PAYLOAD) % 2)
    return {
        "jpeg-then-zip": jpeg + zipped(),
        "png-then-zip": png + zipped(),
        "gif-then-zip": gif + zipped(),
        "webp-then-zip": webp + zipped(),
        "bmp-then-zip": images.bmp() + zipped(),
        "tiff-then-zip": images.tiff() + zipped(),
        "ico-then-zip": images.ico((16, 32)) + zipped(),
        "jpeg-comment": jpeg[:2] + comment + jpeg[2:],
        "jpeg-other-marker": jpeg[:2] + comment.replace(b"\xff\xfe", b"\xff\xeb", 1) + jpeg[2:],
        "png-text": png[:33] + text + png[33:],
        "png-private-chunk": png[:33] + png_chunk(b"prVt", PAYLOAD) + png[33:],
        "gif-comment": gif[:-1] + gif_comment + b";",
        "webp-unknown-chunk": b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body,
    }


def profile_reads(path: str) -> Mapping[str, bytes]:
    """PNGs whose text asks ImageMagick to embed the file `path` into what it writes (CVE-2022-44268)."""
    png = images.png(images.photo(64, 48))
    return {
        f"{kind}-{keyword}": png[:33] + _text(kind, keyword.encode(), path.encode()) + png[33:]
        for kind in ("tEXt", "zTXt", "iTXt")
        for keyword in ("profile", "Profile", "profile:icc", "icc", "exif:file")
    }


def _text(kind: str, keyword: bytes, text: bytes) -> bytes:
    content = {
        "tEXt": b"\0" + text,
        "zTXt": b"\0\0" + zlib.compress(text),
        "iTXt": b"\0\0\0\0\0" + text,
    }[kind]
    return png_chunk(kind.encode(), keyword + content)


def profiles() -> Mapping[str, bytes]:
    """Absurd ICC profiles, to be embedded: each too long, too short, too many, or not what it says."""
    head = bytearray(128)
    head[12:24], head[36:40] = b"mntrRGB XYZ ", b"acsp"

    def profile(size: int, tags: bytes, tail: bytes = b"") -> bytes:
        return struct.pack(">I", size) + bytes(head[4:]) + tags + tail

    curve = struct.pack(">4s4xI", b"curv", 2**32 - 1)
    tag = struct.pack(">4sII", b"rTRC", 144, len(curve))
    return {
        "says-4-GB": profile(2**32 - 1, struct.pack(">I", 0)),
        "says-nothing": profile(0, struct.pack(">I", 0)),
        "4G-tags": profile(132, struct.pack(">I", 2**32 - 1)),
        "5000-tags": profile(132 + 60_000, struct.pack(">I", 5000) + struct.pack(">4sII", b"desc", 132, 16) * 5000),
        "tag-beyond-end": profile(144, struct.pack(">I4sII", 1, b"wtpt", 2**31, 2**31)),
        "endless-curve": profile(156, struct.pack(">I", 1) + tag, curve),
        "not-a-profile": b"A" * 4096,
        "one-byte": b"\0",
        "60-KB-of-nothing": bytes(60_000),
    }


def with_profile(profile: bytes) -> Mapping[str, bytes]:
    """One image of every format that carries profiles, with this one."""
    small = images.photo(48, 32)
    return {
        "jpg": images.jpeg(small, icc_profile=profile),
        "png": images.png(small, icc_profile=profile),
        "webp": images.webp(small, icc_profile=profile),
        "tif": images.tiff(small, icc_profile=profile),
    }


def exif_blocks() -> Mapping[str, bytes]:
    """EXIF blocks that loop, lie about their length, or hold numbers that no camera writes."""

    def block(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
        table = b"".join(struct.pack(">HHII", *entry) for entry in entries)
        return b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", len(entries)) + table + struct.pack(">I", following)

    return {
        "loop": block((0x8769, 4, 1, 8), following=8),
        "gps-loop": block((0x8825, 4, 1, 8)),
        "endless-text": block((0x010F, 2, 2**32 - 1, 2**31)),
        "orientation-is-text": block((0x0112, 2, 4, 0x41414141)),
        "orientation-of-4G": block((0x0112, 4, 2**32 - 1, 6 << 16)),
        "division-by-zero": block((0x8298, 5, 1, 8), (0x829A, 5, 1, 8)),
        "65535-entries": b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
        "nothing": b"Exif\0\0",
    }


def text_bomb() -> bytes:
    """A PNG with a comment of 20 MB in 20 KB."""
    return compressed_chunk(b"zTXt", b"Comment", 20_000_000)
