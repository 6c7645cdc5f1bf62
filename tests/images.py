"""Test images of every format, drawn with numpy and encoded with Pillow: the same bytes every time.

Pixels are arrays of uint8 (height, width, channels). A function named after a format returns a whole file as bytes;
without arguments each gives a small photo-like picture. Profiles to embed are in `tests.profiles`.

    photo, soft_alpha, quadrants, flat                       pixels
    jpeg, jpeg_gray, jpeg_cmyk, jpeg_ycck                    JPEG
    png, png_alpha, png_palette, png_gray, png_16bit, apng   PNG
    webp, webp_alpha, webp_animated                          WebP
    gif, gif_transparent, gif_animated                       GIF
    tiff, tiff_pages, bmp, bmp_alpha, ico, avif, avif_alpha, heic
    jxl, jxl_alpha, jxl_of_jpeg, jpeg_of_jxl                 JPEG XL
    oriented                                                 any of them, stored turned, to be shown upright
    exif                                                     an EXIF block with position, camera, serial number
"""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pillow_jxl
from numpy.typing import NDArray
from PIL import Image
from wand.image import Image as WandImage

Pixels = NDArray[np.uint8]

GPS_IFD, EXIF_IFD, ORIENTATION = 0x8825, 0x8769, 0x0112
SECRET_CAMERA, SECRET_SERIAL, SECRET_OWNER = "Secretcam X100", "SN-7781234", "Secret Owner"
# What undoes the EXIF orientation: stored pixels are made from upright ones by the inverse of what a viewer does.
_STORE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@functools.lru_cache(64)
def photo(width: int = 320, height: int = 240, seed: int = 1) -> Pixels:
    """Something like a photograph: a sky, hills, a sun and film grain. No two corners alike. Read-only, for whoever
    asks for the same one gets the same."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    x, y = (x + 0.5) / width, (y + 0.5) / height
    image = np.stack([110 + 120 * y + 20 * x, 150 + 70 * y, 235 - 60 * y], axis=-1)
    image += 90 * np.exp(-((x - 0.75) ** 2 + (y - 0.25) ** 2) / 0.006)[..., None]
    for layer in range(4):
        ridge = 0.5 + 0.12 * layer + 0.06 * np.sin((5 + 3 * layer) * x + random.uniform(0, 6.3))
        colour = np.array([90 - 20 * layer, 130 - 22 * layer, 95 - 22 * layer]) * (0.8 + 0.4 * x[..., None])
        image = np.where((y > ridge)[..., None], colour, image)
    image += random.normal(0, 3, image.shape)
    drawn: Pixels = np.clip(image, 0, 255).astype(np.uint8)
    drawn.setflags(write=False)
    return drawn


def soft_alpha(width: int = 320, height: int = 240) -> Pixels:
    """Alpha (height, width): a disc with a soft edge, 0 outside and 255 inside, every step between on the edge."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    radius = np.hypot((x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5)
    alpha: Pixels = np.clip((0.48 - radius) / 0.12 * 255, 0, 255).astype(np.uint8)
    return alpha


def photo_alpha(width: int = 320, height: int = 240, seed: int = 1) -> Pixels:
    """The photo behind the soft disc: RGBA, straight alpha."""
    return np.dstack([photo(width, height, seed), soft_alpha(width, height)])


def quadrants(width: int = 64, height: int = 48) -> Pixels:
    """Red top left, green top right, blue bottom left, white bottom right: tells every turn and flip apart."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (255, 0, 0)
    image[: height // 2, width // 2 :] = (0, 255, 0)
    image[height // 2 :, : width // 2] = (0, 0, 255)
    image[height // 2 :, width // 2 :] = (255, 255, 255)
    return image


def flat(width: int = 64, height: int = 48, colour: Sequence[int] = (200, 60, 30)) -> Pixels:
    """One colour, 3 or 4 channels."""
    return np.full((height, width, len(colour)), colour, np.uint8)


def pixels(data: bytes, mode: str = "RGB") -> Pixels:
    """What Pillow decodes, as it is stored (orientation not applied)."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert(mode))


def encode(image: Image.Image | Pixels, kind: str, **options: Any) -> bytes:
    """Pillow's bytes for `kind` (JPEG, PNG, WEBP, ...). `icc_profile`, `exif` and the like pass through."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int = 1, *, gps: bool = True) -> bytes:
    """An EXIF block: orientation, camera, serial number, owner, and 48.2 N 16.37 E when `gps`."""
    block = Image.Exif()
    block[ORIENTATION] = orientation
    block[0x010F], block[0x0110] = "Secret Maker", SECRET_CAMERA
    block[0x013B], block[0x8298] = SECRET_OWNER, "(c) Secret Owner"
    block.get_ifd(EXIF_IFD).update({0x9003: "2024:05:06 07:08:09", 0xA431: SECRET_SERIAL, 0xA430: SECRET_OWNER})
    if gps:
        block.get_ifd(GPS_IFD).update({1: "N", 2: (48.0, 12.0, 0.0), 3: "E", 4: (16.0, 22.0, 12.0)})
    return block.tobytes()


def jpeg(image: Pixels | None = None, **options: Any) -> bytes:
    return encode(photo() if image is None else image, "JPEG", **{"quality": 90, **options})


def jpeg_gray(width: int = 320, height: int = 240, **options: Any) -> bytes:
    return encode(Image.fromarray(photo(width, height)).convert("L"), "JPEG", **{"quality": 90, **options})


def jpeg_cmyk(width: int = 320, height: int = 240, **options: Any) -> bytes:
    """CMYK as Adobe writes it: inverted, marked by an APP14 segment with transform 0."""
    return encode(Image.fromarray(photo(width, height)).convert("CMYK"), "JPEG", **{"quality": 92, **options})


def jpeg_ycck(width: int = 320, height: int = 240, **options: Any) -> bytes:
    """The picture of `jpeg_cmyk` as YCCK: planes turned to YCbCr here, and APP14's transform patched to 2."""
    inks = np.asarray(Image.fromarray(photo(width, height)).convert("CMYK"))
    chroma = np.asarray(Image.fromarray(np.ascontiguousarray(inks[..., :3])).convert("YCbCr"))
    planes = Image.frombytes("CMYK", (width, height), np.dstack([255 - chroma, inks[..., 3]]).tobytes())
    data = bytearray(encode(planes, "JPEG", **{"quality": 92, "subsampling": 0, **options}))
    data[data.index(b"Adobe") + 11] = 2
    return bytes(data)


def png(image: Pixels | None = None, **options: Any) -> bytes:
    return encode(photo() if image is None else image, "PNG", **options)


def png_alpha(width: int = 320, height: int = 240, **options: Any) -> bytes:
    return encode(photo_alpha(width, height), "PNG", **options)


@functools.lru_cache(64)
def png_palette(width: int = 320, height: int = 240, colours: int = 64, *, transparent: bool = False) -> bytes:
    """A palette; with `transparent`, tRNS makes index 0 half and index 1 wholly transparent."""
    image = Image.fromarray(photo(width, height)).quantize(colours)
    return encode(image, "PNG", **({"transparency": bytes([128, 0])} if transparent else {}))


def png_gray(width: int = 320, height: int = 240, **options: Any) -> bytes:
    return encode(Image.fromarray(photo(width, height)).convert("L"), "PNG", **options)


def png_16bit(width: int = 320, height: int = 240, *, alpha: bool = False, gray: bool = False) -> bytes:
    """16 bits a channel, written here because Pillow cannot: a ramp that uses the low bytes too."""
    channels = (1 if gray else 3) + alpha
    y, x = np.mgrid[0:height, 0:width]
    ramps = [x * 65535 // max(1, width - 1), y * 65535 // max(1, height - 1), (x + y) * 65535 // (width + height)]
    planes = ramps[: channels - alpha] + [np.full_like(x, 40000)] * alpha
    rows = np.stack(planes, axis=-1).astype(">u2").reshape(height, -1).view(np.uint8).reshape(height, -1)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(raw)), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def moving(width: int = 96, height: int = 72, count: int = 5, *, alpha: bool = False) -> list[Pixels]:
    """Frames of a bright square that walks over the photo (or over nothing, with `alpha`)."""
    frames = []
    for index in range(count):
        frame = np.zeros((height, width, 4), np.uint8) if alpha else photo(width, height).copy()
        left, size = index * (width - width // 4) // max(1, count - 1), max(1, height // 4)
        colour = (255, 40 * index % 256, 0, 255)
        frame[height // 3 : height // 3 + size, left : left + size] = colour[: frame.shape[2]]
        frames.append(frame)
    return frames


def animation(frames: Sequence[Pixels], kind: str, **options: Any) -> bytes:
    first, *rest = (Image.fromarray(frame) for frame in frames)
    return encode(first, kind, save_all=True, append_images=rest, **options)


def apng(count: int = 5, delays: int | list[int] = 100, loop: int = 0) -> bytes:
    return animation(moving(count=count), "PNG", duration=delays, loop=loop)


def webp(image: Pixels | None = None, **options: Any) -> bytes:
    return encode(photo() if image is None else image, "WEBP", **{"quality": 85, **options})


def webp_alpha(width: int = 320, height: int = 240, **options: Any) -> bytes:
    return webp(photo_alpha(width, height), **options)


def webp_animated(
    count: int = 5, delays: int | list[int] = 100, loop: int = 0, *, alpha: bool = False, **options: Any
) -> bytes:
    """Delays in ms. `loop` 0 is for ever."""
    return animation(moving(count=count, alpha=alpha), "WEBP", duration=delays, loop=loop, **options)


@functools.lru_cache(64)
def gif(width: int = 320, height: int = 240) -> bytes:
    return encode(Image.fromarray(photo(width, height)).quantize(128), "GIF")


def gif_transparent(width: int = 96, height: int = 72) -> bytes:
    return encode(Image.fromarray(moving(width, height, 1, alpha=True)[0]), "GIF")


def gif_animated(
    count: int = 5,
    delays: int | list[int] = 100,
    loop: int | None = 0,
    disposal: int | list[int] = 0,
    *,
    alpha: bool = False,
    **options: Any,
) -> bytes:
    """Delays in ms (tens are kept); `loop` None leaves the loop extension out; `disposal` 0..3, of all or of each."""
    looping = {} if loop is None else {"loop": loop}
    frames = moving(count=count, alpha=alpha)
    return animation(frames, "GIF", duration=delays, disposal=disposal, **looping, **options)


def tiff(image: Pixels | None = None, **options: Any) -> bytes:
    return encode(photo() if image is None else image, "TIFF", **options)


def tiff_pages(count: int = 3) -> bytes:
    return animation(moving(count=count), "TIFF")


def bmp(image: Pixels | None = None) -> bytes:
    return encode(photo() if image is None else image, "BMP")


def bmp_alpha(width: int = 96, height: int = 72) -> bytes:
    """32 bits with an alpha mask in a V4 header; Pillow reads but does not write it."""
    image = photo_alpha(width, height)[::-1, :, [2, 1, 0, 3]]
    size = image.size
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    info = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, size, 2835, 2835, 0, 0) + masks
    info = (info + b"BGRs").ljust(108, b"\0")
    return struct.pack("<2sIHHI", b"BM", 14 + 108 + size, 0, 0, 14 + 108) + info + image.tobytes()


def ico(sizes: Sequence[int] = (16, 32, 48)) -> bytes:
    return encode(photo_alpha(max(sizes), max(sizes)), "ICO", sizes=[(size, size) for size in sizes])


def avif(image: Pixels | None = None, **options: Any) -> bytes:
    return encode(photo() if image is None else image, "AVIF", **{"speed": 10, "quality": 80, **options})


def avif_alpha(width: int = 96, height: int = 72, **options: Any) -> bytes:
    return avif(photo_alpha(width, height), **options)


def jxl(image: Pixels | None = None, **options: Any) -> bytes:
    """By pillow-jxl-plugin, which brings a libjxl of its own."""
    return encode(
        photo() if image is None else image, "JXL", **{"quality": 90, "effort": 3, "num_threads": 0, **options}
    )


def jxl_alpha(width: int = 96, height: int = 72, **options: Any) -> bytes:
    return jxl(photo_alpha(width, height), lossless=True, **options)


def jxl_of_jpeg(data: bytes) -> bytes:
    """A JPEG brought over without loss, with all that it takes to make the same file again, metadata included."""
    make: Any = pillow_jxl.Encoder
    encoder = make(
        mode="RGB", lossless=True, quality=100, decoding_speed=0, effort=3, use_container=True,
        use_original_profile=True, num_threads=0,
    )  # fmt: skip
    made: bytes = encoder(data, 0, 0, jpeg_encode=True)
    return made


def jpeg_of_jxl(data: bytes) -> bytes:
    """The JPEG that a JPEG XL was made of; empty where there is none."""
    is_jpeg, _, made, *_ = pillow_jxl.Decoder(num_threads=0)(data)
    return made if is_jpeg else b""


def heic(image: Pixels | None = None) -> bytes:
    """Written by ImageMagick, for Pillow has no HEVC; only where this ImageMagick can."""
    with WandImage.from_array(photo() if image is None else image) as picture:
        return bytes(picture.make_blob("heic"))


def oriented(orientation: int, kind: str = "JPEG", upright: Pixels | None = None, **options: Any) -> bytes:
    """`upright` as `kind`, stored turned and flipped so that EXIF `orientation` 1..8 shows it upright again."""
    picture = Image.fromarray(quadrants() if upright is None else upright)
    stored = picture.transpose(_STORE[orientation]) if orientation in _STORE else picture
    block = Image.Exif()
    block[ORIENTATION] = orientation
    extra = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    return encode(stored, kind, exif=block.tobytes(), **{**extra, **options})
